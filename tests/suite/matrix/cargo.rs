//! cargo.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "cargo",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("cargo", "cargo")],
    source: Source::Registry,
    script: r#"
        mkdir home
        for name in config config.toml; do
            cp "${CARGO_HOME:-$HOME/.cargo}/$name" home/ 2>/dev/null || true
        done
        cat >Cargo.toml <<END
[package]
name = "a"
version = "0.1.0"
edition = "2021"
[lib]
path = "lib.rs"
[dependencies]
itoa = "=1.0.15"
END
        touch lib.rs
        CARGO_HOME=$PWD/home cargo fetch --quiet"#,
    results: &["/itoa-1.0.15.crate"],
};
