//! Python's urllib.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Python's urllib",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("python3", "python3")],
    source: Source::Folder(HELLO),
    script: "
        cat >get.py <<'END'
from urllib.request import urlretrieve
urlretrieve('https://a.example.org/hello.txt', 'secure')
urlretrieve('http://b.example.org/hello.txt', 'plain')
END
        python3 get.py",
    results: &["/secure", "/plain"],
};
