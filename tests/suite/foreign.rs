//! Inventories that somebody else wrote, and that mean harm to whoever uses them.

use std::fs;

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
