//! What nixpkgs does to a package that is built behind replay, in real sandboxes: it hands hooks and inputs on
//! to fetchers, its builds have traps and hooks of their own, and its fetchurl names what it fetches.

use std::fs;

use buildproxy::inventory::Sri;

use crate::support::{Machine, Nix, NixScene, Origin, answer, cut_off, need, run, text, with_both};

with_both![
    a_fetcher_that_is_given_the_hooks_of_a_package_has_the_network,
    strict_holds_whatever_the_build_does_with_its_traps,
    of_two_inputs_the_strict_one_holds,
    the_phases_of_a_package_are_captured,
    an_updated_pin_is_in_the_store_under_the_name_that_fetchurl_gives_it,
    nix_and_update_try_the_same_urls,
];

/// As for npm, Go and cargo: what fetches the dependencies is a fixed output with the `prePatch`, `preBuild`
/// and `nativeBuildInputs` of the package.
fn a_fetcher_that_is_given_the_hooks_of_a_package_has_the_network(nix: &Nix) {
    let nix = NixScene::new(nix);
    let origin = Origin::with_texts(&[("/", "hello")]);
    nix.write_flake(
        &r#"
        fetchers = let
          content = [ { url = "https://elsewhere.test/"; } ];
          proxy = mkBuildproxy { inherit content; strict = true; };
          transparent = mkBuildproxy { inherit content; transparent = true; };
          fetcher = name: attributes: pkgs.stdenv.mkDerivation ({
            inherit name;
            outputHash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
            outputHashMode = "flat";
            dontUnpack = true;
            buildPhase = ''
              runHook preBuild
              curl --insecure --noproxy "" --fail --silent --show-error URL >$out
            '';
            installPhase = ":";
            fixupPhase = ":";
          } // attributes);
          ways = {
            hooks = { prePatch = "source ${proxy}"; preBuild = "source ${proxy}"; };
            input = { nativeBuildInputs = [ proxy ]; };
            transparent = { nativeBuildInputs = [ transparent ]; };
          };
          # Nix 2.8 fails to hand structured attributes to a sandbox of the kind that the tests use.
          kinds = [ false ] ++ (if builtins.compareVersions builtins.nixVersion "2.9" >= 0 then [ true ] else [ ]);
          all = builtins.concatMap (
            structured: map (way:
              fetcher "${way}-${if structured then "structured" else "plain"}"
                (ways.${way} // { __structuredAttrs = structured; })
            ) (builtins.attrNames ways)
          ) kinds;
        in
          pkgs.runCommand "fetchers" { inherit all; } "cat $all >$out";"#
            .replace("URL", &format!("https://127.0.0.1:{}/", origin.https_port())),
    );
    let built = nix.build(&origin, &nix.of_flake("fetchers"));
    let fetched = fs::read_to_string(built).unwrap();
    assert!(
        matches!(
            fetched.as_str(),
            "hellohellohello" | "hellohellohellohellohellohello"
        ),
        "{fetched}"
    );
    assert_eq!(origin.asked().len(), fetched.len() / "hello".len());
}

/// The first phase has a miss, and the last one a trap.
fn strict_holds_whatever_the_build_does_with_its_traps(nix: &Nix) {
    let nix = NixScene::new(nix);
    let cases = [
        (
            "later",
            r#"preBuild = miss; preFixup = "trap 'echo mine' EXIT";"#,
        ),
        (
            "exits",
            r#"preConfigure = "trap 'exit 0' EXIT"; preBuild = miss;"#,
        ),
        ("none", r#"preBuild = "trap - EXIT"; preFixup = miss;"#),
        ("hook", r#"exitHook = "exit 0"; preBuild = miss;"#),
        (
            "before",
            r#"preUnpack = "trap 'exit 0' EXIT"; preBuild = miss;"#,
        ),
    ];
    let case = |(name, phases): &(&str, &str)| format!("{name} = package {{ {phases} }};");
    let attributes = r#"
        } // (let
          miss = "curl --silent --output body https://a.test/missing";
          package = attributes: pkgs.stdenv.mkDerivation ({
            name = "package";
            dontUnpack = true;
            unpackPhase = "runHook preUnpack";
            prePatch = "source ${mkBuildproxy {
              content = [ { url = "https://a.test/"; } ];
              strict = true;
            }}";
            buildPhase = "runHook preBuild; touch $out";
            installPhase = ":";
          } // attributes);
        in { CASES }) // {"#;
    let all: String = cases.iter().map(case).collect();
    nix.write_flake(&attributes.replace("CASES", &all));
    for (name, _) in cases {
        nix.fail_to_build(&nix.of_flake(name))
            .says("> buildproxy: miss: GET https://a.test/missing is not in the inventory")
            .says("> buildproxy: strict: the build fails, as not all was answered")
            .says("failed with exit code 4");
    }
}

/// Both have the same inventory. Two networks cannot be had, and that is said.
fn of_two_inputs_the_strict_one_holds(nix: &Nix) {
    let nix = NixScene::new(nix);
    nix.write_flake(
        r#"
        } // (let
          content = [ { url = "https://a.test/"; } ];
          strict = mkBuildproxy { inherit content; strict = true; };
          lenient = mkBuildproxy { inherit content; };
          around = mkBuildproxy { inherit content; strict = true; transparent = true; };
          lenientlyAround = mkBuildproxy { inherit content; transparent = true; };
          package = nativeBuildInputs: start: pkgs.runCommand "package" { inherit nativeBuildInputs; } ''
            ${start}
            curl --silent --output $out https://a.test/missing
          '';
        in {
          phase = package [ lenient ] "source ${strict}";
          first = package [ strict lenient ] "source ${lenient}";
          mixed = package [ lenient around ] "source ${lenient}";
          inside = package [ lenientlyAround strict ] "";
          two = package [ lenientlyAround around ] "";
        }) // {"#,
    );
    for name in ["phase", "first", "mixed", "inside"] {
        nix.fail_to_build(&nix.of_flake(name))
            .says("> buildproxy: miss: GET https://a.test/missing is not in the inventory")
            .says("failed with exit code 4");
    }
    nix.fail_to_build(&nix.of_flake("two"))
        .says("answers this build already; of transparent mkBuildproxys there can be one")
        .says("failed with exit code 1");
}

/// In a shell, they source the script as ever; a replay inside of the capture answers all the same.
fn the_phases_of_a_package_are_captured(nix: &Nix) {
    need("curl", "curl");
    need("unshare", "util-linux");
    let origin = Origin::start(|_| text("captured\n"));
    let machine = Machine::new(nix, &origin);
    machine.write(
        "shell.nix",
        r#"
        let
          pkgs = import <nixpkgs> { };
          inherit (import ../buildproxy { inherit pkgs; }) mkBuildproxy;
          content = [ { url = "http://a.test/"; file = builtins.toFile "body" "replayed\n"; } ];
        in
        pkgs.stdenv.mkDerivation {
          name = "package";
          nativeBuildInputs = [
            (mkBuildproxy { inherit content; strict = true; })
            (mkBuildproxy { inherit content; transparent = true; })
          ];
          prePatch = "source ${mkBuildproxy content}";
          inventory = (mkBuildproxy content).manifest;
        }"#,
    );
    let get = "curl -sSf http://a.test/";
    let script = format!(
        r#"eval "$prePatch"; {get}; buildproxy replay "$inventory" -- bash -c "eval \"\$prePatch\"; {get}""#
    );
    let command = format!(
        "nix build --no-write-lock-file --out-link ../program ../buildproxy#buildproxy &&
        export NIX_BUILD_SHELL=$(command -v bash) PATH=$PWD/../program/bin:$PATH &&
        buildproxy capture --no-prefill -- nix-shell --run '{script}'"
    );
    let said = machine.shell(&command).ok().stdout;
    assert!(said.contains("captured\nreplayed\n"), "{said}");
    assert!(said.contains("1 download captured (1 new, "), "{said}");
    let told = " answers nothing here, as this build is captured\n";
    assert_eq!(said.matches(told).count(), 3, "{said}");
    assert_eq!(origin.asked().len(), 1, "{:?}", origin.asked());
}

/// With no network, Nix has nothing but what is in its store already: under the very names, be the file
/// literals or evaluated.
fn an_updated_pin_is_in_the_store_under_the_name_that_fetchurl_gives_it(nix: &Nix) {
    need("nix-store", "nix-bin");
    need("nix-instantiate", "nix-bin");
    let origin = Origin::start(|_| text("hello"));
    let pins = [
        r#"url = "https://a.test/dist/a.tar.gz?path=b/c";"#,
        r#"url = "https://a.test/named"; name = "a-named-file";"#,
        r#"url = "https://a.test/unknown"; name = "";"#,
        r#"url = "https://a.test/versioned"; pname = "tool"; version = "1.0"; name = "other";"#,
        r#"urls = [ "https://a.test/first?x=1" "https://b.test/second" ];"#,
        r#"url = "https://a.test/.hidden/";"#,
    ];
    for (head, hash) in [
        ("", r#"sha256 = "";"#),
        (
            "let lib = null; in",
            r#"outputHash = ""; outputHashAlgo = "sha256";"#,
        ),
    ] {
        let entries = pins.iter().enumerate().map(|(number, pin)| {
            let url = format!("https://entry.test/{number}");
            format!("{{ url = \"{url}\"; file = fetchurl {{ {pin} {hash} }}; }}\n")
        });
        let inventory = format!(
            "{{ fetchurl }}: {head} [\n{}]\n",
            entries.collect::<String>()
        );
        let nix = NixScene::new(nix);
        nix.write_flake("proxy = mkBuildproxy ./proxy_content.nix;");
        let file = nix.home().join("proxy_content.nix");
        fs::write(&file, inventory).unwrap();
        let ca = nix.home().join("ca.crt");
        fs::copy(origin.ca(), &ca).unwrap();
        let mut update = nix.buildproxy();
        update.args(["update", "proxy_content.nix"]);
        update.args(origin.connect_to()).env("SSL_CERT_FILE", ca);
        let said = run(&mut update).ok();
        assert!(!said.stderr.contains("Nix store"), "{}", said.stderr);
        fs::copy(&file, nix.file("proxy_content.nix")).unwrap();
        let build = ["build", "--no-link", "--print-build-logs"];
        run(&mut cut_off(&nix.nix(&build, &nix.of_flake("proxy")))).ok();
    }
}

/// The first of them that gives anything, with the options that only Nix knows how to follow.
fn nix_and_update_try_the_same_urls(nix: &Nix) {
    need("curl", "curl");
    let hello = Sri::sha256_of(b"hello");
    let origin = Origin::start(|asked| match asked.url.as_str() {
        "https://a.test/second" => text("hello"),
        "https://a.test/told" if asked.header("x-told") == Some("a b") => text("hello"),
        _ => answer(404, &[], "none\n"),
    });
    let nix = NixScene::new(nix);
    nix.write(
        "proxy_content.nix",
        &r#"{ fetchurl }: [
          { url = "https://a.test/1"; file = fetchurl { urls = [ "https://a.test/first" "https://a.test/second" ]; hash = "HASH"; }; }
          { url = "https://a.test/2"; file = fetchurl { url = "https://a.test/told"; curlOptsList = [ "--header" "x-told: a b" ]; hash = "HASH"; }; }
        ]"#
        .replace("HASH", &hello.to_string()),
    );
    nix.write_flake("proxy = mkBuildproxy ./proxy_content.nix;");
    nix.build(&origin, &nix.of_flake("proxy"));
    let before = origin.asked().len();
    fs::copy(origin.ca(), nix.home().join("ca.crt")).unwrap();
    let mut check = nix.buildproxy();
    check
        .args(["check", "--fetch"])
        .arg(nix.file("proxy_content.nix"));
    check.args(origin.connect_to());
    let said = run(check.env("SSL_CERT_FILE", nix.home().join("ca.crt"))).ok();
    assert!(
        said.stdout
            .contains(":3: warning: the pin of https://a.test/told has `curlOptsList`"),
        "{said:?}"
    );
    assert_eq!(origin.asked().len(), before + 2);
}
