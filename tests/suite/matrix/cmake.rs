//! `file(DOWNLOAD)` of `CMake`.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "CMake's file(DOWNLOAD)",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("cmake", "cmake")],
    source: Source::Folder(HELLO),
    script: r#"
        cat >get.cmake <<'END'
function(get url name)
  file(DOWNLOAD ${url} ${name} STATUS status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${status}")
  endif()
endfunction()
get(https://a.example.org/hello.txt secure)
get(http://b.example.org/hello.txt plain)
END
        cmake -P get.cmake"#,
    results: &["/secure", "/plain"],
};
