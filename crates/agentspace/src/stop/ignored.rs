//! Whether this process ignores a signal, as whoever started it may have asked for: `nohup` does.
//!
//! Nothing in the standard library tells, and whoever begins to listen ends it; so it is asked
//! before.

use tokio::signal::unix::SignalKind;

/// Whether the process ignores a signal now; none where the system does not tell, as others than
/// Linux do not.
pub(super) fn is_ignored(signal: SignalKind) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    in_status(&status, signal)
}

/// What the lines about a process say, as in `man 5 proc`: a mask with a bit for each signal, from 1.
fn in_status(status: &str, signal: SignalKind) -> Option<bool> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    let bit = u32::try_from(signal.as_raw_value()).ok()?.checked_sub(1)?;
    Some(mask.checked_shr(bit)? & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_has_its_bit() {
        let status = "Name:\tx\nSigBlk:\tffffffffffffffff\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert_eq!(in_status(status, SignalKind::hangup()), Some(true));
        assert_eq!(in_status(status, SignalKind::interrupt()), Some(false));
        assert_eq!(in_status(status, SignalKind::pipe()), Some(true));
        assert_eq!(in_status(status, SignalKind::from_raw(64)), Some(false));
    }

    #[test]
    fn what_is_not_told_is_not_known() {
        let hangup = SignalKind::hangup();
        assert_eq!(in_status("Name:\tx\n", hangup), None);
        assert_eq!(in_status("SigIgn:\tmany\n", hangup), None);
        assert_eq!(in_status("SigIgn:\t1\n", SignalKind::from_raw(0)), None);
        assert_eq!(in_status("SigIgn:\t1\n", SignalKind::from_raw(65)), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_it_of_this_process() {
        // Rust programs ignore the end of whoever reads their output.
        assert_eq!(is_ignored(SignalKind::pipe()), Some(true));
        assert_eq!(is_ignored(SignalKind::from_raw(9)), Some(false));
    }
}
