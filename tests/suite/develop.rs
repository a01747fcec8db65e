//! `nix develop`: the shell for work on buildproxy, and that of a package which is built with it.

use crate::support::{Machine, Nix, Origin, need, text, with_both};

with_both![
    the_shell_for_work_on_buildproxy_opens,
    in_the_shell_of_a_package_its_downloads_are_answered,
    nix_shell_answers_where_the_proxy_is_an_input,
];

fn machine(nix: &Nix) -> (Machine, Origin) {
    need("unshare", "util-linux");
    let origin = Origin::start(|_| text(include_str!("../../LICENSE-APACHE")));
    (Machine::new(nix, &origin), origin)
}

fn the_shell_for_work_on_buildproxy_opens(nix: &Nix) {
    let (machine, _origin) = machine(nix);
    // In the stub, the programs are those of this machine.
    let script = r#"[[ -n $IN_NIX_SHELL && $nativeBuildInputs == "/usr /usr"* ]] && echo is open"#;
    let command = format!("cd ../buildproxy && nix develop --command bash -c '{script}'");
    let said = machine.shell(&command).ok().stdout;
    assert!(said.ends_with("is open\n"), "{said}");
}

/// What its phase would source is sourced by hand.
fn in_the_shell_of_a_package_its_downloads_are_answered(nix: &Nix) {
    need("make", "make");
    let (machine, origin) = machine(nix);
    let script = r#"eval "$prePatch" && make -C example/src && echo is made"#;
    let command = format!("cd ../buildproxy && nix develop .#example --command bash -c '{script}'");
    let said = machine.shell(&command).ok().stdout;
    assert!(said.ends_with("is made\n"), "{said}");
    // By fetchurl.
    assert_eq!(origin.asked().len(), 1, "{:?}", origin.asked());
}

/// There the setup of the derivation is that of the shell itself. A miss ends no shell, however strict.
fn nix_shell_answers_where_the_proxy_is_an_input(nix: &Nix) {
    need("curl", "curl");
    let (machine, _origin) = machine(nix);
    machine.write(
        "shell.nix",
        r#"
        let
          pkgs = import <nixpkgs> { };
          inherit (import ../buildproxy { inherit pkgs; }) mkBuildproxy;
        in
        pkgs.stdenv.mkDerivation {
          name = "shell";
          nativeBuildInputs = [
            pkgs.curl
            (mkBuildproxy {
              content = [ { url = "https://a.test/"; file = builtins.toFile "body" "the body\n"; } ];
              strict = true;
            })
          ];
        }"#,
    );
    let script = "curl -sSf https://a.test/; curl -sS https://a.test/miss; echo goes on";
    let command = format!("NIX_BUILD_SHELL=$(command -v bash) nix-shell --run '{script}'");
    let said = machine.shell(&command).ok().stdout;
    assert!(said.contains("the body\n"), "{said}");
    assert!(said.contains("miss: GET https://a.test/miss"), "{said}");
    assert!(said.contains("\ngoes on\nbuildproxy: 1 request"), "{said}");
    assert!(!said.contains("the build fails"), "{said}");
}
