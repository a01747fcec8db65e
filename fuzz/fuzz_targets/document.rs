//! Reading `proxy_content.nix`, and merging into it.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| buildproxy_fuzz::document(text));
