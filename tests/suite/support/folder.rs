//! A folder as a web server gives it out.

use std::{fs, path::Path};

use buildproxy::proxy::{Body, full};
use http::{HeaderValue, Response, Uri};

use super::{Asked, answer as short};

/// The file that a URL names, whatever its host; `index` for a folder.
pub(crate) fn answer(asked: &Asked, folder: &Path) -> Response<Body> {
    let uri = Uri::try_from(&asked.url).unwrap();
    let mut path = folder.join(uri.path().trim_start_matches('/'));
    if path.is_dir() {
        path.push("index");
    }
    match fs::read(&path) {
        Ok(content) => {
            let kind = path.extension().and_then(|kind| kind.to_str());
            let mut response = Response::new(full(content));
            let kind = HeaderValue::from_static(content_type(kind.unwrap_or_default()));
            response.headers_mut().insert("content-type", kind);
            response
        }
        Err(_) => short(404, &[("content-type", "text/plain")], "not here\n"),
    }
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "gz" => "application/gzip",
        "html" => "text/html",
        "json" => "application/json",
        "txt" => "text/plain",
        "xml" | "pom" => "text/xml",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}
