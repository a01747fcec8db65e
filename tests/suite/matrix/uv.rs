//! uv.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "uv",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[
        Need::Own("python/bin/uv"),
        Need::Program("python3", "python3"),
    ],
    source: Source::Registry,
    // It does not read pip's configuration.
    script: "
        index=$(pip config get global.index-url 2>/dev/null || true)
        export UV_INDEX_URL=${UV_INDEX_URL:-${PIP_INDEX_URL:-$index}}
        test -n \"$UV_INDEX_URL\" || unset UV_INDEX_URL
        $CLIENTS/python/bin/uv --no-cache pip install --quiet --target there six==1.16.0",
    results: &["/there/six.py"],
};
