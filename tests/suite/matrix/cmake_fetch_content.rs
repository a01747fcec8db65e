//! `FetchContent` of `CMake`, by URL.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "CMake's FetchContent",
    explicit: Explicit::Yes,
    remarks: "by URL; by git as git",
    needs: &[
        Need::Program("cmake", "cmake"),
        Need::Program("make", "make"),
    ],
    source: Source::Folder(
        "
        mkdir hello-1.0
        echo hello >hello-1.0/hello.txt
        tar -czf hello-1.0.tar.gz hello-1.0",
    ),
    script: "
        cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.14)
project(a NONE)
include(FetchContent)
FetchContent_Declare(hello URL https://a.example.org/hello-1.0.tar.gz)
FetchContent_MakeAvailable(hello)
END
        cmake -B build .",
    results: &["/hello-src/hello.txt"],
};
