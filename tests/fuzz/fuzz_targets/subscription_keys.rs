#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| doorbell_targets::subscription_keys(bytes));
