//! libFuzzer's way to the laws of templates.

#![no_main]

use agentspace_fuzz::laws;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| laws::template::check(bytes));
