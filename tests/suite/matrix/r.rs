//! R's `install.packages`.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "R",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("Rscript", "r-base-core")],
    source: Source::Folder(
        r#"
        mkdir -p hello/R src/contrib
        cat >hello/DESCRIPTION <<'END'
Package: hello
Version: 1.0
Title: Hello
Description: Hello.
Author: Name
Maintainer: Name <name@example.org>
License: GPL-2
END
        echo 'export(hello)' >hello/NAMESPACE
        echo 'hello <- function() "hello"' >hello/R/hello.R
        R CMD build hello >build.log
        mv hello_1.0.tar.gz src/contrib
        Rscript -e 'tools::write_PACKAGES("src/contrib")'"#,
    ),
    script: r#"
        mkdir library archives
        Rscript -e 'install.packages("hello", "library", "https://packages.example.org",
            destdir = "archives", quiet = TRUE)'
        test -e library/hello/DESCRIPTION"#,
    results: &["/archives/hello_1.0.tar.gz"],
};
