//! git's own server.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use buildproxy::proxy::{Body, full};
use bytes::Bytes;
use http::{Response, StatusCode, Uri};

use super::Asked;

/// What `git http-backend` answers for the repositories in a folder, by CGI (RFC 3875).
pub(crate) fn answer(repositories: &Path, asked: &Asked) -> Response<Body> {
    let uri = Uri::try_from(&asked.url).unwrap();
    let mut backend = Command::new("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", repositories);
    backend
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &asked.method);
    backend
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default());
    for (variable, header) in [
        ("CONTENT_TYPE", "content-type"),
        ("GIT_PROTOCOL", "git-protocol"),
        ("HTTP_CONTENT_ENCODING", "content-encoding"),
    ] {
        backend.env(variable, asked.header(header).unwrap_or_default());
    }
    backend.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = backend.spawn().unwrap();
    child.stdin.take().unwrap().write_all(&asked.body).unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let body = Bytes::copy_from_slice(&output[end + 4..]);
    let mut response = Response::new(full(body));
    for line in std::str::from_utf8(&output[..end]).unwrap().lines() {
        let (name, value) = line.split_once(": ").unwrap();
        if name == "Status" {
            let status = value.split(' ').next().unwrap();
            *response.status_mut() = StatusCode::from_bytes(status.as_bytes()).unwrap();
        } else {
            let name = http::HeaderName::try_from(name).unwrap();
            response.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    response
}
