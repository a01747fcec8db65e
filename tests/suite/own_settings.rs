//! Clients that are set to a proxy of their own, which beats the environment: they are captured and replayed all
//! the same, and a capture goes on by the proxy that they name.

use crate::support::{Origin, Ran, RawOrigin, Scene, need, ok, own_clients, run};

/// A client, its own settings, and a script for sh that downloads.
struct Case {
    needs: (&'static str, &'static str),
    /// Files, in the home where they begin with `~/`. `PROXY` is the proxy's URL, `HOST` and `PORT` are its
    /// parts, and `HERE` is the work folder.
    settings: &'static [(&'static str, &'static str)],
    variables: &'static [(&'static str, &'static str)],
    /// It may fail, for all that it has to download.
    script: &'static str,
    /// What it downloads, at least.
    url: &'static str,
}

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n")];

/// A proxy that is not there.
const DEAD: &str = "127.0.0.1:1";

/// Replaces what stands for the proxy.
fn fill(text: &str, scene: &Scene, address: &str) -> String {
    let (host, port) = address.split_once(':').unwrap();
    let here = scene.path("").display().to_string();
    text.replace("PROXY", &format!("http://{address}"))
        .replace("HOST", host)
        .replace("PORT", port)
        .replace("HERE", here.trim_end_matches('/'))
}

impl Case {
    fn command(&self, scene: &Scene, verb: &[&str], address: &str) -> std::process::Command {
        for (path, text) in self.settings {
            let path = path.replace("~/", "../home/");
            scene.write(&path, &fill(text, scene, address));
        }
        let mut command = scene.buildproxy(verb);
        for (name, value) in self.variables {
            command.env(name, fill(value, scene, address));
        }
        command.env("CLIENTS", own_clients());
        // cargo itself, and not what looks for one in a home.
        command.env("CARGO", std::env::var_os("CARGO").unwrap());
        command.env("REGISTRY", "https://npm.example.org");
        command
    }

    /// Captures, with a proxy at `address`.
    fn capture(&self, scene: &Scene, origin: &Origin, direct: &[String], address: &str) -> Ran {
        let mut capture = self.command(scene, &["capture", "--no-prefill"], address);
        capture.env("SSL_CERT_FILE", origin.ca()).args(direct);
        run(capture.args(["--", "sh", "-c", self.script]))
    }
}

/// Captures by the proxy that is named, which is the only way there; then without it, where it is not there; and
/// replays, with nothing there.
#[track_caller]
fn round(case: &Case) {
    need(case.needs.0, case.needs.1);
    let origin = Origin::with_texts(HELLO);
    let live = Scene::new();
    let address = origin.as_proxy().replace("http://", "");
    let captured = case.capture(&live, &origin, &[], &address);
    let inventory = live.read("proxy_content.nix");
    assert!(inventory.contains(case.url), "{captured:#?}\n{inventory}");
    assert!(
        origin.asked().iter().any(|asked| asked.url == case.url),
        "{captured:#?}"
    );

    let dead = Scene::new();
    let captured = case.capture(&dead, &origin, &origin.connect_to(), DEAD);
    let inventory = dead.read("proxy_content.nix");
    assert!(inventory.contains(case.url), "{captured:#?}\n{inventory}");
    captured.says(&format!("warning: the proxy http://{DEAD}, which "));

    drop(origin);
    let verb = ["replay", "--strict", "proxy_content.nix"];
    let mut replay = case.command(&live, &verb, &address);
    let replayed = run(replay.args(["--", "sh", "-c", case.script]));
    assert_ne!(replayed.status, 4, "{replayed:#?}");
    let silent = "no request was answered";
    assert!(!replayed.stderr.contains(silent), "{replayed:#?}");
}

#[test]
fn a_curlrc_does_not_lead_past() {
    round(&Case {
        needs: ("curl", "curl"),
        settings: &[("~/.curlrc", "proxy = PROXY\nnoproxy = example.com\n")],
        variables: &[],
        script: "curl -sSf https://a.example.org/hello",
        url: "https://a.example.org/hello",
    });
}

#[test]
fn a_wgetrc_does_not_lead_past() {
    round(&Case {
        needs: ("wget", "wget"),
        settings: &[("~/.wgetrc", "https_proxy = PROXY\nno_proxy = example.com\n")],
        variables: &[],
        script: "wget -qO- https://a.example.org/hello",
        url: "https://a.example.org/hello",
    });
}

#[test]
fn a_wget2rc_does_not_lead_past() {
    round(&Case {
        needs: ("wget2", "wget2"),
        settings: &[("~/.wget2rc", "https-proxy = PROXY\n")],
        variables: &[],
        script: "wget2 -qO- https://a.example.org/hello",
        url: "https://a.example.org/hello",
    });
}

#[test]
fn a_gitconfig_does_not_lead_past() {
    round(&Case {
        needs: ("git", "git"),
        settings: &[("~/.gitconfig", "[http]\n\tproxy = PROXY\n")],
        variables: &[],
        script: "git ls-remote https://a.example.org/hello",
        url: "https://a.example.org/hello/info/refs?service=git-upload-pack",
    });
}

/// What says more of a URL goes before what says less, wherever it stands.
#[test]
fn a_gitconfig_for_one_host_does_not_lead_past() {
    round(&Case {
        needs: ("git", "git"),
        settings: &[
            (
                "~/.gitconfig",
                "[include]\n\tpath = more\n[http]\n\tproxy = PROXY\n",
            ),
            (
                "~/more",
                "[http \"https://a.example.org\"]\n\tproxy = PROXY\n",
            ),
        ],
        variables: &[],
        script: "git ls-remote https://a.example.org/hello",
        url: "https://a.example.org/hello/info/refs?service=git-upload-pack",
    });
}

#[test]
fn the_proxy_of_a_remote_does_not_lead_past() {
    round(&Case {
        needs: ("git", "git"),
        settings: &[
            (
                ".git/config",
                "[core]\n\trepositoryformatversion = 0\n[remote \"origin\"]\n\
             \turl = https://a.example.org/hello\n\tproxy = PROXY\n",
            ),
            (".git/HEAD", "ref: refs/heads/main\n"),
            (".git/objects/.keep", ""),
            (".git/refs/.keep", ""),
        ],
        variables: &[],
        script: "git fetch",
        url: "https://a.example.org/hello/info/refs?service=git-upload-pack",
    });
}

#[test]
fn variables_of_git_are_kept() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    scene.write(
        "../home/.gitconfig",
        "[http]\n\tproxy = http://127.0.0.1:1\n",
    );
    let script = "git config my.own; git config http.proxy; git config user.name";
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "sh", "-c", script]);
    replay.env("GIT_CONFIG_COUNT", "2");
    for (number, key, value) in [(0, "my.own", "kept"), (1, "user.name", "me")] {
        replay.env(format!("GIT_CONFIG_KEY_{number}"), key);
        replay.env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    let shown = run(&mut replay).ok().stdout;
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!((lines[0], lines[2]), ("kept", "me"), "{shown}");
    assert!(lines[1].starts_with("http://127.0.0.1:") && lines[1] != "http://127.0.0.1:1");
}

#[test]
fn a_pip_conf_does_not_lead_past() {
    round(&Case {
        needs: ("pip", "python3-pip"),
        settings: &[("~/.config/pip/pip.conf", "[global]\nproxy = PROXY\n")],
        variables: &[],
        script: "$CLIENTS/python/bin/pip download --retries 0 --no-cache-dir \
                 --index-url https://p.example.org hello",
        url: "https://p.example.org/hello/",
    });
}

#[test]
fn an_npmrc_does_not_lead_past() {
    round(&Case {
        needs: ("npm", "npm"),
        settings: &[(
            ".npmrc",
            "registry=https://npm.example.org\nhttps-proxy=PROXY\nnoproxy=example.com\n",
        )],
        variables: &[],
        script: "npm view --fetch-retries 0 hello",
        url: "https://npm.example.org/hello",
    });
}

#[test]
fn hosts_that_npm_reaches_without_a_proxy_are_captured() {
    need("npm", "npm");
    let scene = Scene::new();
    scene.write(
        ".npmrc",
        "registry=https://npm.example.org\nnoproxy=example.org\n",
    );
    let origin = Origin::with_texts(HELLO);
    scene.capture_script(&origin, "npm view --fetch-retries 0 hello || :");
    let inventory = scene.read("proxy_content.nix");
    assert!(inventory.contains("https://npm.example.org/hello"));
}

#[test]
fn a_yarnrc_yml_does_not_lead_past() {
    round(&Case {
        needs: ("node", "nodejs"),
        settings: &[
            (
                ".yarnrc.yml",
                "npmRegistryServer: https://npm.example.org\nhttpsProxy: PROXY\nhttpRetry: 0\n",
            ),
            ("package.json", "{}"),
            ("yarn.lock", ""),
        ],
        variables: &[],
        script: "$CLIENTS/yarn4/node_modules/.bin/yarn npm info hello",
        url: "https://npm.example.org/hello",
    });
}

#[test]
fn a_cargo_config_does_not_lead_past() {
    round(&Case {
        needs: ("cargo", "cargo"),
        settings: &[
            (
                ".cargo/config.toml",
                "[http]\nproxy = \"PROXY\"\n[registries.mine]\nindex = \"sparse+https://r.example.org/\"\n",
            ),
            (
                "Cargo.toml",
                "[package]\nname = \"a\"\nversion = \"0.1.0\"\n[lib]\npath = \"lib.rs\"\n\
                 [dependencies]\nhello = { version = \"1\", registry = \"mine\" }\n",
            ),
            ("lib.rs", ""),
        ],
        variables: &[],
        script: "$CARGO fetch",
        url: "https://r.example.org/config.json",
    });
}

#[test]
fn a_gemrc_does_not_lead_past() {
    round(&Case {
        needs: ("gem", "ruby"),
        settings: &[(
            "~/.gemrc",
            "http_proxy: PROXY\ninstall: --no-document --http-proxy PROXY\n",
        )],
        variables: &[],
        script: "gem install --clear-sources --source https://gems.example.org --install-dir gems hello",
        url: "https://gems.example.org/specs.4.8.gz",
    });
}

#[test]
fn an_renviron_does_not_lead_past() {
    round(&Case {
        needs: ("Rscript", "r-base-core"),
        settings: &[("~/.Renviron", "https_proxy=PROXY\n")],
        variables: &[],
        script: "Rscript -e 'download.file(\"https://a.example.org/hello\", \"got\")'",
        url: "https://a.example.org/hello",
    });
}

/// The files of the system are read after the one that `APT_CONFIG` names.
#[test]
fn an_apt_conf_of_the_system_does_not_lead_past() {
    round(&Case {
        needs: ("apt-get", "apt"),
        settings: &[
            (
                "parts/50proxy",
                "Acquire { https { Proxy \"PROXY\"; }; };\n",
            ),
            (
                "apt.conf",
                "Dir::Etc::parts \"HERE/parts\";\nAcquire::https::Proxy \"PROXY\";\n",
            ),
            (
                "sources.list",
                "deb [trusted=yes] https://deb.example.org ./\n",
            ),
        ],
        variables: &[("APT_CONFIG", "HERE/apt.conf")],
        script:
            "mkdir -p lists/partial cache/archives/partial
            apt-get -q -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache \\
                -o Dir::Etc::SourceList=$PWD/sources.list -o Dir::Etc::SourceParts=/dev/null \\
                -o Dir::State::status=/dev/null -o APT::Sandbox::User= -o Acquire::Retries=0 update",
        url: "https://deb.example.org/./InRelease",
    });
}

/// Options on a command line, which this variable's are, go before those of `JAVA_TOOL_OPTIONS`.
#[test]
fn options_of_java_do_not_lead_past() {
    round(&Case {
        needs: ("java", "default-jdk-headless"),
        settings: &[(
            "Get.java",
            "public class Get {
               public static void main(String[] arguments) throws Exception {
                 java.net.URI.create(arguments[0]).toURL().openStream().transferTo(System.out);
               }
             }",
        )],
        variables: &[(
            "JDK_JAVA_OPTIONS",
            "-Dhttps.proxyHost=HOST -Dhttps.proxyPort=PORT",
        )],
        script: "java Get.java https://a.example.org/hello",
        url: "https://a.example.org/hello",
    });
}

#[test]
fn gradle_properties_do_not_lead_past() {
    round(&Case {
        needs: ("gradle", "gradle"),
        settings: &[
            (
                "~/.gradle/gradle.properties",
                "systemProp.https.proxyHost=HOST\nsystemProp.https.proxyPort=PORT\n",
            ),
            ("settings.gradle", ""),
            (
                "build.gradle",
                "repositories { maven { url 'https://maven.example.org' } }
                 configurations { libraries }
                 dependencies { libraries 'a:b:1' }
                 task fetch(type: Copy) { from configurations.libraries; into 'libraries' }",
            ),
        ],
        variables: &[],
        script: "gradle --no-daemon -q fetch",
        url: "https://maven.example.org/a/b/1/b-1.pom",
    });
}

/// Others go by the proxy that the environment names, or by none.
#[test]
fn each_client_goes_on_by_its_own_proxy() {
    need("curl", "curl");
    need("wget", "wget");
    let scene = Scene::new();
    let (of_curl, of_environment) = (Origin::with_texts(HELLO), Origin::with_texts(HELLO));
    scene.write(
        "../home/.curlrc",
        &format!("proxy = {}\n", of_curl.as_proxy()),
    );
    let script = "curl -sSf http://a.example.org/hello; wget -qO- http://b.example.org/hello";
    // Each is asked for once.
    let mut capture = scene.buildproxy(&["capture", "--no-prefill", "--no-verify"]);
    capture.args(["--", "sh", "-ec", script]);
    capture.env("http_proxy", of_environment.as_proxy());
    let captured = run(&mut capture).ok().says("2 downloads captured (2 new, ");
    assert_eq!(captured.stdout, "hello\nhello\n");
    let asked = |origin: &Origin| {
        let asked = origin.asked().into_iter();
        asked.map(|asked| asked.url).collect::<Vec<_>>()
    };
    assert_eq!(asked(&of_curl), ["http://a.example.org/hello"]);
    assert_eq!(asked(&of_environment), ["http://b.example.org/hello"]);
}

#[test]
fn the_proxy_of_a_setting_gets_its_credentials() {
    need("curl", "curl");
    let scene = Scene::new();
    let proxy = RawOrigin::start(|_| ok("hello\n"));
    let curlrc = format!(
        "proxy = 127.0.0.1:{}\nproxy-user = \"user:planted-word\"\n",
        proxy.http
    );
    scene.write("../home/.curlrc", &curlrc);
    let script = "curl -sSf http://a.example.org/hello";
    let mut capture = scene.buildproxy(&["capture", "--no-prefill", "--", "sh", "-ec", script]);
    let captured = run(&mut capture).ok();
    let heard = proxy.heard();
    // user:planted-word
    let expected = Some("Basic dXNlcjpwbGFudGVkLXdvcmQ=");
    assert_eq!(heard[0].header("proxy-authorization"), expected);
    for text in [&scene.read("proxy_content.nix"), &captured.stderr] {
        assert!(!text.contains("planted-word"), "{text}");
    }
}

/// A proxy on this machine is not there in a network of the command's own.
#[test]
fn in_a_network_of_its_own_a_client_needs_no_proxy() {
    for (program, package) in [
        ("curl", "curl"),
        ("wget", "wget"),
        ("git", "git"),
        ("Rscript", "r-base-core"),
    ] {
        need(program, package);
    }
    let scene = Scene::new();
    for (path, text) in [
        ("../home/.curlrc", "proxy = http://127.0.0.1:1\n"),
        ("../home/.wgetrc", "https_proxy = http://127.0.0.1:1\n"),
        (
            "../home/.gitconfig",
            "[http]\n\tproxy = http://127.0.0.1:1\n",
        ),
        ("../home/.Renviron", "https_proxy=http://127.0.0.1:1\n"),
    ] {
        scene.write(path, text);
    }
    let origin = Origin::with_texts(HELLO);
    let script = "
        curl -sSf https://curl.example.org/hello
        wget -qO- https://wget.example.org/hello
        git ls-remote https://git.example.org/hello
        Rscript -e 'download.file(\"https://r.example.org/hello\", \"got\")'";
    let mut capture = scene.capture(&origin, &["--transparent", "--", "sh", "-c", script]);
    let captured = run(&mut capture);
    let inventory = scene.read("proxy_content.nix");
    for host in ["curl", "wget", "git", "r"] {
        let url = format!("https://{host}.example.org/hello");
        assert!(inventory.contains(&url), "{url}: {captured:#?}");
    }
}

/// Nothing outranks Maven's settings, and nothing captured would be all that tells.
#[test]
fn who_goes_past_is_told_before_the_command_runs() {
    let scene = Scene::new();
    let settings =
        "<settings><proxies><proxy><host>proxy.example.org</host></proxy></proxies></settings>";
    scene.write("../home/.m2/settings.xml", settings);
    scene.write(
        "../home/.config/uv/uv.toml",
        "https-proxy = \"http://proxy\"\n",
    );
    scene.write(
        "../home/.yarnrc.yml",
        "networkSettings:\n  '*.example.org':\n    httpsProxy: http://proxy\n",
    );
    scene.write("m.json", "[]");
    for verb in [&["capture"] as &[_], &["replay", "m.json"]] {
        let mut command = scene.buildproxy(verb);
        let said = run(command.args(["--", "sh", "-c", "echo the command >&2"])).ok();
        let (before, _) = said.stderr.split_once("the command").unwrap();
        let home = scene.root().join("home");
        for (file, client) in [
            (".m2/settings.xml", "Maven"),
            (".config/uv/uv.toml", "uv"),
            (".yarnrc.yml", "yarn 4"),
        ] {
            let expected = format!(
                "warning: {} sets a proxy for {client}, which no variable outranks",
                home.join(file).display()
            );
            assert!(before.contains(&expected), "{expected}\n{before}");
        }
        assert!(before.contains("hint: with --transparent"), "{before}");
    }
}

#[test]
fn nobody_is_told_of_what_is_outranked_or_not_there() {
    let scene = Scene::new();
    scene.write("../home/.curlrc", "silent\n");
    scene.write("m.json", "[]");
    let script = "printenv CURL_HOME PIP_PROXY GEMRC R_ENVIRON_USER GRADLE_USER_HOME MAVEN_OPTS";
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "sh", "-c", script]);
    let said = run(replay.env("MAVEN_OPTS", "-Xmx1g"));
    assert_eq!(said.stdout, "-Xmx1g\n");
    assert!(!said.stderr.contains("warning"), "{}", said.stderr);
}
