//! Large bodies pass in constant memory.

use bytes::Bytes;
use http::Response;

use crate::support::{Origin, Scene, run};

/// Bytes of the body.
const LENGTH: u64 = 1 << 30;

/// The most that buildproxy may have had in memory at one time, in KiB.
const PEAK: u64 = 64 << 10;

/// The command that is run downloads, and then looks how much its parent, buildproxy, had at most.
const SCRIPT: &str = r"
    curl -sSf https://a.example.org/large | tail -c 4
    grep VmHWM /proc/$PPID/status";

#[test]
fn a_gibibyte_is_captured_and_replayed_in_64_mebibytes() {
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let origin = Origin::start(move |_| {
        let pieces = std::iter::repeat_n(piece.clone(), 1023);
        let last = [b"\0".repeat((1 << 20) - 4).into(), Bytes::from("end\n")];
        let body = futures_util::stream::iter(pieces.chain(last).map(Ok));
        let mut response = Response::new(buildproxy::proxy::stream(body));
        response
            .headers_mut()
            .insert("content-length", LENGTH.into());
        response
    });
    let scene = Scene::new();
    let captured = scene.capture_script(&origin, SCRIPT).ok();
    check("capture", &captured.stdout);
    drop(origin);
    let replayed =
        run(&mut scene.buildproxy(&["replay", "proxy_content.nix", "--", "sh", "-ec", SCRIPT]));
    check("replay", &replayed.ok().stdout);
}

#[track_caller]
fn check(what: &str, said: &str) {
    let peak = said
        .strip_prefix("end\nVmHWM:")
        .unwrap_or_else(|| panic!("{what}: {said:?}"));
    let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    println!("{what} had {peak} KiB at most");
    assert!(peak < PEAK, "{what} had {peak} KiB");
}
