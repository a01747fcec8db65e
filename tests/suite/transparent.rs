//! Programs that know of no proxy, in a network where every address is buildproxy's.

use std::{fs, process::Command};

use crate::support::{Origin, Ran, Scene, need, run};

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n")];

/// `buildproxy capture --transparent` of a shell script. A proxy that is set would lead nowhere.
fn capture(scene: &Scene, origin: &Origin, script: &str) -> Ran {
    let odd = format!(":8443:127.0.0.1:{}", origin.https_port());
    let arguments = ["--transparent", "--connect-to", &odd, "--"];
    let mut command = scene.capture(origin, &arguments);
    command.args(["sh", "-ec", script]);
    for variable in ["http_proxy", "HTTPS_PROXY", "ALL_PROXY", "npm_config_proxy"] {
        command.env(variable, "http://127.0.0.1:9");
    }
    run(&mut command)
}

/// `buildproxy replay --transparent` of a shell script, where there is no network.
fn replay(scene: &Scene, inventory: &str, script: &str) -> Ran {
    let mut command = scene.offline(env!("CARGO_BIN_EXE_buildproxy"));
    command.args([
        "replay",
        inventory,
        "--transparent",
        "--",
        "sh",
        "-ec",
        script,
    ]);
    run(&mut command)
}

/// Captures and replays a script of commands that print what they get, `hello` each.
fn round(ways: &[&str]) -> String {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = ways.join("\n");
    let captured = capture(&scene, &origin, &script).ok();
    assert_eq!(captured.stdout, "hello\n".repeat(ways.len()));
    drop(origin);
    let replayed = replay(&scene, "proxy_content.nix", &script).ok();
    assert_eq!(replayed.stdout, captured.stdout);
    scene.read("proxy_content.nix")
}

/// A replay of nothing, with what a script says on standard output.
fn inside(script: &str) -> String {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    replay(&scene, "m.json", script).ok().stdout
}

#[test]
fn clients_need_to_know_of_no_proxy() {
    need("node", "nodejs");
    need("wget", "wget");
    let inventory = round(&[
        "curl -sSf https://curl.example.org/hello",
        "curl -sSf http://curl.example.org/hello",
        "wget -qO- https://wget.example.org/hello",
        r#"python3 -c 'import urllib.request as r; print(r.urlopen("https://python.example.org/hello").read().decode(), end="")'"#,
        r#"node -e 'fetch("https://fetch.example.org/hello").then(a => a.text()).then(t => process.stdout.write(t))'"#,
        r#"node -e 'require("https").get("https://node.example.org/hello", a => a.pipe(process.stdout))'"#,
        r#"node -e 'require("http").get("http://node.example.org/hello", a => a.pipe(process.stdout))'"#,
    ]);
    for url in [
        "https://curl.example.org/hello",
        "http://curl.example.org/hello",
        "https://wget.example.org/hello",
        "https://python.example.org/hello",
        "https://fetch.example.org/hello",
        "https://node.example.org/hello",
        "http://node.example.org/hello",
    ] {
        assert!(
            inventory.contains(&format!("url = \"{url}\"")),
            "{inventory}"
        );
    }
}

#[test]
fn every_name_address_and_port_is_understood() {
    let inventory = round(&[
        "curl -sSf https://odd.example.org:8443/hello",
        "curl -sSf -6 https://six.example.org/hello",
        "curl -sSf -4 --http1.1 https://four.example.org/hello",
        "curl -sSf -0 -H Host: http://no-host.example.org/hello",
        "curl -sSf -H 'Host: other.example.org' http://meant.example.org/hello",
        "curl -sSf http://192.0.2.7/hello",
        "curl -sSf -g 'http://[2001:db8::7]/hello'",
        // An address that the client knew by itself.
        "curl -sSf --resolve known.example.org:80:192.0.2.8 http://known.example.org/hello",
        "curl -sSf --resolve known.example.org:443:192.0.2.8 https://known.example.org/hello",
        // A proxy of the client's own settings.
        "curl -sSf -x http://proxy.example.org:3128 http://proxied.example.org/hello",
        "curl -sSf -x http://proxy.example.org:3128 https://proxied.example.org/hello",
    ]);
    for url in [
        "https://odd.example.org:8443/hello",
        "https://six.example.org/hello",
        "https://four.example.org/hello",
        "http://no-host.example.org/hello",
        "http://meant.example.org/hello",
        "http://192.0.2.7/hello",
        "http://[2001:db8::7]/hello",
        "http://known.example.org/hello",
        "https://known.example.org/hello",
        "http://proxied.example.org/hello",
        "https://proxied.example.org/hello",
    ] {
        assert!(
            inventory.contains(&format!("url = \"{url}\"")),
            "{url}: {inventory}"
        );
    }
    assert!(!inventory.contains("other.example.org"), "{inventory}");
}

#[test]
fn an_address_has_a_certificate() {
    let scene = Scene::new();
    scene.write(
        "m.json",
        r#"[{"url":"https://192.0.2.7/x","status_code":204},
            {"url":"https://[2001:db8::7]:8443/x","status_code":204}]"#,
    );
    let script = "curl -sSf https://192.0.2.7/x; curl -sSf -g 'https://[2001:db8::7]:8443/x'";
    replay(&scene, "m.json", script).ok();
}

#[test]
fn http_2_is_spoken() {
    let said =
        inside("curl -sS -o /dev/null -w '%{http_version} %{http_code}' https://a.example.org/x");
    assert_eq!(said, "2 403");
}

#[test]
fn what_is_asked_in_vain_is_a_miss() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let mut command = scene.buildproxy(&["replay", "m.json", "--transparent", "--strict", "--"]);
    command.args(["curl", "-sS", "http://a.example.org/x"]);
    run(&mut command)
        .ends_with(4)
        .says("GET http://a.example.org/x");
}

/// Without one variable: the bundle lies over the system's, and in the folder beside it.
#[test]
fn the_systems_certificates_are_ours() {
    need("openssl", "openssl");
    let said = inside(
        "unset CURL_CA_BUNDLE SSL_CERT_FILE NIX_SSL_CERT_FILE; code='-sS -o /dev/null -w %{http_code}\\n'
         curl $code --cacert /etc/ssl/certs/ca-certificates.crt --capath /dev/null https://a.example.org/
         openssl x509 -noout -subject_hash -in \"${GIT_SSL_CAINFO%/*}/authority.crt\"
         cmp \"${GIT_SSL_CAINFO%/*}/authority.crt\" /etc/ssl/certs/bec0b8e5.0",
    );
    assert_eq!(said, "403\nbec0b8e5\n");
}

#[test]
fn the_user_stays_who_they_are_and_has_no_privileges() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let script = "id -u; id -g; grep -E '^(Cap|NoNewPrivs)' /proc/self/status; env | grep -ciE '(http|https|all|no|config)_proxy=' || :";
    let mut command = scene.buildproxy(&["replay", "m.json", "--transparent", "--"]);
    let said = run(command.args(["sh", "-c", script])).ok().stdout;
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    let mut expected = vec![user.as_raw().to_string(), group.as_raw().to_string()];
    let sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    expected.extend(sets.map(|set| format!("{set}:\t{:016x}", 0)));
    expected.extend(["NoNewPrivs:\t1".to_owned(), "0".to_owned()]);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn servers_of_the_build_are_its_own() {
    let said = inside(
        r#"
        echo mine > mine
        python3 - <<'END'
import functools, http.server, threading, urllib.request
class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(*_): pass
class Server6(http.server.HTTPServer):
    address_family = 10
for kind, bound, asked in [
    (http.server.HTTPServer, "127.0.0.1", "127.0.0.1"),
    (http.server.HTTPServer, "127.0.0.1", "localhost"),
    (http.server.HTTPServer, "0.0.0.0", "198.18.0.1"),
    (Server6, "::1", "[::1]"),
]:
    server = kind((bound, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://{asked}:{server.server_address[1]}/mine"
    print(urllib.request.urlopen(url).read().decode(), end="")
    server.shutdown()
END"#,
    );
    assert_eq!(said, "mine\n".repeat(4));
}

#[test]
fn this_machine_is_not_reached() {
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let script = format!("curl -sS https://127.0.0.1:{}/hello", origin.https_port());
    let mut command = scene.capture(&origin, &["--transparent", "--", "sh", "-c"]);
    // Curl's status where nobody listens.
    run(command.arg(script)).ends_with(7);
    assert!(origin.asked().is_empty());
}

#[test]
fn what_is_not_http_is_refused_and_named() {
    need("ssh", "openssh-client");
    let script = r#"
if timeout 30 ssh -o BatchMode=yes a@ssh.example.org; then exit 1; else [ $? = 255 ]; fi
python3 -c '
import socket
for host, port, said in ("git.example.org", 22, b"SSH-2.0-x\r\n"), ("192.0.2.9", 9418, b"0033git-upload-pack /a\0"):
    server = socket.create_connection((host, port), 30)
    server.sendall(said)
    assert not server.recv(100).startswith(b"SSH")
'"#;
    let scene = Scene::new();
    let origin = Origin::with_texts(HELLO);
    let captured = capture(&scene, &origin, script).ok();
    scene.write("m.json", "[]");
    let replayed = replay(&scene, "m.json", script).ok();
    for ran in [captured, replayed] {
        ran.says("a connection to 'ssh.example.org:22' spoke neither HTTP nor TLS")
            .says("a connection to 'git.example.org:22' spoke neither HTTP nor TLS")
            .says("a connection to '192.0.2.9:9418' spoke neither HTTP nor TLS");
    }
}

#[test]
fn every_name_has_an_address() {
    need("python3", "python3");
    // Whoever the system asks, as some programs do whatever else is said.
    let settings = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let named = settings
        .lines()
        .find_map(|line| line.strip_prefix("nameserver "));
    let script = r#"
        getent ahostsv4 a.example.org | head -n1 | cut -d' ' -f1
        getent ahostsv6 A.example.org | head -n1 | cut -d' ' -f1
        getent hosts 198.18.1.0 | tr -s ' ' | cut -d' ' -f2
        getent ahostsv4 localhost | head -n1 | cut -d' ' -f1
        getent ahostsv4 a.invalid || echo none
        python3 - <<'END'
import socket, struct
def ask(kind, name):
    labels = b"".join(bytes([len(l)]) + l for l in name.split(b".")) + b"\0"
    return struct.pack(">6H", 77, 0x100, 1, 0, 0, 0) + labels + struct.pack(">2H", kind, 1)
def show(answer):
    print(*struct.unpack(">4H", answer[:8]), answer[-4:].hex())
for server in "127.0.0.1", "192.0.2.53", "NAMED":
    udp = socket.socket(10 if ":" in server else 2, socket.SOCK_DGRAM)
    udp.settimeout(10)
    udp.connect((server, 53))
    udp.send(ask(1, b"a.example.org"))
    show(udp.recv(512))
    tcp = socket.create_connection((server, 53), 10)
    question = ask(1, b"a.example.org")
    tcp.sendall(struct.pack(">H", len(question)) + question)
    show(tcp.recv(512)[2:])
udp.send(ask(15, b"a.example.org"))
show(udp.recv(512))
END"#;
    let said = inside(&script.replace("NAMED", named.unwrap_or("127.0.0.1").trim()));
    let expected = "198.18.1.0\nfd62:7072:6f78:7900::100\na.example.org\n127.0.0.1\nnone\n";
    let address = "77 33152 1 1 c6120100\n".repeat(6);
    assert_eq!(said, format!("{expected}{address}77 33152 1 0 000f0001\n"));
}

/// Whoever tries HTTP/3 is told at once that there is none.
#[test]
fn there_is_no_quic() {
    let said = inside(
        r#"python3 -c '
import socket
udp = socket.socket(type=socket.SOCK_DGRAM)
udp.connect(("a.example.org", 443))
try:
    udp.send(b"x"), udp.settimeout(10), udp.recv(1)
except ConnectionRefusedError:
    print("refused")'"#,
    );
    assert_eq!(said, "refused\n");
}

#[test]
fn nothing_remains() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let mounts = || fs::read_to_string("/proc/self/mountinfo").unwrap();
    let before = mounts();
    let mut command = scene.buildproxy(&["replay", "m.json", "--transparent", "--"]);
    let script =
        "readlink /proc/self/ns/net /proc/self/ns/mnt; grep -c buildproxy /proc/self/mountinfo";
    let said = run(command.args(["sh", "-c", script])).ok().stdout;
    assert_eq!(before, mounts());
    let namespaces: Vec<_> = said.lines().take(2).collect();
    for process in fs::read_dir("/proc").unwrap() {
        for kind in ["net", "mnt"] {
            let link = process.as_ref().unwrap().path().join("ns").join(kind);
            // What is no process, or has ended, or is not ours.
            let Ok(link) = fs::read_link(link) else {
                continue;
            };
            assert!(!namespaces.contains(&link.to_str().unwrap()));
        }
    }
    let left = fs::read_dir(scene.root().join("tmp")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn the_command_is_the_users() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let run_it = |command: &[&str]| {
        let mut buildproxy = scene.buildproxy(&["replay", "m.json", "--transparent", "--"]);
        run(buildproxy.args(command))
    };
    run_it(&["sh", "-c", "exit 7"]).ends_with(7);
    run_it(&["sh", "-c", "kill -TERM $$"]).ends_with(128 + 15);
    run_it(&["no-such-program"])
        .ends_with(1)
        .says("failed to run 'no-such-program': No such file or directory");
    let script = r#"printf in | "$0" replay m.json --transparent -- cat"#;
    let mut piped = scene.command("sh");
    piped.args(["-c", script, env!("CARGO_BIN_EXE_buildproxy")]);
    assert_eq!(run(&mut piped).ok().stdout, "in");
}

#[test]
fn without_user_namespaces_it_says_what_to_do() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let script = r#"echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" replay m.json --transparent -- true"#;
    let mut command: Command = scene.command("unshare");
    command.args(["--user", "--map-root-user", "sh", "-ec", script]);
    command.arg(env!("CARGO_BIN_EXE_buildproxy"));
    run(&mut command)
        .ends_with(1)
        .says("failed to make namespaces for the command")
        .says("hint: transparent mode needs user namespaces");
}

/// As where the kernel has no nftables: the messages about them are the fourth and the fifth.
#[test]
fn without_nftables_two_ports_are_left() {
    need("strace", "strace");
    let scene = Scene::new();
    scene.write(
        "m.json",
        r#"[{"url":"http://192.0.2.7/x","status_code":204}]"#,
    );
    let mut strace = scene.command("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=sendto"]);
    strace.args(["-e", "inject=sendto:error=EOPNOTSUPP:when=4..5"]);
    strace.args([env!("CARGO_BIN_EXE_buildproxy"), "replay", "m.json"]);
    strace.args(["--transparent", "--", "curl", "-sSf", "http://192.0.2.7/x"]);
    run(&mut strace)
        .ok()
        .says("only connections to the ports 80 and 443 lead here");
}
