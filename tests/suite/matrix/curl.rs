//! curl.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "curl",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("curl", "curl")],
    source: Source::Folder(HELLO),
    script: "
        curl -fsSo secure https://a.example.org/hello.txt
        curl -fsSo plain http://b.example.org/hello.txt",
    results: &["/secure", "/plain"],
};
