//! git over smart HTTP, against git's own server.

use std::path::{Path, PathBuf};

use crate::support::{Asked, Origin, Scene, git, need, run};

/// Every git on this machine: another version asks a little differently.
fn versions() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    let all = std::env::split_paths(&path).map(|folder| folder.join("git"));
    all.filter(|git| git.is_file()).collect()
}

#[test]
fn a_clone_is_replayed_to_another_git_and_at_a_terminal() {
    need("git", "git");
    need("script", "bsdutils");
    let scene = Scene::new();
    // Many branches make a request that is long enough for git to compress it.
    let prepare = "
        git init -q -b main repository && cd repository
        git config user.name name && git config user.email name@example.org
        for n in $(seq 60); do echo $n >file; git add file; git commit -qm $n; git branch b$n; done
        cd .. && git clone -q --bare repository served/a.git";
    run(scene.command("sh").args(["-ec", prepare])).ok();
    let repositories = scene.path("served");
    let origin = Origin::start(move |asked| git::answer(&repositories, asked));
    let clone = |git: &Path, options: &str| {
        let git = git.display();
        format!(
            "rm -rf clone; {git} clone {options} https://a.example.org/a.git clone
             git -C clone rev-parse HEAD origin/b7"
        )
    };
    let all = versions();
    let captured = scene.capture_script(&origin, &clone(&all[0], "-q")).ok();
    assert_eq!(captured.stdout.lines().count(), 2, "{captured:?}");
    let asked = origin.asked();
    let compressed = |asked: &Asked| asked.header("content-encoding") == Some("gzip");
    assert!(asked.iter().any(compressed), "the request is long enough");
    drop(origin);
    for git in &all {
        let replayed = scene.replay_script(&clone(git, "-q")).ok();
        assert_eq!(replayed.stdout, captured.stdout, "{git:?}");
        // At a terminal, git does not ask for silence.
        let clone = clone(git, "");
        let script = format!(
            "cat >clone.sh <<'END'\n{clone}\nEND\nscript -qec 'sh -e clone.sh' log | tail -n 2 | tr -d '\\r'"
        );
        let replayed = scene.replay_script(&script).ok();
        assert_eq!(replayed.stdout, captured.stdout, "{git:?}");
    }
}
