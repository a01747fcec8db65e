//! Why the front door is not hudsucker's: what a proxy of hudsucker does in a replay, beside buildproxy.
//!
//! The proxy is tests/bench/hudsucker, which answers every request that hudsucker lets it see, and connects nowhere
//! by itself.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::support::{Ran, Scene, own_clients, run, wait_for};

/// The least proxy of hudsucker, with the same manifest. It ends when this is dropped.
struct Hudsucker {
    process: Child,
    address: String,
    certificate: PathBuf,
}

impl Hudsucker {
    fn start(scene: &Scene) -> Self {
        let program = own_clients().join("hudsucker/release/buildproxy-hudsucker");
        let certificate = scene.path("hudsucker.crt");
        let mut command = scene.command(program.to_str().unwrap());
        command.arg("replay").arg(scene.path("m.json"));
        command.arg(&certificate).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap_or_else(|error| {
            panic!(
                "{}: {error}; tests/bench/get-hudsucker builds it",
                program.display()
            )
        });
        let mut address = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut address).unwrap();
        Self {
            process,
            address: address.trim().to_owned(),
            certificate,
        }
    }
}

impl Drop for Hudsucker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A scene with a manifest, `m.json`, of one body, `hello`, under each of `urls`.
fn scene(urls: &[&str]) -> Scene {
    let scene = Scene::new();
    scene.write("hello", "hello\n");
    let file = scene.path("hello");
    let entries = urls
        .iter()
        .map(|url| format!(r#"{{"url":"{url}","file":"{}"}}"#, file.display()));
    let entries = entries.collect::<Vec<_>>().join(",");
    scene.write("m.json", &format!("[{entries}]"));
    scene
}

/// Opens a tunnel to `target`, and says something in it.
fn say(proxy: &str, target: &str, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(proxy).unwrap();
    let limit = Some(Duration::from_secs(30));
    stream.set_read_timeout(limit).unwrap();
    write!(
        stream,
        "CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n\r\n"
    )
    .unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 200"));
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

/// What is neither TLS nor begins with GET goes to the network, without a word to the handler.
#[test]
fn hudsucker_connects_in_a_replay_and_buildproxy_does_not() {
    let scene = scene(&[]);
    let hudsucker = Hudsucker::start(&scene);
    let replay = scene.daemon("m.json", &[]);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let target = server.local_addr().unwrap().to_string();
    let post = format!(
        "POST /x HTTP/1.1\r\nhost: {target}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
    );
    for (text, answer) in [("SSH-2.0-OpenSSH_9.2\r\n", ""), (&*post, "HTTP/1.1 403 ")] {
        let mut answered = say(replay.address(), &target, text);
        let mut said = String::new();
        answered.read_to_string(&mut said).unwrap();
        assert!(said.starts_with(answer), "{said}");
        let nobody = server.accept().map(drop).map_err(|error| error.kind());
        assert_eq!(nobody, Err(ErrorKind::WouldBlock));

        let _tunnel = say(&hudsucker.address, &target, text);
        let connected = std::cell::OnceCell::new();
        wait_for(|| {
            server
                .accept()
                .is_ok_and(|(stream, _)| connected.set(stream).is_ok())
        });
        let mut connected = connected.into_inner().unwrap();
        connected.set_nonblocking(false).unwrap();
        let mut heard = vec![0; text.len()];
        connected.read_exact(&mut heard).unwrap();
        assert_eq!(heard, text.as_bytes());
    }
}

/// It names an address as if it were a host name.
#[test]
fn hudsucker_has_no_certificates_for_addresses_and_buildproxy_has() {
    let urls = [
        "https://a.example.org/x",
        "https://192.0.2.7/x",
        "https://[2001:db8::7]/x",
    ];
    let scene = scene(&urls);
    let hudsucker = Hudsucker::start(&scene);
    let replay = scene.daemon("m.json", &[]);
    let ask = |proxy: &str, certificate: &str, url: &str| {
        let mut curl = scene.command("curl");
        curl.args(["-sSf", "-g", "--proxy", proxy, "--cacert", certificate, url]);
        run(&mut curl)
    };
    for (url, status) in urls.into_iter().zip([0, 60, 60]) {
        let ours = ask(replay.address(), replay.variable("SSL_CERT_FILE"), url);
        assert_eq!(ours.ok().stdout, "hello\n", "{url}");
        let certificate = hudsucker.certificate.to_str().unwrap();
        ask(&hudsucker.address, certificate, url).ends_with(status);
    }
}

/// A client whose connection leads to it by itself says TLS at once, which it takes for HTTP. So it does where a
/// client speaks TLS to the proxy itself.
#[test]
fn hudsucker_serves_no_transparent_connections_and_buildproxy_does() {
    const URL: &str = "https://a.example.org/x";
    let scene = scene(&[URL]);
    let hudsucker = Hudsucker::start(&scene);
    let certificate = hudsucker.certificate.to_str().unwrap();
    let ask = |arguments: &[&str]| -> Ran {
        let mut curl = scene.command("curl");
        curl.args(["-sSf", URL, "--cacert", certificate]);
        curl.args(["--proxy-cacert", certificate]);
        run(curl.args(arguments))
    };
    assert_eq!(ask(&["--proxy", &hudsucker.address]).ok().stdout, "hello\n");
    let straight = format!("a.example.org:443:{}", hudsucker.address);
    ask(&["--connect-to", &straight]).ends_with(35);
    let over_tls = format!("https://{}", hudsucker.address);
    ask(&["--proxy", &over_tls]).ends_with(35);

    let mut transparent: Command = scene.offline(env!("CARGO_BIN_EXE_buildproxy"));
    transparent.args(["replay", "m.json", "--transparent", "--"]);
    transparent.args(["curl", "-sSf", URL]);
    assert_eq!(run(&mut transparent).ok().stdout, "hello\n");
    let replay = scene.daemon("m.json", &[]);
    let bundle = replay.variable("SSL_CERT_FILE");
    let mut curl = scene.command("curl");
    curl.args(["-sSf", URL, "--cacert", bundle]);
    curl.args(["--proxy-cacert", bundle, "--proxy"]);
    curl.arg(format!("https://{}", replay.address()));
    assert_eq!(run(&mut curl).ok().stdout, "hello\n");
}
