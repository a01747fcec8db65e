//! What Electron's npm package downloads Electron with.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "@electron/get",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Own(
        "electron/node_modules/@electron/get/package.json",
    )],
    source: Source::Folder("mkdir v1.2.3; echo hello >v1.2.3/electron-v1.2.3-linux-x64.zip"),
    script: "
        cat >get.cjs <<'END'
const { downloadArtifact } = require(process.env.CLIENTS + '/electron/node_modules/@electron/get');
downloadArtifact({
  version: '1.2.3', artifactName: 'electron', platform: 'linux', arch: 'x64', cacheRoot: 'cache',
  unsafelyDisableChecksums: true, mirrorOptions: { mirror: 'https://files.example.org/' },
}).catch((error) => { console.error(error); process.exit(1); });
END
        node get.cjs",
    results: &["/electron-v1.2.3-linux-x64.zip"],
};
