//! Reading a URL, and taking secrets out of it.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| buildproxy_fuzz::url(text));
