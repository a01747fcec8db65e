//! The fetch of whatever node is installed.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "node's fetch",
    explicit: Explicit::From {
        version: "22.21 and 24.5",
        is_it: "node -e '
            const [major, minor] = process.versions.node.split(\".\").map(Number);
            const since = major == 22 ? 21 : major == 24 ? 5 : major > 24 ? 0 : 99;
            process.exitCode = minor >= since ? 0 : 1'",
    },
    remarks: "",
    needs: &[Need::Program("node", "nodejs")],
    source: Source::Folder(HELLO),
    script: "
        cat >get.mjs <<'END'
import { writeFile } from 'node:fs/promises';
for (const [name, url] of [
  ['secure', 'https://a.example.org/hello.txt'],
  ['plain', 'http://b.example.org/hello.txt'],
]) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(answer.statusText);
  await writeFile(name, await answer.text());
}
END
        node get.mjs",
    results: &["/secure", "/plain"],
};
