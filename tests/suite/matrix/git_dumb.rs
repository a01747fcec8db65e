//! git over https, from a server that knows nothing of git.

use super::{
    client::{Client, Explicit, Need, Source},
    git,
};

pub(super) const CLIENT: Client = Client {
    name: "git from a plain web server",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("git", "git")],
    source: Source::Folder(git::REPOSITORY),
    script: "git clone -q https://a.example.org/a.git clone",
    results: &["/clone/hello"],
};
