//! GNU Wget.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "wget",
    explicit: Explicit::Yes,
    remarks: "a wgetrc of yours is extended",
    needs: &[Need::Program("wget", "wget")],
    source: Source::Folder(HELLO),
    script: "
        wget -q -O secure https://a.example.org/hello.txt
        wget -q -O plain http://b.example.org/hello.txt",
    results: &["/secure", "/plain"],
};
