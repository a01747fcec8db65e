//! The `buildproxy` command.
fn main() {}
