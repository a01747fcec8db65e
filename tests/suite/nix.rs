//! The Nix side, with a real Nix and the program itself in its sandboxes: with the Nix of this
//! machine, and with a newer one.

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use crate::support::{
    Asked, Nix, NixScene, Origin, Scene, answer, checkout, cut_off, need, reach, run, system, text,
    with_both,
};

with_both![
    the_example_is_what_capture_writes_and_builds,
    the_flake_passes_its_own_checks,
    the_flake_shows_what_it_has,
    only_replay_answers_in_the_sandbox,
    a_miss_ends_the_build_and_names_the_nearest_entry,
    strict_fails_a_build_that_went_on_without_what_it_missed,
    both_generations_of_files_answer_as_without_nix,
    what_is_wrong_is_refused_with_its_cure,
    a_captured_build_builds_in_the_sandbox,
    what_was_captured_is_in_the_store_already,
    buildproxy_capture_captures,
    overrides_and_patches_change_what_was_captured,
    the_shell_runs_a_command,
    the_benchmark_of_the_evaluation_runs,
];

const LICENCE: &str = include_str!("../../LICENSE-APACHE");

/// www.apache.org, with headers that say nothing of the licence.
fn apache() -> Origin {
    Origin::start(|asked| match asked.url.as_str() {
        "https://www.apache.org/licenses/LICENSE-2.0.txt" => answer(
            200,
            &[
                ("content-type", "text/plain"),
                ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
                ("server", "Apache"),
                ("strict-transport-security", "max-age=31536000"),
                ("accept-ranges", "bytes"),
                ("age", "7"),
                ("via", "1.1 varnish"),
            ],
            LICENCE,
        ),
        _ => answer(404, &[], "not here\n"),
    })
}

/// The URLs that were asked for, in order.
fn urls(origin: &Origin) -> Vec<String> {
    origin.asked().into_iter().map(|asked| asked.url).collect()
}

fn the_example_is_what_capture_writes_and_builds(nix: &Nix) {
    need("curl", "curl");
    need("make", "make");
    let origin = apache();
    let scene = Scene::new();
    run(scene
        .command("cp")
        .arg("-r")
        .args([checkout("example/src"), scene.path("src")]))
    .ok();
    let make = ["--", "make", "-C", "src", "install", "PREFIX=../out"];
    run(&mut scene.capture(&origin, &make)).ok();
    assert_eq!(
        scene.read("proxy_content.nix"),
        fs::read_to_string(checkout("example/proxy_content.nix")).unwrap()
    );
    assert!(!scene.path("proxy_content").exists());

    let nix = NixScene::new(nix);
    let built = nix.build(&origin, &nix.of_project("example"));
    for (file, starts_with) in [
        ("LICENSE-2.0.txt", LICENCE),
        (
            "sections.txt",
            "1. Definitions\n2. Grant of Copyright License\n",
        ),
    ] {
        let file = format!("share/licence/{file}");
        let found = fs::read_to_string(built.join(&file)).unwrap();
        assert!(found.starts_with(starts_with), "{found}");
        assert_eq!(found, scene.read(&format!("out/{file}")));
    }
    // The capture, and fetchurl.
    assert_eq!(urls(&origin).len(), 2, "{:?}", urls(&origin));
}

fn the_flake_passes_its_own_checks(nix: &Nix) {
    let nix = NixScene::new(nix);
    let origin = apache();
    let mut check = nix.nix(&["flake", "check"], &nix.of_project(""));
    run(reach(&mut check, &origin)).ok();
}

fn the_flake_shows_what_it_has(nix: &Nix) {
    let nix = NixScene::new(nix);
    let show = ["flake", "show", "--json"];
    let shown = run(&mut nix.nix(&show, &nix.of_project(""))).ok().stdout;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let names = |output: &str| -> BTreeSet<String> {
        let attributes = shown[output][system()].as_object();
        attributes.unwrap().keys().cloned().collect()
    };
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let packages: BTreeSet<String> =
        set(&["buildproxy", "buildproxy-capture", "default", "example"]);
    assert_eq!(names("packages"), packages);
    assert_eq!(names("devShells"), set(&["default"]));
    assert_eq!(shown["overlays"]["default"]["type"], "nixpkgs-overlay");

    // Every file among the checks is one, and so is the example.
    let files = fs::read_dir(checkout("nix/tests")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let checks = files.filter_map(|file| Some(file.strip_suffix(".nix")?.to_owned()));
    let mut checks: BTreeSet<String> = checks.filter(|check| check != "default").collect();
    checks.insert("example".to_owned());
    assert_eq!(names("checks"), checks);
}

/// An origin listens at the very address that the build connects to, only not in its sandbox.
fn only_replay_answers_in_the_sandbox(nix: &Nix) {
    let nix = NixScene::new(nix);
    let origin = Origin::with_texts(&[("/", "hello")]);
    let url = format!("https://127.0.0.1:{}/", origin.https_port());
    let attributes = r#"
        direct = pkgs.runCommand "direct" { nativeBuildInputs = [ pkgs.curl ]; } ''
          source ${mkBuildproxy [
            { url = "URL"; file = builtins.toFile "body" "from the inventory"; }
          ]}
          get="curl --insecure --silent --show-error --max-time 20 URL"
          [[ $($get --noproxy "" --proxy "$https_proxy") == "from the inventory" ]]
          status=0
          $get --noproxy '*' || status=$?
          echo "the direct connection: $status"
          [[ $status == 7 ]]
          touch $out
        '';
        fetched = pkgs.fetchurl {
          name = "hello";
          url = "URL";
          hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
        };"#;
    nix.write_flake(&attributes.replace("URL", &url));
    nix.build(&origin, &nix.of_flake("direct"));
    assert_eq!(urls(&origin), [] as [&str; 0]);
    // It does listen.
    nix.build(&origin, &nix.of_flake("fetched"));
    assert_eq!(urls(&origin), [url]);
}

fn a_miss_ends_the_build_and_names_the_nearest_entry(nix: &Nix) {
    let nix = NixScene::new(nix);
    nix.write_flake(
        r#"
        misses = pkgs.runCommand "misses" { nativeBuildInputs = [ pkgs.curl ]; } ''
          source ${mkBuildproxy [
            { url = "https://elsewhere.test/x"; file = builtins.toFile "x" "x"; }
            { url = "https://files.test/a-1.0.tar.gz"; file = builtins.toFile "a" "a"; }
          ]}
          curl --fail --silent --show-error --retry 5 --output $out https://files.test/a-1.1.tar.gz
        '';"#,
    );
    // Five retries would take half a minute.
    let start = Instant::now();
    let failed = nix.fail_to_build(&nix.of_flake("misses"));
    assert!(start.elapsed() < Duration::from_secs(20));
    let failed = failed
        .says("buildproxy: miss: GET https://files.test/a-1.1.tar.gz is not in the inventory")
        .says("  nearest: https://files.test/a-1.0.tar.gz")
        .says("403");
    assert!(!failed.stderr.contains("retry"), "{}", failed.stderr);
    assert!(!failed.stderr.contains("elsewhere"), "{}", failed.stderr);
}

/// Where a phase sources it, as an input, and transparently. A build that is not strict goes on, and its
/// log says the same.
fn strict_fails_a_build_that_went_on_without_what_it_missed(nix: &Nix) {
    let nix = NixScene::new(nix);
    let ways = [
        ("source", "false", "", "source ${PROXY}"),
        ("input", "false", "PROXY", ""),
        ("transparent", "true", "PROXY", ""),
    ];
    let mut attributes = String::new();
    for (way, transparent, input, start) in ways {
        for (name, strict) in [("strict", "true"), ("lenient", "false")] {
            let proxy = format!(
                r#"(mkBuildproxy {{
                  content = [ {{ url = "https://a.test/"; file = builtins.toFile "body" "body"; }} ];
                  transparent = {transparent};
                  strict = {strict};
                }})"#
            );
            let build = format!(
                "{name}-{way} = pkgs.runCommand \"{way}\" {{ nativeBuildInputs = [ pkgs.curl {input} ]; }} ''
                  {start}
                  curl --silent --show-error https://a.test/ https://a.test/missing >$out
                '';\n"
            );
            attributes += &build.replace("PROXY", &proxy);
        }
    }
    nix.write_flake(&attributes);
    for (way, ..) in ways {
        let failed = nix.fail_to_build(&nix.of_flake(&format!("strict-{way}")));
        let mut build = nix.nix(
            &["build", "--no-link", "--print-build-logs"],
            &nix.of_flake(&format!("lenient-{way}")),
        );
        let went_on = run(&mut build).ok();
        for log in [failed.says("failed with exit code 4"), went_on] {
            log.says("> buildproxy: 1 request was answered; these were not")
                .says(">   GET https://a.test/missing\n")
                .says("    buildproxy add proxy_content.nix https://a.test/missing\n");
        }
    }
}

/// What the two files of nix-buildproxy answer: in the sandbox, and by the program's own reading.
fn both_generations_of_files_answer_as_without_nix(nix: &Nix) {
    const GET: &str = "curl --silent --show-error --location --write-out \
        ' %{http_code} %{content_type} %{num_redirects} %{url_effective}\\n' ";
    let nix = NixScene::new(nix);
    let scene = Scene::new();
    // All that the files pin are the same five bytes.
    let origin = Origin::start(|_| text("hello"));
    scene
        .capture_script(&origin, "curl -sSf https://elsewhere.test/")
        .ok();
    let tarball = "https://example.org/dist/a-1.0.tar.gz";
    for (golden, urls, expected) in [
        (
            "first-generation",
            [tarball, "https://example.org/files/b.zip?raw=true"],
            "hello 200  0 https://example.org/dist/a-1.0.tar.gz\n\
             hello 200  0 https://example.org/files/b.zip?raw=true\n",
        ),
        (
            "second-generation",
            [tarball, "https://example.org/latest"],
            "hello 200 application/gzip 0 https://example.org/dist/a-1.0.tar.gz\n\
             hello 200 application/gzip 1 https://example.org/dist/a-1.0.tar.gz\n",
        ),
        (
            "check/after-two-runs",
            [tarball, "https://example.org/latest"],
            "hello 200 application/gzip 0 https://example.org/dist/a-1.0.tar.gz\n\
             hello 200 application/gzip 1 https://example.org/dist/a-1.0.tar.gz\n",
        ),
        (
            "check/wrong-length",
            [tarball, "https://example.org/text"],
            "hello 200 application/gzip 0 https://example.org/dist/a-1.0.tar.gz\n\
             hello 200 text/plain 0 https://example.org/text\n",
        ),
    ] {
        let file = fs::read_to_string(checkout(&format!("tests/golden/{golden}.nix"))).unwrap();
        let script = urls.map(|url| format!("{GET} '{url}'\n")).concat();

        nix.write("proxy_content.nix", &file);
        nix.write("script", &script);
        nix.write_flake(
            r#"
            answers = pkgs.runCommand "answers" { nativeBuildInputs = [ pkgs.curl ]; } ''
              source ${mkBuildproxy ./proxy_content.nix}
              source ${./script} >$out
            '';"#,
        );
        let built = nix.build(&origin, &nix.of_flake("answers"));
        assert_eq!(fs::read_to_string(built).unwrap(), expected, "{golden}");

        scene.write("proxy_content.nix", &file);
        assert_eq!(
            scene.replay_script(&script).ok().stdout,
            expected,
            "{golden}"
        );
    }
}

fn what_is_wrong_is_refused_with_its_cure(nix: &Nix) {
    let nix = NixScene::new(nix);
    let wrong = r#"{ fetchurl }: [ { url = "https://a.test/"; statuscode = 200; } ]"#;
    nix.write("wrong.nix", wrong);
    let entry = r#"url = "https://a.test/";"#;
    let cases = [
        (
            "(mkBuildproxy ./wrong.nix)".to_owned(),
            "/wrong.nix: the entry for https://a.test/ has an unknown attribute `statuscode`; \
             an entry can have url, file, headers, method, request, status_code",
        ),
        (
            format!(r#"(mkBuildproxy [ {{ {entry} file = "./body"; }} ])"#),
            "has the string \"./body\" as its `file`, which is not in the store; \
             write a path without quotes, such as ./proxy_content/body",
        ),
        (
            "(mkBuildproxy [ { file = null; } ])".to_owned(),
            "an entry has no `url`; it has file",
        ),
        (
            "(mkBuildproxyShell ({ fetchNothing }: [ ]))".to_owned(),
            "it asks for the argument `fetchNothing`, which is not in nixpkgs",
        ),
        (
            "(mkBuildproxy { content = ./wrong.nix; port = 8080; })".to_owned(),
            "mkBuildproxy: unknown argument `port`; it takes `content`, `overrides`, `patches`, \
             `strict`, `transparent`, or the path of a proxy_content.nix",
        ),
        (
            format!("(mkBuildproxyShell {{ {entry} }})"),
            "mkBuildproxyShell: unknown argument `url`; it takes `content`",
        ),
        (
            r#"(mkBuildproxy {
              content = map (path: { url = "https://a.test/${path}"; }) [ "x/a-1.1.jar" "b" ];
              overrides."https://A.test/a-1.1.jar?" = ./wrong.nix;
            })"#
            .to_owned(),
            "`overrides` names https://A.test/a-1.1.jar?, which no entry has; \
             nearest: https://a.test/x/a-1.1.jar",
        ),
        (
            r#"(mkBuildproxy {
              content = [ { url = "https://a.test/b"; } { url = "https://b.test/b"; } ];
              overrides."https://a.test/a.jar" = ./wrong.nix;
            })"#
                .to_owned(),
            "`overrides` names https://a.test/a.jar, which no entry has; nearest: https://a.test/b\n",
        ),
        (
            r#"(mkBuildproxy { content = [ { url = "https://a.test/"; } ]; overrides."b.jar" = ./wrong.nix; })"#
                .to_owned(),
            "`overrides` names b.jar, which no entry has; look at its spelling, or capture it",
        ),
        (
            r#"(mkBuildproxyShell { content = []; patches."https://a.test/" = []; })"#.to_owned(),
            "`patches` names https://a.test/, which no entry has; look at its spelling, or capture it",
        ),
        (
            format!(
                r#"(mkBuildproxy {{
                  content = [ {{ {entry} status_code = 404; }} ];
                  overrides."https://a.test/" = ./wrong.nix;
                }})"#
            ),
            "`overrides` names https://a.test/, of which no entry answers GET with status 200 and a body",
        ),
        (
            format!(
                r#"(mkBuildproxy {{
                  content = [ {{ {entry} file = ./wrong.nix; headers.content-encoding = "gzip"; }} ];
                  patches."https://a.test/" = [ ./wrong.nix ];
                }})"#
            ),
            "the body of https://a.test/ is coded (content-encoding: gzip), and patch files cannot \
             change it; make `patches` for it a function that decodes it",
        ),
    ];
    let attributes = cases.iter().enumerate();
    let attributes =
        attributes.map(|(index, (expression, _))| format!("case{index} = {expression};"));
    nix.write_flake(&attributes.collect::<String>());
    for (index, (_, message)) in cases.iter().enumerate() {
        let attribute = nix.of_flake(&format!("case{index}.drvPath"));
        let refused = run(&mut nix.nix(&["eval"], &attribute)).ends_with(1);
        refused.says(message);
    }
    // And the program says the same of the file.
    let scene = Scene::new();
    scene.write("wrong.nix", wrong);
    run(&mut scene.buildproxy(&["replay", "wrong.nix", "--", "true"]))
        .ends_with(3)
        .says("statuscode");
}

const CSS: &str = concat!(
    "body { margin: 0 }\n",
    include_str!("../../LICENSE-MIT"),
    include_str!("../../LICENSE-MIT"),
    "\n"
);

/// As the README has it: a flake that takes buildproxy as an input, and a package of its own. Of its
/// downloads one is what only this build is given, and what others are given is another of them.
fn a_captured_build_builds_in_the_sandbox(nix: &Nix) {
    const FLAKE: &str = r#"{
      inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
      inputs.buildproxy.url = "path:/overridden";
      inputs.buildproxy.inputs.nixpkgs.follows = "nixpkgs";

      outputs =
        { nixpkgs, buildproxy, ... }:
        let
          pkgs = nixpkgs.legacyPackages.SYSTEM.extend buildproxy.overlays.default;
        in
        {
          packages.SYSTEM.default = pkgs.callPackage ./package.nix {
            buildproxy = pkgs.lib.mkBuildproxy ./proxy_content.nix;
          };
        };
    }"#;
    const PACKAGE: &str = r#"
      { stdenv, curl, buildproxy }:
      stdenv.mkDerivation {
        pname = "site";
        version = "1.0";
        src = ./src;
        strictDeps = true;
        nativeBuildInputs = [ curl ];
        prePatch = "source ${buildproxy}";
        makeFlags = [ "PREFIX=${placeholder "out"}" ];
      }"#;
    const MAKEFILE: &str = "\
all:
\tcurl -sSf -o library.txt https://files.test/library.txt
\tcurl -sSf -o style.html https://files.test/style
\tcurl -sSf -o style -D head -H 'Accept: text/css' https://files.test/style

install: all
\tmkdir -p $(PREFIX)
\tcp library.txt style.html style $(PREFIX)
\tgrep -i '^content-type' head > $(PREFIX)/type
";
    need("curl", "curl");
    need("make", "make");
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://files.test/library.txt" => text("the library\n"),
        "https://files.test/style" if asked.header("accept") == Some("text/css") => {
            answer(200, &[("content-type", "text/css")], CSS)
        }
        "https://files.test/style" => answer(200, &[("content-type", "text/html")], "<p>style"),
        _ => answer(404, &[], "not here\n"),
    });
    let nix = NixScene::new(nix);
    fs::create_dir(nix.file("src")).unwrap();
    nix.write("flake.nix", &FLAKE.replace("SYSTEM", &system()));
    nix.write("package.nix", PACKAGE);
    nix.write("src/Makefile", MAKEFILE);

    let scene = Scene::new();
    scene.write("src/Makefile", MAKEFILE);
    let inventory = nix.file("proxy_content.nix");
    let mut capture = scene.capture(&origin, &["-o", inventory.to_str().unwrap()]);
    run(capture.args(["--", "make", "-C", "src", "install", "PREFIX=../out"]))
        .ok()
        .says("3 downloads captured (3 new, 2 pinned, 1 vendored, 0 by redirects)");
    let vendored = fs::read_dir(nix.file("proxy_content")).unwrap();
    let vendored: Vec<_> = vendored.map(|file| file.unwrap().path()).collect();
    assert_eq!(vendored.len(), 1, "{vendored:?}");
    assert_eq!(fs::read_to_string(&vendored[0]).unwrap(), CSS);

    let asked_before = origin.asked().len();
    let built = nix.build(&origin, &nix.of_flake(""));
    for file in ["library.txt", "style.html", "style", "type"] {
        let found = fs::read_to_string(built.join(file)).unwrap();
        assert_eq!(found, scene.read(&format!("out/{file}")), "{file}");
    }
    let style = fs::read_to_string(built.join("style")).unwrap();
    assert_eq!(style, CSS);
    // Only fetchurl came, and only for what is pinned.
    let asked = origin.asked().split_off(asked_before);
    let plain = |asked: &Asked| asked.header("accept") == Some("*/*");
    assert!(asked.iter().all(plain), "{asked:?}");
    let asked: BTreeSet<_> = asked.into_iter().map(|asked| asked.url).collect();
    let pinned = ["library.txt", "style"].map(|path| format!("https://files.test/{path}"));
    assert_eq!(asked, pinned.into());
}

/// What is overridden is not downloaded; a patch that does not apply says of which URL.
fn overrides_and_patches_change_what_was_captured(nix: &Nix) {
    need("curl", "curl");
    need("patch", "patch");
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://files.test/a.jar" => answer(200, &[("etag", "\"1\"")], "downloaded"),
        "https://files.test/a.pom" => answer(200, &[("etag", "\"2\"")], "a\nversion 1\n"),
        _ => answer(404, &[], "not here\n"),
    });
    let nix = NixScene::new(nix);
    let scene = Scene::new();
    let get = "curl -sSf https://files.test/a.jar https://files.test/a.pom";
    let inventory = nix.file("proxy_content.nix");
    let mut capture = scene.capture(&origin, &["-o", inventory.to_str().unwrap(), "--"]);
    run(capture.args(get.split(' '))).ok();
    let captured = fs::read_to_string(&inventory).unwrap();
    assert!(captured.contains("etag"), "{captured}");

    nix.write_flake(&format!(
        r#"
        default = pkgs.runCommand "default" {{ nativeBuildInputs = [ pkgs.curl ]; }} ''
          source ${{mkBuildproxy {{
            content = ./proxy_content.nix;
            overrides."https://files.test/a.jar" = pkgs.writeText "a.jar" "built\n";
            patches."https://files.test/a.pom" = [ ./a.pom.patch ];
            strict = true;
          }}}}
          {get} -D head >$out
          if grep -i etag head; then exit 1; fi
        '';"#
    ));
    let patch = "--- a.pom\n+++ a.pom\n@@ -1,2 +1,2 @@\n a\n-version 1\n+version 2\n";
    nix.write("a.pom.patch", patch);
    let asked_before = origin.asked().len();
    let built = nix.build(&origin, &nix.of_flake("default"));
    assert_eq!(fs::read_to_string(built).unwrap(), "built\na\nversion 2\n");
    assert_eq!(urls(&origin)[asked_before..], ["https://files.test/a.pom"]);

    nix.write("a.pom.patch", &patch.replace("version 1", "version 0"));
    nix.fail_to_build(&nix.of_flake("default"))
        .says("a.pom.patch to the body of https://files.test/a.pom\n")
        .says("FAILED at 1");
}

fn what_was_captured_is_in_the_store_already(nix: &Nix) {
    need("nix-store", "nix-bin");
    let nix = NixScene::new(nix);
    let origin = apache();
    let ca = nix.home().join("ca.crt");
    fs::copy(origin.ca(), &ca).unwrap();
    let capture = |options: &[&str]| {
        let mut capture = nix.buildproxy();
        capture
            .arg("capture")
            .args(origin.connect_to())
            .args(options);
        capture.env("SSL_CERT_FILE", &ca);
        let url = "https://www.apache.org/licenses/LICENSE-2.0.txt";
        let said = run(capture.args(["--", "curl", "-sSf", "-o", "licence", url])).ok();
        assert!(!said.stderr.contains("Nix store"), "{}", said.stderr);
    };
    let build = || {
        let built = nix.nix(
            &["build", "--no-link", "--json"],
            &nix.of_project("example"),
        );
        run(&mut cut_off(&built))
    };
    capture(&["--no-prefill"]);
    build().ends_with(1);
    capture(&[]);
    drop(origin);
    build().ok();
}

fn buildproxy_capture_captures(nix: &Nix) {
    let nix = NixScene::new(nix);
    let mut help = nix.nix(&["run"], &nix.of_project("buildproxy-capture"));
    let said = run(help.args(["--", "--help"])).ok().stdout;
    assert!(
        said.contains("Usage: buildproxy capture [OPTIONS] [-- <COMMAND>...]"),
        "{said}"
    );
}

/// With few entries: how long it takes says nothing here.
fn the_benchmark_of_the_evaluation_runs(nix: &Nix) {
    let scene = Scene::new();
    let mut benchmark = scene.command("bash");
    benchmark
        .arg(checkout("tests/bench/evaluation"))
        .args(["20", "2"]);
    let table = run(benchmark.env("NIX", nix.program())).ok().stdout;
    let rows: Vec<Vec<_>> = table
        .lines()
        .map(|row| row.split('|').map(str::trim).collect())
        .collect();
    let [titles, line, row] = rows.as_slice() else {
        panic!("{table}");
    };
    assert_eq!(titles.len(), row.len(), "{table}");
    assert_eq!(line.len(), row.len(), "{table}");
    assert!(row[1].starts_with("nix (Nix) "), "{table}");
    assert_eq!(row[2], "20");
    for number in [
        row[3].strip_suffix(" s").unwrap(),
        row[4].strip_suffix(" s").unwrap(),
        row[5],
    ] {
        assert!(number.parse::<f64>().unwrap() > 0.0, "{table}");
    }
}

fn the_shell_runs_a_command(nix: &Nix) {
    need("curl", "curl");
    let nix = NixScene::new(nix);
    nix.write_flake(
        r#"
        shell = mkBuildproxyShell [
          { url = "https://a.test/"; file = builtins.toFile "body" "body of a"; }
        ];
        transparent = mkBuildproxyShell {
          transparent = true;
          content = [ { url = "https://a.test:8443/"; file = builtins.toFile "body" "body of a"; } ];
        };
        strict = mkBuildproxyShell {
          strict = true;
          content = [ { url = "https://a.test/"; file = builtins.toFile "body" "body of a"; } ];
          overrides."https://a.test" = builtins.toFile "body" "another";
          patches."https://a.test" = body: pkgs.runCommand "loud" { } "tr a-z A-Z <${body} >$out";
        };"#,
    );
    let shell_of = |attribute: &str, command: &[&str]| {
        let mut shell = nix.nix(&["run"], &nix.of_flake(attribute));
        run(shell.arg("--").args(command))
    };
    let shell = |command: &[&str]| shell_of("shell", command);
    let curl = ["curl", "--fail", "--silent", "--show-error"];
    let said = shell(&[&curl[..], &["https://a.test/"]].concat()).ok();
    assert_eq!(said.stdout, "body of a");
    shell(&["sh", "-c", "exit 7"]).ends_with(7);
    let said = shell_of(
        "transparent",
        &[&curl[..], &["https://a.test:8443/"]].concat(),
    )
    .ok();
    assert_eq!(said.stdout, "body of a");
    let said = shell_of("strict", &[&curl[..], &["https://a.test/"]].concat()).ok();
    assert_eq!(said.stdout, "ANOTHER");
    shell_of(
        "strict",
        &["sh", "-c", "curl -sS https://a.test/other; exit 0"],
    )
    .ends_with(4)
    .says("buildproxy: no request was answered; these were not");
    shell(&[&curl[..], &["https://a.test/other"]].concat())
        .ends_with(22)
        .says("GET https://a.test/other");
}
