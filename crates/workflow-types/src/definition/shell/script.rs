//! Finds the arguments that a shell or an interpreter takes for code, in a command that is a list.

use std::ops::Range;

/// What reads an argument as code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// `sh` and its kin: what follows the script is `$1` and so on to it.
    Shell,
    /// `cmd`, which puts all its words together and has no safe way to hand over a value.
    Cmd,
    /// PowerShell, which puts all its words together, but reads the environment safely.
    PowerShell,
    /// An interpreter of a programming language.
    Interpreter,
}

/// What is read as code in a command: the positions of its words, and by what.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) words: Range<usize>,
    pub(super) reader: Reader,
}

/// The code in a command, if the program is known to take some and is asked to.
pub(super) fn find(words: &[&str]) -> Option<Script> {
    let start = past_wrappers(words);
    let name = name(words.get(start)?);
    let rest = words.get(start + 1..)?;
    let (reader, found) = match name.as_str() {
        "sh" | "bash" | "dash" | "zsh" | "ksh" | "mksh" | "ash" | "fish" => {
            (Reader::Shell, of_shell(rest).map(|at| at..at + 1))
        }
        "cmd" => (Reader::Cmd, after(rest, is_cmd_flag)),
        "powershell" | "pwsh" => (Reader::PowerShell, after(rest, is_powershell_flag)),
        _ => {
            let flags = Flags::of(&name)?;
            (Reader::Interpreter, of_interpreter(rest, &flags))
        }
    };
    let found = found?;
    Some(Script {
        words: start + 1 + found.start..start + 1 + found.end,
        reader,
    })
}

/// The name of a program without its folder and ending.
fn name(program: &str) -> String {
    let name = program.rsplit(['/', '\\']).next().unwrap_or(program);
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".exe").unwrap_or(&name).to_owned()
}

/// Where the program stands after those that only run another.
fn past_wrappers(words: &[&str]) -> usize {
    let mut at = 0;
    while let Some(word) = words.get(at) {
        // The options that are followed by a value, by their letters.
        let with_value = match name(word).as_str() {
            "sudo" | "doas" => "ugpCDhRrtTU",
            "env" => "uC",
            "nice" => "n",
            "timeout" => "sk",
            "stdbuf" => "ioe",
            "nohup" | "setsid" | "time" | "exec" | "command" | "busybox" => "",
            _ => break,
        };
        let has_length = name(word) == "timeout";
        at += 1;
        while let Some(option) = words.get(at).filter(|word| is_of_wrapper(word)) {
            let letter = option.strip_prefix('-').filter(|rest| rest.len() == 1);
            at += 1 + usize::from(letter.is_some_and(|letter| with_value.contains(letter)));
        }
        at += usize::from(has_length);
    }
    at
}

/// An option, or a variable that `env` and `sudo` set.
fn is_of_wrapper(word: &str) -> bool {
    word.starts_with('-') || word.contains('=')
}

/// The first word that is no option, if one of the options is `-c`.
fn of_shell(rest: &[&str]) -> Option<usize> {
    let mut takes_code = false;
    let mut at = 0;
    while let Some(option) = rest.get(at).filter(|word| word.starts_with(['-', '+'])) {
        at += 1;
        match option.strip_prefix("--") {
            Some("") => break,
            Some("command") => takes_code = true,
            Some(long) if long.starts_with("command=") => return Some(at - 1),
            Some("rcfile" | "init-file") => at += 1,
            Some(_) => {}
            None => {
                takes_code |= option.contains('c');
                // `-o pipefail`, and `-euo pipefail`.
                at += usize::from(option.ends_with(['o', 'O']));
            }
        }
    }
    (takes_code && at < rest.len()).then_some(at)
}

/// All words after the one that says that code follows.
fn after(rest: &[&str], is_flag: fn(&str) -> bool) -> Option<Range<usize>> {
    let flag = rest.iter().position(|word| is_flag(word))?;
    (flag + 1 < rest.len()).then_some(flag + 1..rest.len())
}

fn is_cmd_flag(word: &str) -> bool {
    matches!(word.to_ascii_lowercase().as_str(), "/c" | "/k" | "/r")
}

/// PowerShell takes every beginning of an option's name.
fn is_powershell_flag(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    word.strip_prefix(['-', '/'])
        .is_some_and(|rest| !rest.is_empty() && "command".starts_with(rest))
}

/// The options of an interpreter.
struct Flags {
    /// The letters after which code follows.
    code: &'static str,
    /// The long names after which code follows.
    long: &'static [&'static str],
    /// The letters that another value follows, written apart.
    value: &'static str,
}

impl Flags {
    fn of(name: &str) -> Option<Self> {
        // `python3.12` is python, too.
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        let (code, long, value): (_, &[_], _) = match plain {
            "python" | "pypy" => ("c", &[], "WX"),
            "node" | "nodejs" | "bun" => ("ep", &["--eval", "--print"], "rC"),
            "perl" => ("eE", &[], ""),
            "ruby" => ("e", &[], ""),
            "php" => ("r", &["--run"], "cd"),
            "lua" => ("e", &[], "l"),
            _ => return None,
        };
        Some(Self { code, long, value })
    }
}

/// The word after the first option that says that code follows, or the one that holds both.
fn of_interpreter(rest: &[&str], flags: &Flags) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(option) = rest.get(at).filter(|word| word.starts_with('-')) {
        at += 1;
        if option.starts_with("--") {
            let (name, code) = option.split_once('=').unwrap_or((option, ""));
            if flags.long.contains(&name) {
                let at = if code.is_empty() { at } else { at - 1 };
                return (at < rest.len()).then_some(at..at + 1);
            }
            continue;
        }
        // `-ne` is `-n -e`; behind the letter stands the code itself, or nothing.
        if let Some(letter) = option.find(|c| flags.code.contains(c)) {
            let is_last = option[letter + 1..].chars().all(|c| flags.code.contains(c));
            let at = if is_last { at } else { at - 1 };
            return (at < rest.len()).then_some(at..at + 1);
        }
        at += usize::from(option.ends_with(|c| flags.value.contains(c)));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_found_behind_the_options_of_what_reads_it() {
        for (command, expect) in [
            ("sh -c CODE x y", Some(2..3)),
            ("bash -lc CODE", Some(2..3)),
            ("/bin/sh -ec CODE", Some(2..3)),
            ("bash -euo pipefail -c CODE", Some(4..5)),
            ("bash -c -- CODE", Some(3..4)),
            ("env -i A=b sh -c CODE", Some(5..6)),
            ("sudo -u ann bash -c CODE", Some(5..6)),
            ("timeout -s KILL 5 nice -n 3 sh -c CODE", Some(9..10)),
            ("C:\\Windows\\CMD.EXE /s /c CODE CODE", Some(3..5)),
            ("powershell -NoProfile -Command CODE", Some(3..4)),
            ("pwsh -c CODE CODE", Some(2..4)),
            ("python3 -I -c CODE x", Some(3..4)),
            ("python3.12 -cCODE", Some(1..2)),
            ("node -e CODE", Some(2..3)),
            ("node --eval=CODE", Some(1..2)),
            ("perl -ne CODE f", Some(2..3)),
            ("ruby -e CODE", Some(2..3)),
            ("sh script.sh -c x", None),
            ("python3 script.py -c x", None),
            ("node -r m script.js -e x", None),
            ("grep -c x", None),
            ("echo sh -c x", None),
            ("powershell -File x.ps1", None),
            ("sh -c", None),
            ("", None),
        ] {
            let words: Vec<&str> = command.split_whitespace().collect();
            let found = find(&words).map(|script| script.words);
            assert_eq!(found, expect, "{command}");
        }
    }
}
