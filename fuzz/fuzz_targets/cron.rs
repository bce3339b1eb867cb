//! libFuzzer's way to the laws of cron patterns.

#![no_main]

use agentspace_fuzz::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| laws::cron::check(bytes));
