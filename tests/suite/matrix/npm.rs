//! npm.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "npm",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("npm", "npm")],
    source: Source::Registry,
    script: "
        echo '{}' >package.json
        npm install --silent --cache cache is-number@7.0.0",
    results: &["/node_modules/is-number/index.js"],
};
