//! git over smart HTTP, against git's own server.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use buildproxy::proxy::full;
use bytes::Bytes;
use http::{Response, StatusCode, Uri};

use crate::support::{Asked, Origin, Scene, need, run};

/// A server of the repositories in a folder: `git http-backend`, by CGI (RFC 3875).
fn serve(repositories: PathBuf) -> Origin {
    Origin::start(move |asked| backend(&repositories, asked))
}

fn backend(repositories: &Path, asked: &Asked) -> Response<buildproxy::proxy::Body> {
    let uri = Uri::try_from(&asked.url).unwrap();
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repositories);
    backend
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &asked.method);
    backend
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default());
    for (variable, header) in [
        ("CONTENT_TYPE", "content-type"),
        ("GIT_PROTOCOL", "git-protocol"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
    ] {
        backend.env(variable, asked.header(header).unwrap_or_default());
    }
    backend.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = backend.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&asked.body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let body = Bytes::copy_from_slice(&output[end + 4..]);
    let mut response = Response::new(full(body));
    for line in std::str::from_utf8(&output[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            let status = value.split(' ').next().unwrap();
            *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap();
        } else {
            let name = http::HeaderName::try_from(name).unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}

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
    let origin = serve(scene.path("served"));
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
