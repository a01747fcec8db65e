//! Reading a manifest.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| buildproxy_fuzz::manifest(text));
