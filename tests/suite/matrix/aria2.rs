//! aria2.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "aria2",
    explicit: Explicit::No(
        "for https, it takes an authority from its own configuration file and from nowhere else",
    ),
    remarks: "",
    needs: &[Need::Program("aria2c", "aria2")],
    source: Source::Folder(HELLO),
    script: "
        aria2c -q -o secure https://a.example.org/hello.txt
        aria2c -q -o plain http://b.example.org/hello.txt",
    results: &["/secure", "/plain"],
};
