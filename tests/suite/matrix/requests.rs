//! Python's requests.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Python's requests",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Own("python/bin/python3")],
    source: Source::Folder(HELLO),
    script: "
        cat >get.py <<'END'
import requests
for name, url in [
    ('secure', 'https://a.example.org/hello.txt'),
    ('plain', 'http://b.example.org/hello.txt'),
]:
    answer = requests.get(url)
    answer.raise_for_status()
    open(name, 'wb').write(answer.content)
END
        $CLIENTS/python/bin/python3 get.py",
    results: &["/secure", "/plain"],
};
