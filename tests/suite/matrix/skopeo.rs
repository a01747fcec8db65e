//! skopeo, from a registry of container images.

use std::path::Path;

use buildproxy::proxy::Body;
use http::{HeaderValue, Response};

use super::client::{Client, Explicit, Need, Source};
use crate::support::{Asked, answer as short, folder};

pub(super) const CLIENT: Client = Client {
    name: "skopeo",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("skopeo", "skopeo")],
    source: Source::Served(REGISTRY, answer),
    // The system's settings name a folder of signatures that not everybody may read.
    script: "
        mkdir settings
        echo \"default-docker: { lookaside: 'file://$PWD/none' }\" >settings/default.yaml
        skopeo --registries.d settings --insecure-policy copy -q docker://registry.example.org/hello:1 dir:image",
    results: &["/image/manifest.json", "/image/version"],
};

/// As the distribution specification of the OCI lays it out, with one image, `hello:1`.
const REGISTRY: &str = r#"
    mkdir -p v2/hello/blobs v2/hello/manifests
    touch v2/index
    blob() {
        size=$(stat -c %s $1)
        digest=sha256:$(sha256sum $1 | cut -c1-64)
        mv $1 v2/hello/blobs/$digest
        printf '{"mediaType":"application/vnd.oci.image.%s","digest":"%s","size":%d}' $2 $digest $size
    }
    echo hello >hello
    tar -cf layer.tar hello
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
        "$(sha256sum layer.tar | cut -c1-64)" >config
    gzip -n layer.tar
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' \
        "$(blob config config.v1+json)" "$(blob layer.tar.gz layer.v1.tar+gzip)" >v2/hello/manifests/1
"#;

/// A registry that wants a token, as most do, and gives one to everybody.
fn answer(asked: &Asked, folder: &Path) -> Response<Body> {
    if asked.url.contains("/token") {
        return short(
            200,
            &[("content-type", "application/json")],
            r#"{"token":"t"}"#,
        );
    }
    if asked.header("authorization") != Some("Bearer t") {
        let challenge = r#"Bearer realm="https://registry.example.org/token",service="registry""#;
        return short(401, &[("www-authenticate", challenge)], "who are you?\n");
    }
    let mut response = folder::answer(asked, folder);
    if asked.url.contains("/manifests/") {
        let kind = HeaderValue::from_static("application/vnd.oci.image.manifest.v1+json");
        response.headers_mut().insert("content-type", kind);
    }
    response
}
