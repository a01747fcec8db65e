//! pip.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "pip",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("pip", "python3-pip")],
    source: Source::Registry,
    script: "pip download --quiet --no-cache-dir --no-deps six==1.16.0",
    results: &["/six-1.16.0-py2.py3-none-any.whl"],
};
