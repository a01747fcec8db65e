//! git over https, with git's own server.

use super::client::{Client, Explicit, Need, Source};
use crate::support::git;

pub(super) const CLIENT: Client = Client {
    name: "git over http and https",
    explicit: Explicit::Yes,
    remarks: "also replayed to another version of git; not `ssh://` and `git://`",
    needs: &[Need::Program("git", "git")],
    source: Source::Served(REPOSITORY, |asked, folder| git::answer(folder, asked)),
    script: "
        git clone -q https://a.example.org/a.git clone
        git clone -q --depth 1 http://b.example.org/a.git shallow",
    results: &["/clone/hello", "/shallow/hello"],
};

/// A script that makes a repository, `a.git`.
pub(super) const REPOSITORY: &str = "
    git init -q -b main work
    cd work
    git config user.name name
    git config user.email name@example.org
    for n in 1 2 3; do
        echo $n >hello
        git add hello
        git commit -qm $n
    done
    git clone -q --bare . ../a.git
    git -C ../a.git update-server-info";
