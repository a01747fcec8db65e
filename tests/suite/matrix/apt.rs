//! apt.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "apt",
    explicit: Explicit::Yes,
    remarks: "an apt.conf that `APT_CONFIG` names is extended",
    needs: &[
        Need::Program("apt-get", "apt"),
        Need::Program("apt-ftparchive", "apt-utils"),
        Need::Program("dpkg-deb", "dpkg"),
    ],
    source: Source::Folder(
        "
        mkdir -p hello/DEBIAN
        printf '%s\\n' 'Package: hello' 'Version: 1.0' 'Architecture: all' \\
            'Maintainer: Name <name@example.org>' 'Description: hello' >hello/DEBIAN/control
        dpkg-deb --root-owner-group -b hello hello_1.0_all.deb
        apt-ftparchive packages . >Packages
        gzip -kn Packages
        apt-ftparchive release . >Release.new
        mv Release.new Release",
    ),
    // It is given folders of its own. The test's own namespace has no other user that it could be; to
    // that of `--transparent`, buildproxy sees itself.
    script: "
        mkdir -p lists/partial cache/archives/partial
        echo 'deb [trusted=yes] https://deb.example.org ./' >sources.list
        user='-o APT::Sandbox::User='
        test -n \"${https_proxy-}\" || user=
        apt() {
            apt-get -q -o Dir::State::Lists=$PWD/lists -o Dir::Cache=$PWD/cache \\
                -o Dir::Etc::SourceList=$PWD/sources.list -o Dir::Etc::SourceParts=/dev/null \\
                -o Dir::State::status=/dev/null $user \"$@\"
        }
        apt update
        apt download hello",
    results: &["/hello_1.0_all.deb"],
};
