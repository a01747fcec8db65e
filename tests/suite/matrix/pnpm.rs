//! pnpm.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "pnpm",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Own("node/node_modules/.bin/pnpm")],
    source: Source::Registry,
    script: "
        echo '{}' >package.json
        $CLIENTS/node/node_modules/.bin/pnpm add --silent --store-dir $PWD/store is-number@7.0.0",
    results: &["/is-number@7.0.0/node_modules/is-number/index.js"],
};
