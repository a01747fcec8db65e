//! GNU Wget2.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "wget2",
    explicit: Explicit::Yes,
    remarks: "a wget2rc of yours is extended",
    needs: &[Need::Program("wget2", "wget2")],
    source: Source::Folder(HELLO),
    script: "
        wget2 -q -O secure https://a.example.org/hello.txt
        wget2 -q -O plain http://b.example.org/hello.txt",
    results: &["/secure", "/plain"],
};
