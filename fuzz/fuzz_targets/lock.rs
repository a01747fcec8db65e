//! Reading another tool's lock.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| buildproxy_fuzz::lock(text));
