//! The ways in which clients talk to a proxy.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::support::{Origin, Scene, run};

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n")];

/// Each of curl's ways, in capture and in replay.
#[test]
fn every_way_to_a_proxy_is_understood() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let ways = [
        // An absolute target.
        "curl -sSf http://a.example.org/hello",
        // CONNECT and TLS.
        "curl -sSf https://a.example.org/hello",
        "curl -sSf --http1.1 https://a.example.org/hello",
        // CONNECT and plain HTTP, of any method.
        "curl -sSf -p http://a.example.org/hello",
        "curl -sSf -p -X PUT -d x http://b.example.org/hello",
        // TLS to the proxy, and the same in there.
        r#"curl -sSf --proxy-cacert "$SSL_CERT_FILE" -x "https://${http_proxy#http://}" http://a.example.org/hello"#,
        r#"curl -sSf --proxy-cacert "$SSL_CERT_FILE" -x "https://${http_proxy#http://}" https://a.example.org/hello"#,
        // HTTP/1.0.
        "curl -sSf -0 http://a.example.org/hello",
        // The same over TLS, where it offers nothing else by ALPN.
        "curl -sSf -0 https://a.example.org/hello",
        "curl -sSf --proxy1.0 \"${http_proxy#http://}\" https://a.example.org/hello",
        // By address: curl sends no server name, and the certificate has the address in it.
        "curl -sSf --noproxy '' https://127.0.0.1:PORT/hello",
        "curl -sSf --noproxy '' -g 'http://[2001:db8::1]/hello'",
    ];
    let address = format!("127.0.0.1:{}", origin.https_port());
    let script = ways.join("\n").replace("127.0.0.1:PORT", &address);
    let captured = scene.capture_script(&origin, &script).ok();
    assert_eq!(captured.stdout, "hello\n".repeat(ways.len()));
    let inventory = scene.read("proxy_content.nix");
    for url in [
        &format!("https://{address}/hello"),
        "http://[2001:db8::1]/hello",
    ] {
        assert!(inventory.contains(url), "{inventory}");
    }
    drop(origin);
    let replayed = scene.replay_script(&script).ok();
    assert_eq!(replayed.stdout, captured.stdout);
}

#[test]
fn a_tunnel_of_http_1_0_needs_no_host_header() {
    let scene = Scene::new();
    scene.write(
        "m.json",
        r#"[{"url":"http://a.example.org:8080/x","status_code":204}]"#,
    );
    let replay = scene.daemon("m.json", &[]);
    let mut stream = TcpStream::connect(replay.address()).unwrap();
    // As Python up to 3.11 does.
    stream
        .write_all(b"CONNECT a.example.org:8080 HTTP/1.0\r\n\r\n")
        .unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert!(
        head.ends_with(b" 200"),
        "{:?}",
        String::from_utf8_lossy(&head)
    );
    read_until(&mut stream, b"\r\n\r\n");
    stream.write_all(b"GET /x HTTP/1.0\r\n\r\n").unwrap();
    let answer = read_to_end(&mut stream);
    assert!(
        answer.starts_with("HTTP/1.0 204 ") || answer.starts_with("HTTP/1.1 204 "),
        "{answer}"
    );
}

#[test]
fn requests_may_be_pipelined() {
    let scene = Scene::new();
    scene.write(
        "m.json",
        r#"[{"url":"http://a.example.org/x","status_code":204}]"#,
    );
    let replay = scene.daemon("m.json", &[]);
    let mut stream = TcpStream::connect(replay.address()).unwrap();
    let request = "GET http://a.example.org/x HTTP/1.1\r\nhost: a.example.org\r\n";
    stream
        .write_all(format!("{request}\r\n{request}connection: close\r\n\r\n").as_bytes())
        .unwrap();
    assert_eq!(read_to_end(&mut stream).matches("HTTP/1.1 204 ").count(), 2);
}

#[test]
fn a_request_to_the_proxy_itself_says_what_it_is() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let replay = scene.daemon("m.json", &[]);
    let mut curl = scene.command("curl");
    let asked = run(curl.args(["-sS", "-i", &format!("http://{}/x", replay.address())])).ok();
    assert!(asked.stdout.starts_with("HTTP/1.1 400 "), "{asked:?}");
    assert!(asked.stdout.contains("this is a proxy"), "{asked:?}");
}

/// One listener for all that replay could be lured to connect to.
#[test]
fn replay_opens_no_connection() {
    let scene = Scene::new();
    let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let port = canary.local_addr().unwrap().port();
    let manifest = format!(
        r#"[{{"url":"http://127.0.0.1:{port}/redirect","status_code":302,"headers":{{"location":"http://127.0.0.1:{port}/"}}}}]"#
    );
    scene.write("m.json", &manifest);
    let replay = scene.daemon("m.json", &[]);
    let ask = |text: &str| {
        let mut stream = TcpStream::connect(replay.address()).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };

    let host = format!("host: 127.0.0.1:{port}");
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
    let mut websocket = ask(&format!(
        "GET ws://127.0.0.1:{port}/ HTTP/1.1\r\n{host}\r\n{upgrade}\r\nconnection: close\r\n\r\n"
    ));
    assert!(read_to_end(&mut websocket).starts_with("HTTP/1.1 400 "));
    let mut websocket = ask(&format!(
        "GET http://127.0.0.1:{port}/ HTTP/1.1\r\n{host}\r\n{upgrade}, close\r\n\r\n"
    ));
    assert!(read_until(&mut websocket, b"\r\n\r\n").starts_with("HTTP/1.1 403 "));

    let connect = format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\n{host}\r\n\r\n");
    let mut tunnel = ask(&connect);
    assert!(read_until(&mut tunnel, b"\r\n\r\n").starts_with("HTTP/1.1 200 "));
    tunnel.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
    let started = Instant::now();
    read_to_end(&mut tunnel);
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "it is closed at once"
    );
    let mut tunnel = ask(&connect);
    read_until(&mut tunnel, b"\r\n\r\n");
    tunnel.write_all(&[0, 1, 2, 3, 0xff, b'\n', b'\n']).unwrap();
    read_to_end(&mut tunnel);
    let mut tunnel = ask(&connect);
    read_until(&mut tunnel, b"\r\n\r\n");
    tunnel
        .write_all(format!("GET / HTTP/1.1\r\n{host}\r\n{upgrade}, close\r\n\r\n").as_bytes())
        .unwrap();
    assert!(read_until(&mut tunnel, b"\r\n\r\n").starts_with("HTTP/1.1 403 "));

    let mut redirect = ask(&format!(
        "GET http://127.0.0.1:{port}/redirect HTTP/1.1\r\n{host}\r\nconnection: close\r\n\r\n"
    ));
    assert!(read_to_end(&mut redirect).starts_with("HTTP/1.1 302 "));
    for url in [
        format!("ftp://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}/miss"),
    ] {
        let mut other = ask(&format!(
            "GET {url} HTTP/1.1\r\n{host}\r\nconnection: close\r\n\r\n"
        ));
        let answer = read_to_end(&mut other);
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
    }

    let nobody = canary.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(nobody, Err(std::io::ErrorKind::WouldBlock));
    assert!(
        replay.log().contains("spoke neither HTTP nor TLS"),
        "{}",
        replay.log()
    );
}

#[test]
fn a_websocket_is_refused_by_capture_and_reported() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = "curl -sS --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' https://a.example.org/hello";
    let captured = scene.capture_script(&origin, script).ok();
    captured.says("skipped: https://a.example.org/hello was asked for as a WebSocket");
    assert!(origin.asked().is_empty());
}

#[test]
fn a_client_that_does_not_trust_the_authority_is_reported() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script =
        "env -u SSL_CERT_FILE -u CURL_CA_BUNDLE curl -sS https://a.example.org/hello || true";
    let captured = scene.capture_script(&origin, script).ok();
    captured.says("a TLS connection to 'a.example.org' failed, so the client may not trust");
}

fn read_until(stream: &mut TcpStream, end: &[u8]) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(end) && stream.read(&mut byte).unwrap() == 1 {
        read.push(byte[0]);
    }
    String::from_utf8_lossy(&read).into_owned()
}

fn read_to_end(stream: &mut TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Ok(_) => {}
        // What it was sent and did not read.
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    String::from_utf8_lossy(&read).into_owned()
}
