//! `nix develop`: the shell for work on buildproxy, and that of a package which is built with it.

use crate::support::{Machine, Nix, Origin, need, text, with_both};

with_both![
    the_shell_for_work_on_buildproxy_opens,
    in_the_shell_of_a_package_its_downloads_are_answered,
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
