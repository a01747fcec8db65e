//! What a package has: man pages, completions, and what the program refers to; and the form of Nix files.

use std::{fs, path::Path};

use crate::support::{Nix, NixScene, Scene, checkout, need, of_this_machine, own_clients, run};

/// What `--help` says of a verb, or of buildproxy itself.
fn help(scene: &Scene, verb: &[&str]) -> String {
    run(scene.buildproxy(verb).arg("--help")).ok().stdout
}

/// The verbs that `--help` lists.
fn verbs(scene: &Scene) -> Vec<String> {
    let help = help(scene, &[]);
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let listed = listed.lines().take_while(|line| !line.is_empty());
    // Of a line that is broken, the rest is further in.
    let listed = listed.filter(|line| !line.starts_with("   "));
    let names = listed.map(|line| line.split_whitespace().next().unwrap().to_owned());
    let verbs: Vec<_> = names.filter(|name| name != "help").collect();
    assert!(verbs.len() > 3, "{help}");
    verbs
}

#[test]
fn every_verb_has_a_page_with_all_that_its_help_lists() {
    need("groff", "groff-base");
    let scene = Scene::new();
    run(&mut scene.buildproxy(&["man", "new/folder"])).ok();
    let verbs = verbs(&scene);
    let mut expected: Vec<_> = verbs.iter().map(|verb| format!("-{verb}")).collect();
    expected.push(String::new());
    let pages = fs::read_dir(scene.path("new/folder")).unwrap();
    assert_eq!(pages.count(), expected.len());

    for verb in expected {
        let name = format!("new/folder/buildproxy{verb}.1");
        let mut groff = scene.command("groff");
        groff.args(["-man", "-ww", "-Tascii", "-P-cbou", "-rLL=200n", &name]);
        let page = run(&mut groff).ok();
        assert_eq!(page.stderr, "", "{name}");
        let verb: Vec<_> = verb.strip_prefix('-').into_iter().collect();
        // An option's line in the help begins with it, and so does the page's, but for what may be above.
        for line in help(&scene, &verb).lines().map(str::trim_start) {
            let names = line
                .split_whitespace()
                .take_while(|word| word.starts_with('-'));
            for name in names.map(|name| name.trim_end_matches(['.', ','])) {
                assert!(page.stdout.contains(name), "{name}: {}", page.stdout);
            }
        }
        let sections = match verb[..] {
            [] => &["VERBS", "EXIT STATUS", "FILES", "EXAMPLES"][..],
            _ => &["OPTIONS", "SEE ALSO"],
        };
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION"].iter().chain(sections) {
            let heads = |line: &str| line == *section;
            assert!(page.stdout.lines().any(heads), "{section}: {}", page.stdout);
        }
    }
}

#[test]
fn a_folder_for_pages_that_cannot_be_written_is_named() {
    let scene = Scene::new();
    run(&mut scene.buildproxy(&["man", "/proc/none"]))
        .ends_with(1)
        .says("failed to write man pages into '/proc/none'");
}

#[test]
fn shells_complete_verbs_and_options() {
    const BASH: &str = r#"
        source <("$0" completions bash)
        complete() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _buildproxy buildproxy "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"
            printf '%s\n' "${COMPREPLY[@]}"
        }
        complete buildproxy ''; complete buildproxy replay --s"#;
    const FISH: &str = r"
        $BUILDPROXY completions fish | source
        complete -C 'buildproxy '; complete -C 'buildproxy replay --s'";
    const ZSH: &str = r#"
        autoload -U compinit && compinit -u -D
        source <("$0" completions zsh) && echo $_comps[buildproxy]
        # It asks the line editor for the words; without one, what it would offer is printed.
        words=(buildproxy ''); CURRENT=2; curcontext=:
        _describe() { print -l ${(P)4} }
        _buildproxy_commands"#;
    let scene = Scene::new();
    for (shell, script) in [("bash", BASH), ("fish", FISH), ("zsh", ZSH)] {
        need(shell, shell);
        let buildproxy = env!("CARGO_BIN_EXE_buildproxy");
        let mut command = scene.command(shell);
        command.args(["-c", script, buildproxy]);
        let said = run(command.env("BUILDPROXY", buildproxy)).ok();
        assert_eq!(said.stderr, "", "{shell}");
        let said = said.stdout;
        let offered = |name: &str| {
            let mut lines = said.lines();
            lines.any(|line| line.split(['\t', ':']).next() == Some(name))
        };
        for verb in verbs(&scene) {
            assert!(offered(&verb), "{shell}: {verb}\n{said}");
        }
        assert!(!offered("become-command"), "{shell}\n{said}");
        let word = if shell == "zsh" {
            "_buildproxy"
        } else {
            "--strict"
        };
        assert!(offered(word), "{shell}\n{said}");
    }
}

/// nixpkgs has cargo run them with nothing but what the package takes of the sources, and no network.
#[test]
fn its_check_phase_has_what_the_librarys_tests_need() {
    need("cargo", "cargo");
    let nix = NixScene::new(&Nix::installed());
    let source = nix.of_project("buildproxy.src");
    let source = run(&mut nix.nix(&["eval", "--raw"], &source)).ok().stdout;
    let source = nix.home().join("store").join(&source[1..]);
    // Always the same folder, so that cargo has one build of it, not one for each time. It knows by the time of a file
    // whether to compile it again, and in a store all have the same.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("package");
    let _ = fs::remove_dir_all(&folder);
    let scene = Scene::new();
    let mut copy = scene.command("cp");
    run(copy
        .args(["-r", "--no-preserve=all"])
        .args([&source, &folder]))
    .ok();
    let mut cargo = of_this_machine("unshare", scene.root());
    // As in Nix's sandbox, with nothing but loopback.
    cargo.args(["--user", "--map-root-user", "--net", "--", "sh", "-ec"]);
    cargo.arg(r#"ip link set lo up; exec nice "$0" "$@""#);
    cargo.args(["cargo", "test", "--locked", "--offline", "--lib"]);
    cargo.current_dir(&folder);
    cargo.env("CARGO_TARGET_DIR", own_clients().parent().unwrap());
    let tested = run(&mut cargo).ok();
    assert!(
        tested.stdout.contains("; 0 failed; 0 ignored"),
        "{tested:?}"
    );
}

/// What a package of it refers to is libc, and what the compiler itself links.
#[test]
fn the_program_needs_libc_and_nothing_else() {
    need("objdump", "binutils");
    let scene = Scene::new();
    let mut objdump = scene.command("objdump");
    let headers = run(objdump.args(["-p", env!("CARGO_BIN_EXE_buildproxy")])).ok();
    let libraries = headers.stdout.lines().filter_map(|line| {
        let (kind, name) = line.trim().split_once(' ')?;
        (kind == "NEEDED").then_some(name.trim())
    });
    let libraries: Vec<_> = libraries.collect();
    assert!(libraries.contains(&"libc.so.6"), "{libraries:?}");
    let known = ["libc.so.", "libm.so.", "libgcc_s.so.", "ld-linux"];
    let is_known = |library: &&str| known.iter().any(|known| library.starts_with(known));
    assert!(libraries.iter().all(is_known), "{libraries:?}");
}

/// What `nix fmt` would leave as they are, but for what is to be read in any form.
#[test]
fn nix_files_are_formatted() {
    need("git", "git");
    let scene = Scene::new();
    let mut listed = scene.command("git");
    listed.arg("-C").arg(checkout(""));
    listed.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    listed.args(["*.nix", ":!tests/golden", ":!tests/corpus"]);
    let listed = run(&mut listed).ok().stdout;
    assert!(listed.lines().count() > 20, "{listed}");
    for name in listed.lines() {
        let text = fs::read_to_string(checkout(name)).unwrap();
        match nixfmt_rs::format(&text) {
            Ok(formatted) => {
                let both = text.lines().zip(formatted.lines());
                let same = both.take_while(|(is, wanted)| is == wanted).count();
                let wanted: Vec<_> = formatted.lines().skip(same).take(3).collect();
                let line = same + 1;
                assert!(text == formatted, "{name}:{line}: nixfmt has {wanted:#?}");
            }
            Err(error) => panic!("{name}: {}", nixfmt_rs::format_error(&text, None, &error)),
        }
    }
}
