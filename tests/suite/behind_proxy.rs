//! A capture on a machine that reaches the world by a proxy.

use crate::support::{Heard, Origin, Ran, RawOrigin, Scene, need, ok, reply, run};

const SCRIPT: &str = "curl -sSf https://files.example.org/hello http://files.example.org/other";

/// Captures with `variables` set, and nothing that leads to an origin.
fn capture(scene: &Scene, variables: &[(&str, String)], script: &str) -> Ran {
    need("curl", "curl");
    let mut capture = scene.buildproxy(&["capture", "--no-prefill", "--", "sh", "-ec", script]);
    run(capture.envs(variables.iter().map(|(name, value)| (name, value))))
}

#[test]
fn the_way_out_is_the_proxy_that_the_environment_names() {
    need("curl", "curl");
    let scene = Scene::new();
    let origin = Origin::with_texts(&[("/hello", "hello\n"), ("/other", "other\n")]);
    // The proxy of this network is another capture: the inner one trusts its authority as any client.
    let inner = format!(
        "{} capture --no-prefill -o inner.nix -- sh -ec '{SCRIPT}'",
        env!("CARGO_BIN_EXE_buildproxy")
    );
    let captured = scene.capture_script(&origin, &inner).ok();
    assert_eq!(captured.stdout, "hello\nother\n");
    assert_eq!(scene.read("inner.nix"), scene.read("proxy_content.nix"));
    captured.says("inner.nix: 2 downloads captured (2 new, 2 pinned, 0 vendored, 0 by redirects)");
}

#[test]
fn the_proxy_gets_its_credentials_and_nobody_else_does() {
    let scene = Scene::new();
    let proxy = RawOrigin::start(|heard| match heard.method.as_str() {
        "CONNECT" => reply(407, ""),
        _ => ok("hello\n"),
    });
    let address = format!("http://user:planted-word@127.0.0.1:{}", proxy.http);
    let variables = [("http_proxy", address.clone()), ("HTTPS_PROXY", address)];
    let script =
        "curl -sSf http://files.example.org/hello; curl -s https://files.example.org/ || :";
    let captured = capture(&scene, &variables, script).ok();
    assert!(captured.stdout.starts_with("hello\n"), "{captured:?}");

    let heard = proxy.heard();
    let of_method = |method: &str| heard.iter().find(|heard| heard.method == method).unwrap();
    let credentials = |heard: &Heard| heard.header("proxy-authorization").map(str::to_owned);
    // user:planted-word
    let expected = Some("Basic dXNlcjpwbGFudGVkLXdvcmQ=".to_owned());
    let plain = of_method("GET");
    assert_eq!(plain.target, "http://files.example.org/hello");
    assert_eq!(credentials(plain), expected);
    let tunnel = of_method("CONNECT");
    assert_eq!(tunnel.target, "files.example.org:443");
    assert_eq!(credentials(tunnel), expected);

    let captured = captured
        .says("https://files.example.org/: client error (Connect): tunnel error: proxy authorization required");
    let inventory = scene.read("proxy_content.nix");
    for text in [&inventory, &captured.stdout, &captured.stderr] {
        assert!(!text.contains("planted-word"), "{text}");
        assert!(!text.contains("dXNlcjpwbGFudGVkLXdvcmQ"), "{text}");
    }
}

#[test]
fn no_proxy_names_what_is_reached_without() {
    let scene = Scene::new();
    let origin = RawOrigin::start(|_| ok("hello\n"));
    let variables = [
        ("http_proxy", "http://127.0.0.1:1".to_owned()),
        ("no_proxy", "example.com,127.0.0.0/8".to_owned()),
    ];
    // Loopback is not captured by itself, so the client is told to.
    let script = format!(
        "curl -sSf --noproxy '' http://127.0.0.1:{}/hello",
        origin.http
    );
    let captured = capture(&scene, &variables, &script).ok();
    assert_eq!(captured.stdout, "hello\n");
}

#[test]
fn a_proxy_of_another_kind_is_named() {
    let scene = Scene::new();
    let variables = [(
        "all_proxy",
        "socks5h://user:planted-word@127.0.0.1:1080".to_owned(),
    )];
    let script = "curl -s https://files.example.org/ || :";
    let captured = capture(&scene, &variables, script).ok();
    captured.says("the proxy socks5h://127.0.0.1:1080/ is not one of http://");
}
