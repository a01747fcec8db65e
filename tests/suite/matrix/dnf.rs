//! dnf.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "dnf",
    explicit: Explicit::No(
        "for https, it trusts the system's bundle, or what its own configuration names",
    ),
    remarks: "",
    needs: &[
        Need::Program("dnf", "dnf"),
        Need::Program("rpmbuild", "rpm"),
        Need::Program("createrepo_c", "createrepo-c"),
        Need::Program("unshare", "util-linux"),
    ],
    source: Source::Folder(
        "
        cat >hello.spec <<'END'
Name: hello
Version: 1.0
Release: 1
Summary: hello
License: MIT
BuildArch: noarch
%description
hello
%files
END
        rpmbuild --quiet -bb --define \"_topdir $PWD/build\" --define \"_rpmdir $PWD\" hello.spec
        createrepo_c -q .",
    ),
    // It wants to be root, which everybody else can be in a namespace.
    script: "
        become='unshare --user --map-root-user'
        test $(id -u) != 0 || become=
        mkdir root
        $become dnf -q -y --installroot=$PWD/root --releasever=1 --nogpgcheck \\
            --setopt=reposdir=$PWD --setopt=cachedir=$PWD/cache --setopt=persistdir=$PWD/state \\
            --setopt=logdir=$PWD --setopt=pluginpath=$PWD \\
            --repofrompath=example,https://packages.example.org --repo=example \\
            install --downloadonly --destdir=$PWD/there hello",
    results: &["/there/hello-1.0-1.noarch.rpm"],
};
