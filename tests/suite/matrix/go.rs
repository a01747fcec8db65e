//! go, from a module proxy.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "go",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[
        Need::Program("go", "golang-go"),
        Need::Program("python3", "python3"),
    ],
    source: Source::Folder(
        r#"
        mkdir -p example.org/hello/@v
        cd example.org/hello/@v
        echo v1.0.0 >list
        echo '{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}' >v1.0.0.info
        echo 'module example.org/hello' >v1.0.0.mod
        cat >zip.py <<'END'
import zipfile
with zipfile.ZipFile('v1.0.0.zip', 'w') as zip:
    zip.writestr('example.org/hello@v1.0.0/go.mod', 'module example.org/hello\n')
    zip.writestr('example.org/hello@v1.0.0/hello.go', 'package hello\n')
END
        python3 zip.py"#,
    ),
    script: "
        export GOPROXY=https://proxy.example.org GOSUMDB=off GOFLAGS=-modcacherw
        export GOPATH=$PWD/go GOCACHE=$PWD/cache
        go mod init example.org/a
        go get example.org/hello@v1.0.0",
    results: &["/hello@v1.0.0/hello.go", "/go.sum"],
};
