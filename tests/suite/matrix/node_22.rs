//! A node that heeds the environment, with all that it has of its own to download with.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "node 22's fetch, http and https",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Own("node22/node_modules/node/bin/node")],
    source: Source::Folder(HELLO),
    script: "
        cat >get.mjs <<'END'
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';

for (const [name, get, url] of [
  ['secure', https.get, 'https://a.example.org/hello.txt'],
  ['plain', http.get, 'http://b.example.org/hello.txt'],
]) {
  get(url, (answer) => {
    if (answer.statusCode !== 200) process.exit(1);
    answer.pipe(createWriteStream(name));
  });
}
const answer = await fetch('https://c.example.org/hello.txt');
if (!answer.ok) throw new Error(answer.statusText);
await writeFile('fetched', await answer.text());
END
        $CLIENTS/node22/node_modules/node/bin/node get.mjs",
    results: &["/secure", "/plain", "/fetched"],
};
