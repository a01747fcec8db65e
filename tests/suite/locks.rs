//! Other tools' locks.

use std::{fs, path::Path};

use buildproxy::inventory::Sri;
use bytes::Bytes;

use crate::support::{Origin, Ran, Scene, answer, need, run, text};

fn import(scene: &Scene, arguments: &[&str]) -> Ran {
    run(scene.buildproxy(&["import"]).args(arguments))
}

fn export(scene: &Scene, arguments: &[&str]) -> Ran {
    run(scene
        .buildproxy(&["export", "--format", "mitm-cache"])
        .args(arguments))
}

/// Each `NAME.json` in the folder is a case; `NAME.nix` is what becomes of it.
#[test]
fn locks_are_imported_as_the_golden_cases_are() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/import");
    let mut cases = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let case = path.display();
        let scene = Scene::new();
        scene.write("lock.json", &fs::read_to_string(&path).unwrap());
        assert_eq!(import(&scene, &["lock.json"]).ok().stdout, "");
        let imported = scene.read("proxy_content.nix");
        let wanted = fs::read_to_string(path.with_extension("nix")).unwrap_or_default();
        assert_eq!(imported, wanted, "{case} becomes:\n{imported}");
        run(&mut scene.buildproxy(&["check"])).ok();

        // There and back again.
        let exported = export(&scene, &[]).ok();
        scene.write("again.json", &exported.stdout);
        import(&scene, &["again.json", "-o", "again.nix"]).ok();
        assert_eq!(scene.read("again.nix"), wanted, "{case}");
        let again = export(&scene, &["again.nix"]).ok();
        assert_eq!(again.stdout, exported.stdout, "{case}");
        import(&scene, &["again.json", "-o", "again.nix"])
            .ok()
            .says("(0 new, ");
        assert_eq!(scene.read("again.nix"), wanted, "{case}");
        cases += 1;
    }
    assert!(cases >= 2, "{}", folder.display());
    // What is in the plain form already is written as mitm-cache writes it.
    let scene = Scene::new();
    let plain = fs::read_to_string(folder.join("plain.json")).unwrap();
    scene.write("lock.json", &plain);
    import(&scene, &["lock.json"]).ok();
    assert_eq!(export(&scene, &[]).ok().stdout, plain);
}

#[test]
fn what_was_imported_is_replayed() {
    need("curl", "curl");
    let scene = Scene::new();
    let lock = r#"{
 "https://files.example.org/hello": { "hash": "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=" },
 "https://files.example.org/latest": { "redirect": "hello" },
 "https://files.example.org/maven-metadata.xml": { "text": "<m/>\n" }
}"#;
    scene.write("deps.json", lock);
    import(&scene, &["deps.json"])
        .ok()
        .says("3 downloads imported (3 new, 1 pinned, 1 vendored, 0 by redirects)");
    let script =
        "curl -sSfL https://files.example.org/latest https://files.example.org/maven-metadata.xml";
    scene
        .replay_script(script)
        .ends_with(1)
        .says("hint: `--fetch` downloads what is not in the body cache");
    let origin = Origin::with_texts(&[("/hello", "hello\n")]);
    let mut fetch = scene.buildproxy(&["replay", "proxy_content.nix", "--fetch"]);
    fetch
        .args(origin.connect_to())
        .env("SSL_CERT_FILE", origin.ca());
    run(fetch.args(["--", "true"])).ok();
    assert_eq!(origin.asked().len(), 1);
    drop(origin);
    let replayed = scene.replay_script(script).ok();
    assert_eq!(replayed.stdout, "hello\n<m/>\n");
}

#[test]
fn a_lock_is_merged_as_a_capture_is() {
    let scene = Scene::new();
    let hash = |text: &str| Sri::sha256_of(text.as_bytes());
    let by_hand = format!(
        "{{ fetchurl }}:
[
  # by hand
  {{ url = \"https://files.example.org/a\"; file = fetchurl {{ url = \"https://files.example.org/a\"; hash = \"{}\"; }}; }}
]
",
        hash("old")
    );
    scene.write("a.nix", &by_hand);
    let long = "<p>\n".repeat(1000);
    let lock = serde_json::json!({
        "https://files.example.org/a": { "hash": hash("new").to_string() },
        "https://files.example.org/long.xml": { "text": long },
        "https://files.example.org/moved": { "redirect": "https://files.example.org/none" },
    });
    scene.write("deps.json", &lock.to_string());
    import(&scene, &["deps.json", "-o", "a.nix"])
        .ok()
        .says("changed: https://files.example.org/a (line 4): it gave other bytes now; the inventory keeps what it has")
        .says("vendored: https://files.example.org/long.xml (3.9 KiB): its lock has it as text")
        .says("hint: `--update` replaces what changed")
        .says("warning: https://files.example.org/moved redirects to https://files.example.org/none, which is not in the lock");
    let merged = scene.read("a.nix");
    let (start, _) = by_hand.split_once("]\n").unwrap();
    assert!(merged.starts_with(start), "{merged}");
    let files: Vec<_> = fs::read_dir(scene.path("a")).unwrap().collect();
    assert_eq!(files.len(), 1, "the long text is beside it");
    import(&scene, &["deps.json", "-o", "a.nix", "--update"])
        .ok()
        .says("updated: https://files.example.org/a (line 4)");
    let (old, new) = (hash("old").to_string(), hash("new").to_string());
    assert_eq!(scene.read("a.nix"), merged.replace(&old, &new));
    let exported = export(&scene, &["a.nix"]).ok();
    let exported: serde_json::Value = serde_json::from_str(&exported.stdout).unwrap();
    for (url, page) in lock.as_object().unwrap() {
        assert_eq!(exported[url], *page, "{url}");
    }
    import(&scene, &["deps.json", "-o", "a.nix", "--replace"]).ok();
    assert!(!scene.read("a.nix").contains("by hand"));
}

#[test]
fn what_a_capture_has_and_a_lock_has_not_is_told() {
    need("curl", "curl");
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://files.example.org/binary" => {
            let mut response = text("");
            *response.body_mut() = buildproxy::proxy::full(Bytes::from(vec![0xff; 10]));
            response
        }
        "https://files.example.org/gone" => answer(404, &[], "gone\n"),
        _ => answer(
            200,
            &[("content-type", "text/plain"), ("etag", "\"1\"")],
            "hello\n",
        ),
    });
    let script = "get() { curl -sS -o /dev/null https://files.example.org/\"$@\"; }
        get pin; get 'query?a=1'; get gone; get post -d x; get binary -d x; get text";
    run(&mut scene.capture(&origin, &["--vendor", "*/text", "--", "sh", "-ec", script])).ok();
    let exported = export(&scene, &[]).ends_with(1);
    assert_eq!(
        exported.stdout,
        "{
 \"!version\": 1,
 \"https://files.example.org/pin\": {
  \"hash\": \"sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=\"
 },
 \"https://files.example.org/text\": {
  \"text\": \"hello\\n\"
 }
}
"
    );
    let inventory = scene.read("proxy_content.nix");
    let line = |url: &str| {
        let at = inventory
            .find(&format!("    url = \"https://files.example.org/{url}\""))
            .unwrap();
        inventory[..at].matches('\n').count()
    };
    let left = [
        ("binary", "it answers POST"),
        ("gone", "its status is 404"),
        ("post", "it answers POST"),
        ("query?a=1", "mitm-cache drops the query of a URL"),
    ];
    let said = left.map(|(url, why)| {
        let line = line(url);
        format!(
            "buildproxy: proxy_content.nix:{line}: https://files.example.org/{url} is left out: {why}\n"
        )
    });
    let end = "buildproxy: proxy_content.nix: 2 URLs exported, 4 left out\n";
    let wanted = said.concat() + end;
    assert_eq!(exported.stderr, wanted);

    run(&mut scene.buildproxy(&["export"])).ends_with(2);
    run(&mut scene.buildproxy(&["export", "--format", "pnpm"])).ends_with(2);
    export(&scene, &["none.nix"]).ends_with(3);
}

#[test]
fn what_is_wrong_with_a_lock_is_named() {
    let scene = Scene::new();
    let wrong = |lock: &str, said: &str| {
        scene.write("deps.json", lock);
        let refused = import(&scene, &["deps.json"]).ends_with(3);
        assert!(!refused.stderr.contains("s3cr3t"), "{}", refused.stderr);
        refused.says(said);
        assert!(!scene.path("proxy_content.nix").exists());
    };
    wrong("{\n\"a\"", "buildproxy: deps.json:2: EOF while parsing");
    wrong(
        "[]",
        "buildproxy: deps.json: the lock is a list, not an object\n",
    );
    wrong(
        "{\n \"https://example.org/a\": {\n  \"hash\": \"md5-x\"\n }\n}",
        "buildproxy: deps.json:3: of `https://example.org/a`: the hash algorithm `md5` is not supported",
    );
    wrong(
        "{\n \"https://me:s3cr3t@example.org/a\": {\n  \"text\": \"\"\n }\n}",
        "buildproxy: deps.json:2: a URL on `example.org` contains a user name or password",
    );
    let refused = import(&scene, &["none.json"]).ends_with(3);
    refused.says("failed to read the lock 'none.json': No such file");
    // A lock that is fine, and an inventory that is not.
    scene.write("deps.json", "{}");
    scene.write("proxy_content.nix", "[");
    import(&scene, &["deps.json"])
        .ends_with(3)
        .says("proxy_content.nix:1: ");
}

#[test]
fn secrets_in_a_lock_are_not_written() {
    let scene = Scene::new();
    let redirect = |target: &str| {
        format!(
            r#"{{
 "https://example.org/a?token=s3cr3t": {{ "redirect": "{target}" }},
 "https://cdn.example.org/a?v=1&X-Amz-Signature=s3cr3t": {{ "text": "a" }}
}}"#
        )
    };
    let target = "https://cdn.example.org/a?v=1&X-Amz-Signature=other-s3cr3t";
    scene.write("deps.json", &redirect(target));
    let imported = import(&scene, &["deps.json"]).ok();
    assert!(!imported.stderr.contains("s3cr3t"), "{}", imported.stderr);
    let text = scene.read("proxy_content.nix");
    assert!(!text.contains("s3cr3t"), "{text}");
    assert!(
        text.contains(r#""location" = "https://cdn.example.org/a?v=1";"#),
        "{text}"
    );
    let got = scene.replay_script("curl -sSf -L 'https://example.org/a?token=mine'");
    assert_eq!(got.ok().stdout, "a");

    // One of the two would be lost.
    scene.write(
        "deps.json",
        r#"{
 "https://example.org/a?token=s3cr3t": { "text": "a" },
 "https://example.org/a?token=that-s3cr3t": { "text": "b" }
}"#,
    );
    let refused = import(&scene, &["deps.json"]).ends_with(3);
    assert!(!refused.stderr.contains("s3cr3t"), "{}", refused.stderr);
    refused.says("deps.json:3: https://example.org/a is there twice, and differs");
}

#[test]
fn answers_to_post_are_not_imported() {
    let scene = Scene::new();
    let lock = r#"{
 "https://example.org/a": { "text": "a" },
 "https://example.org/b": { "post": { "x": { "text": "y" } } }
}"#;
    scene.write("deps.json", lock);
    import(&scene, &["deps.json"])
        .ends_with(1)
        .says("1 download imported")
        .says("the answers to POST https://example.org/b are not imported");
    assert!(!scene.read("proxy_content.nix").contains("/b"));
}

/// A build that looks for its library in two places, of which only the second has it.
const GRADLE: &str = "
    touch settings.gradle
    cat >build.gradle <<'END'
repositories {
    maven { url 'https://first.example.org/maven2' }
    maven { url 'https://maven.example.org/maven2' }
}
configurations { libraries }
dependencies { libraries 'org.example:library:1.0' }
task fetch(type: Copy) { from configurations.libraries; into 'libraries' }
END
    gradle --no-daemon -q --gradle-user-home $PWD/gradle fetch";

#[test]
fn a_gradle_build_goes_to_mitm_cache_and_back() {
    need("gradle", "gradle");
    let scene = Scene::new();
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://maven.example.org/maven2/org/example/library/1.0/library-1.0.pom" => answer(
            200,
            &[("content-type", "text/xml")],
            "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId>\
             <artifactId>library</artifactId><version>1.0</version></project>",
        ),
        "https://maven.example.org/maven2/org/example/library/1.0/library-1.0.jar" => text("jar\n"),
        _ => answer(404, &[], "not here\n"),
    });
    let in_folder = |name: &str| format!("mkdir {name}; cd {name}\n{GRADLE}");
    scene.capture_script(&origin, &in_folder("captured")).ok();
    drop(origin);
    // That the first has nothing is what a lock cannot say.
    let exported = export(&scene, &[]).ends_with(1);
    let left: Vec<_> = exported
        .stderr
        .lines()
        .filter(|line| line.contains(" is left out: "))
        .collect();
    assert!(!left.is_empty());
    let of_first = |line: &&str| line.contains("https://first.example.org/");
    assert!(left.iter().all(of_first), "{left:?}");

    // It is a miss then, and Gradle goes on to the second.
    scene.write("deps.json", &exported.stdout);
    import(&scene, &["deps.json", "--replace"])
        .ok()
        .says("2 downloads imported (2 new, 2 pinned, 0 vendored, 0 by redirects)");
    let replayed = scene.replay_script(&in_folder("replayed")).ok();
    replayed.says("GET https://first.example.org/maven2/org/example/library/1.0/library-1.0.pom");
    let library = |folder: &str| scene.read(&format!("{folder}/libraries/library-1.0.jar"));
    assert_eq!(library("captured"), "jar\n");
    assert_eq!(library("replayed"), "jar\n");
}
