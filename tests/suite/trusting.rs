//! Clients that need a file beside the variables, each with a person's own settings in place.

use std::fs;

use crate::support::{Origin, Scene, need, run};

const HELLO: &[(&str, &str)] = &[("/hello", "hello\n")];

/// Captures and replays a script that prints what `/hello` gives, over https and http.
#[track_caller]
fn round(script: &str, prepare: impl Fn(&Scene)) {
    let scene = Scene::new();
    prepare(&scene);
    let origin = Origin::with_texts(HELLO);
    let script = format!("{script}\n{}", script.replace("https://a", "http://b"));
    let captured = scene.capture_script(&origin, &script).ok();
    assert_eq!(captured.stdout, "hello\nhello\n");
    let captured = captured.says("(2 new, 2 pinned, ");
    drop(origin);
    let replayed = scene.replay_script(&script).ok();
    assert_eq!(replayed.stdout, captured.stdout);
}

#[test]
fn wget_trusts_and_keeps_its_settings() {
    need("wget", "wget");
    round(
        "wget -qO- https://a.example.org/hello; test -e log",
        |scene| {
            scene.write("../home/.wgetrc", "logfile = log\n");
        },
    );
}

#[test]
fn wget2_trusts_and_keeps_its_settings() {
    need("wget2", "wget2");
    round(
        "wget2 -O- https://a.example.org/hello; test -e log",
        |scene| {
            scene.write("../home/.wget2rc", "output-file = log\n");
        },
    );
}

#[test]
fn php_trusts_and_keeps_its_settings() {
    need("php", "php-cli php-curl");
    let script = r#"
        export PHP_INI_SCAN_DIR="$PHP_INI_SCAN_DIR:$PWD/ini"
        cat >get.php <<'PHP'
<?php
$curl = curl_init($argv[1]);
curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_FAILONERROR => true]);
$text = curl_exec($curl);
if ($text === false || ini_get('user_agent') !== 'mine') { fwrite(STDERR, curl_error($curl)); exit(1); }
echo $text;
PHP
        php get.php https://a.example.org/hello"#;
    round(script, |scene| {
        scene.write("ini/mine.ini", "user_agent = mine\n");
    });
}

#[test]
fn java_trusts_and_keeps_its_settings() {
    need("java", "default-jdk-headless");
    let class = r"
import java.net.URI;
public class Get {
  public static void main(String[] arguments) throws Exception {
    URI.create(arguments[0]).toURL().openStream().transferTo(System.out);
  }
}
";
    round("java Get.java https://a.example.org/hello", |scene| {
        scene.write("Get.java", class);
    });
}

/// The person's own options stand before ours.
#[test]
fn options_of_java_are_extended() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "printenv", "JAVA_TOOL_OPTIONS"]);
    let options = run(replay.env("JAVA_TOOL_OPTIONS", "-Dmine=1")).ok().stdout;
    let expected = "-Dmine=1 -Dhttp.proxyHost=127.0.0.1 ";
    assert!(options.starts_with(expected), "{options}");
}

#[test]
fn apt_gets_its_proxy_and_keeps_its_settings() {
    need("apt-config", "apt");
    let scene = Scene::new();
    scene.write("m.json", "[]");
    scene.write("apt.conf", "Mine \"1\";\n");
    let script = "apt-config dump | grep -E '^(Mine|Acquire::https?::(Proxy|CAInfo)) '";
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "sh", "-ec", script]);
    let replayed = run(replay.env("APT_CONFIG", scene.path("apt.conf"))).ok();
    for line in [
        "Mine \"1\";",
        "Acquire::http::Proxy \"http://127.0.0.1:",
        "Acquire::https::Proxy \"http://127.0.0.1:",
        "/ca-bundle.crt\";",
    ] {
        assert!(replayed.stdout.contains(line), "{replayed:?}");
    }
}

#[test]
fn a_proxy_in_npms_settings_does_not_lead_around() {
    need("npm", "npm");
    let scene = Scene::new();
    scene.write(
        "../home/.npmrc",
        "registry=https://npm.example.org/\nproxy=http://127.0.0.1:9/\n\
         https-proxy=http://127.0.0.1:9/\n",
    );
    let origin = Origin::with_texts(&[(
        "/hello",
        r#"{"name":"hello","dist-tags":{"latest":"1.2.3"},"versions":{"1.2.3":{"name":"hello",
            "version":"1.2.3","dist":{"tarball":"https://npm.example.org/hello.tgz"}}}}"#,
    )]);
    let script = "npm view --cache $(mktemp -d) hello version";
    let captured = scene.capture_script(&origin, script).ok();
    assert_eq!(captured.stdout, "1.2.3\n");
    drop(origin);
    let replayed = scene.replay_script(script).ok();
    assert_eq!(replayed.stdout, "1.2.3\n");
}

#[test]
fn hosts_can_be_reached_without_the_proxy() {
    let scene = Scene::new();
    let script = "printenv no_proxy NO_PROXY";
    let mut capture = scene.buildproxy(&["capture", "--no-proxy", "a.example.org,.example.com"]);
    let shown = run(capture.args(["--", "sh", "-ec", script])).ok().stdout;
    let expected = "localhost,127.0.0.1,::1,a.example.org,.example.com\n";
    assert_eq!(shown, expected.repeat(2));
}

/// The setup hook of nixpkgs' gradle imports the certificate into a trust store of its own, in the folder.
#[test]
fn gradles_hook_finds_the_proxy_by_the_variables_of_mitm_cache() {
    need("curl", "curl");
    need("keytool", "default-jdk-headless");
    let scene = Scene::new();
    scene.write("body", "hello\n");
    let body = scene.path("body");
    let manifest = format!(
        r#"[{{"url":"https://a.test/","file":"{}"}}]"#,
        body.display()
    );
    scene.write("m.json", &manifest);
    let script = r#"
        [ "$MITM_CACHE_ADDRESS" = "$MITM_CACHE_HOST:$MITM_CACHE_PORT" ]
        keytool -importcert -noprompt -alias alias -file "$MITM_CACHE_CA" \
            -keystore "$MITM_CACHE_CERT_DIR/keystore" -storepass secret >/dev/null
        keytool -list -keystore "$MITM_CACHE_KEYSTORE" -storepass "$MITM_CACHE_KS_PWD" >/dev/null
        env -u https_proxy -u CURL_CA_BUNDLE curl -sSf --proxy "http://$MITM_CACHE_ADDRESS" \
            --cacert "$MITM_CACHE_CA" https://a.test/"#;
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "sh", "-euc", script]);
    let said = run(&mut replay).ok();
    assert_eq!(said.stdout, "hello\n");
    assert_eq!(fs::read_dir(scene.root().join("tmp")).unwrap().count(), 0);
}

/// The innermost counts.
#[test]
fn a_build_is_told_whether_it_is_captured_or_replayed() {
    let scene = Scene::new();
    scene.write("m.json", "[]");
    let replay = format!("{} replay m.json", env!("CARGO_BIN_EXE_buildproxy"));
    let script = format!(
        r#"
        echo $BUILDPROXY_MODE
        {replay} -- sh -c 'echo $BUILDPROXY_MODE'
        eval "$({replay} --daemon --watch-pid $$)"
        echo $BUILDPROXY_MODE"#
    );
    let mut capture = scene.buildproxy(&["capture", "--", "sh", "-euc", &script]);
    let said = run(&mut capture).ok();
    assert_eq!(said.stdout, "capture\nreplay\nreplay\n");
    let capture = format!("{} capture --", env!("CARGO_BIN_EXE_buildproxy"));
    let script = format!("{capture} sh -c 'echo $BUILDPROXY_MODE'");
    let mut replay = scene.buildproxy(&["replay", "m.json", "--", "sh", "-euc", &script]);
    assert_eq!(run(&mut replay).ok().stdout, "capture\n");
}

#[test]
fn variables_are_listed() {
    let scene = Scene::new();
    let names = run(&mut scene.buildproxy(&["env"])).ok().stdout;
    let list = run(&mut scene.buildproxy(&["env", "--list"])).ok().stdout;
    assert_eq!(names.lines().count(), list.lines().count());
    for (name, line) in names.lines().zip(list.lines()) {
        assert!(line.starts_with(&format!("{name} ")), "{line}");
    }
    let bundle = "CURL_CA_BUNDLE ";
    let line = list.lines().find(|line| line.starts_with(bundle)).unwrap();
    assert!(line.contains("  certificates, as PEM  "), "{line}");
    assert!(line.ends_with("  curl, R, requests"), "{line}");

    // And these are what a command is given.
    scene.write("m.json", "[]");
    let daemon = scene.daemon("m.json", &[]);
    for name in names.lines() {
        daemon.variable(name);
    }
}
