//! pacman.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "pacman",
    explicit: Explicit::No("for https, it trusts the system's bundle and nothing else"),
    remarks: "",
    needs: &[
        Need::Program("pacman", "pacman-package-manager"),
        Need::Program("repo-add", "pacman-package-manager"),
        Need::Program("bsdtar", "libarchive-tools"),
        Need::Program("unshare", "util-linux"),
    ],
    source: Source::Folder(
        "
        printf '%s\\n' 'pkgname = hello' 'pkgver = 1.0-1' 'pkgdesc = hello' 'arch = any' >.PKGINFO
        echo hello >hello
        bsdtar -czf hello-1.0-1-any.pkg.tar.gz .PKGINFO hello
        repo-add -q example.db.tar.gz hello-1.0-1-any.pkg.tar.gz",
    ),
    // It wants to be root, which everybody else can be in a namespace.
    script: "
        mkdir -p root/var/lib/pacman cache
        cat >pacman.conf <<'END'
[options]
Architecture = auto
SigLevel = Never
[example]
Server = https://packages.example.org
END
        become='unshare --user --map-root-user'
        test $(id -u) != 0 || become=
        $become pacman --config pacman.conf --root root --dbpath root/var/lib/pacman --cachedir cache \\
            --logfile log --noconfirm -Syw hello",
    results: &["/cache/hello-1.0-1-any.pkg.tar.gz"],
};
