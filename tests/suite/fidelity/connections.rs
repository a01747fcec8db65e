//! Connections: what is said on them, byte by byte, and many of them at once.

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpStream},
    process::{Child, ChildStdin, Stdio},
    time::Duration,
};

use crate::support::{
    Framing, Heard, RawOrigin, Reply, Scene, finish, need, ok, redirect, reply, run,
};

/// What a client says to a proxy, and which answers it reads: status and body.
struct Talk {
    name: &'static str,
    said: &'static [&'static str],
    heard: &'static [(u16, &'static str)],
    ends: Ends,
}

/// How the client lets the other side know that it has no more to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// With its last request, by `Connection: close` or HTTP/1.0.
    Saying,
    /// By closing its half of the connection.
    Half,
}

const CONNECTED: (u16, &str) = (200, "");

/// Each piece of what is said is sent when what is there to be heard of the piece before is read, where
/// that is a tunnel; all others are sent at once.
const TALKS: &[Talk] = &[
    Talk {
        name: "an absolute target",
        said: &[
            "GET http://a.example.org/x HTTP/1.1\r\nHost: a.example.org\r\nConnection: close\r\n\r\n",
        ],
        heard: &[(200, "GET /x")],
        ends: Ends::Saying,
    },
    Talk {
        name: "an absolute target, HTTP/1.0, no Host",
        said: &["GET http://a.example.org/x HTTP/1.0\r\n\r\n"],
        heard: &[(200, "GET /x")],
        ends: Ends::Saying,
    },
    Talk {
        name: "another Host than the target's, which counts for nothing",
        said: &[
            "GET http://a.example.org/x HTTP/1.1\r\nHost: other.example.org\r\nConnection: close\r\n\r\n",
        ],
        heard: &[(200, "GET /x")],
        ends: Ends::Saying,
    },
    Talk {
        name: "HTTP/1.0 that is kept alive",
        said: &[
            "GET http://a.example.org/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET http://a.example.org/y HTTP/1.0\r\n\r\n",
        ],
        heard: &[(200, "GET /x"), (200, "GET /y")],
        ends: Ends::Saying,
    },
    Talk {
        name: "many requests at once, answered in their order",
        said: &[
            "GET http://a.example.org/x HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
            "POST http://b.example.org/x HTTP/1.1\r\nHost: b.example.org\r\nContent-Length: 3\r\n\r\none",
            "HEAD http://a.example.org/y HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
            "GET http://a.example.org/none HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
            "GET http://a.example.org/moved HTTP/1.1\r\nHost: a.example.org\r\nConnection: close\r\n\r\n",
        ],
        heard: &[
            (200, "GET /x"),
            (200, "POST /x one"),
            (200, ""),
            (404, "none"),
            (200, "GET /y"),
        ],
        ends: Ends::Saying,
    },
    Talk {
        name: "a client that closes its half",
        said: &["GET http://a.example.org/x HTTP/1.1\r\nHost: a.example.org\r\n\r\n"],
        heard: &[(200, "GET /x")],
        ends: Ends::Half,
    },
    Talk {
        name: "line ends before a request, and a name in other cases",
        said: &[
            "\r\nGET http://A.Example.ORG:80/x HTTP/1.1\r\nhOsT: a.example.org\r\ncONNECTION: Close\r\n\r\n",
        ],
        heard: &[(200, "GET /x")],
        ends: Ends::Saying,
    },
    Talk {
        name: "a body in chunks, with extensions and trailers",
        said: &[
            "PUT http://a.example.org/x HTTP/1.1\r\nHost: a.example.org\r\nTransfer-Encoding: chunked\r\n\
                 Connection: close\r\n\r\n2;a=b\r\non\r\n1\r\ne\r\n0\r\nX-Trailer: 1\r\n\r\n",
        ],
        heard: &[(200, "PUT /x one")],
        ends: Ends::Saying,
    },
    Talk {
        name: "CONNECT of HTTP/1.0 without Host, then GET",
        said: &[
            "CONNECT a.example.org:80 HTTP/1.0\r\n\r\n",
            "GET /x HTTP/1.0\r\n\r\n",
        ],
        heard: &[CONNECTED, (200, "GET /x")],
        ends: Ends::Saying,
    },
    Talk {
        name: "CONNECT, then POST",
        said: &[
            "CONNECT a.example.org:80 HTTP/1.1\r\nHost: a.example.org:80\r\n\r\n",
            "POST /x HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: 3\r\nConnection: close\r\n\r\none",
        ],
        heard: &[CONNECTED, (200, "POST /x one")],
        ends: Ends::Saying,
    },
    Talk {
        name: "CONNECT, then methods that nobody lists",
        said: &[
            "CONNECT a.example.org:80 HTTP/1.1\r\nHost: a.example.org:80\r\n\r\n",
            "PROPFIND /x HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
            "X /x HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
            "DELETE /x HTTP/1.1\r\nHost: a.example.org\r\nConnection: close\r\n\r\n",
        ],
        heard: &[
            CONNECTED,
            (200, "PROPFIND /x"),
            (200, "X /x"),
            (200, "DELETE /x"),
        ],
        ends: Ends::Saying,
    },
    Talk {
        name: "CONNECT, then an absolute target",
        said: &[
            "CONNECT a.example.org:80 HTTP/1.1\r\nHost: a.example.org:80\r\n\r\n",
            "GET http://a.example.org/x HTTP/1.1\r\nHost: a.example.org\r\nConnection: close\r\n\r\n",
        ],
        heard: &[CONNECTED, (200, "GET /x")],
        ends: Ends::Saying,
    },
    Talk {
        name: "CONNECT to a port of its own, and Host without it",
        said: &[
            "CONNECT a.example.org:8080 HTTP/1.1\r\nHost: a.example.org\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: a.example.org\r\nConnection: close\r\n\r\n",
        ],
        heard: &[CONNECTED, (200, "GET /x on 8080")],
        ends: Ends::Saying,
    },
    Talk {
        name: "a body that is not sent whole",
        said: &[
            "POST http://a.example.org/x HTTP/1.1\r\nHost: a.example.org\r\nContent-Length: 9\r\n\r\nhalf",
        ],
        heard: &[],
        ends: Ends::Half,
    },
];

#[test]
fn what_is_said_is_understood() {
    let scene = Scene::new();
    let origin = RawOrigin::start(origin);
    let capture = Background::start(&scene, &origin);
    let mut report = String::new();
    for talk in TALKS {
        compare(talk, "captured", &capture.address, &mut report);
    }
    capture.end();
    assert!(!scene.read("proxy_content.nix").contains("half"));
    drop(origin);
    let replay = scene.daemon("proxy_content.nix", &[]);
    for talk in TALKS {
        compare(talk, "replayed", replay.address(), &mut report);
    }
    assert!(report.is_empty(), "{report}");
}

fn origin(heard: &Heard) -> Reply {
    if !heard.host.starts_with("a.") && !heard.host.starts_with("b.") {
        return reply(500, heard.host.clone());
    }
    match heard.target.as_str() {
        "/none" => reply(404, "none"),
        "/moved" => redirect(301, "/y"),
        target => {
            let mut said = format!("{} {target}", heard.method);
            if !heard.body.is_empty() {
                write!(said, " {}", String::from_utf8_lossy(&heard.body)).unwrap();
            }
            if heard.host.ends_with(":8080") {
                said.push_str(" on 8080");
            }
            ok(said).with("content-type", "application/octet-stream")
        }
    }
}

fn compare(talk: &Talk, way: &str, proxy: &str, report: &mut String) {
    let mut stream = TcpStream::connect(proxy).unwrap();
    let limit = Some(Duration::from_secs(20));
    stream.set_read_timeout(limit).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut heard = Vec::new();
    for said in talk.said {
        stream.write_all(said.as_bytes()).unwrap();
        if said.starts_with("CONNECT") {
            heard.extend(hear(&mut reader, "CONNECT"));
        }
    }
    if talk.ends == Ends::Half {
        stream.shutdown(Shutdown::Write).unwrap();
    }
    for said in talk.said.iter().filter(|said| !said.starts_with("CONNECT")) {
        heard.extend(hear(&mut reader, said));
    }
    let mut rest = Vec::new();
    // What a client did not finish may end in a reset.
    let _ = reader.read_to_end(&mut rest);
    // A request that was not whole may get an answer, but none of upstream's.
    heard.retain(|(status, _)| !(talk.heard.is_empty() && *status == 400));
    let expected: Vec<(u16, String)> = talk
        .heard
        .iter()
        .map(|(status, body)| (*status, (*body).to_owned()))
        .collect();
    if heard != expected || !rest.is_empty() {
        let rest = String::from_utf8_lossy(&rest);
        writeln!(report, "{} {way}: {heard:?}, and then {rest:?}", talk.name).unwrap();
    }
}

/// Reads the answer to a request; `None` at the end of the connection.
fn hear(reader: &mut BufReader<TcpStream>, said: &str) -> Option<(u16, String)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let status = head.split(' ').nth(1)?.parse().unwrap();
    let lower = head.to_ascii_lowercase();
    let mut body = Vec::new();
    if said.starts_with("CONNECT") || said.starts_with("HEAD") {
        // There is none.
    } else if let Some((_, length)) = lower.split_once("content-length: ") {
        let length = length.split("\r\n").next().unwrap();
        body.resize(length.parse().unwrap(), 0);
        reader.read_exact(&mut body).ok()?;
    } else {
        reader.read_to_end(&mut body).ok()?;
    }
    Some((status, String::from_utf8(body).unwrap()))
}

/// A capture that goes on until it is told to end.
struct Background {
    child: Child,
    stdin: ChildStdin,
    address: String,
}

impl Background {
    fn start(scene: &Scene, origin: &RawOrigin) -> Self {
        let mut capture = scene.buildproxy(&["capture", "--no-prefill"]);
        capture.args(origin.connect_to());
        capture.env("SSL_CERT_FILE", origin.ca());
        capture.args([
            "--",
            "sh",
            "-c",
            r#"echo "${http_proxy#http://}"; exec cat"#,
        ]);
        capture.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = capture.stderr(Stdio::piped()).spawn().unwrap();
        let mut address = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut address).unwrap();
        Self {
            stdin: child.stdin.take().unwrap(),
            child,
            address: address.trim().to_owned(),
        }
    }

    fn end(self) {
        drop(self.stdin);
        finish(self.child).ok();
    }
}

/// The origin has no certificate for it; that of a replay is made when it is asked for.
#[test]
fn an_address_of_version_6_has_a_certificate() {
    need("curl", "curl");
    let scene = Scene::new();
    scene.write(
        "proxy_content.nix",
        r#"{ }: [ { url = "https://[2001:db8::1]:8443/x"; file = builtins.toFile "x" "hello\n"; } ]"#,
    );
    let script = "curl -sSfg 'https://[2001:DB8::1]:8443/x'";
    assert_eq!(scene.replay_script(script).ok().stdout, "hello\n");
}

#[test]
fn a_hundred_requests_at_once() {
    need("curl", "curl");
    let scene = Scene::new();
    let origin = RawOrigin::start(|heard| {
        let body = format!("{}\n", heard.target).repeat(1000);
        if heard.target.ends_with('7') {
            ok(body).framed(Framing::Chunked)
        } else {
            ok(body)
        }
    });
    // The same URL, and others, over HTTP/2, HTTP/1.1 and http; the checksums of all bodies.
    let script = r#"
        get() { curl -sSf -Z --parallel-max 100 --parallel-immediate "$@"; }
        get 'https://a.example.org/x?[1-100]' -o 'h2-#1'
        get --http1.1 'https://a.example.org/y?[1-100]' -o 'h1-#1'
        get 'http://a.example.org/z?[1-100]' -o 'plain-#1'
        set --; n=1; while [ $n -le 100 ]; do set -- "$@" https://a.example.org/same -o same-$n; n=$((n + 1)); done
        get "$@"
        for f in h2-* h1-* plain-* same-*; do echo $f $(cksum <$f); done; rm h2-* h1-* plain-* same-*"#;
    let mut capture = scene.buildproxy(&["capture", "--no-prefill"]);
    capture
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca());
    let captured = run(capture.args(["--", "sh", "-ec", script])).ok();
    let sums = &captured.stdout;
    assert_eq!(sums.lines().count(), 400);
    drop(origin);
    assert_eq!(scene.replay_script(script).ok().stdout, *sums);
    captured.says("301 downloads captured");
}
