//! Says what a plain `cargo test` leaves out.

#[cfg(not(feature = "real-programs"))]
#[test]
#[ignore = "they drive real clients and a real Nix: tests/run installs those, and runs all tests"]
fn tests_that_drive_real_programs() {
    panic!(
        "they are compiled with --features real-programs; tests/run does that, and installs what they need"
    );
}
