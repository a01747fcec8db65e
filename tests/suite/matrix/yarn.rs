//! yarn 1.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "yarn 1",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Own("node/node_modules/.bin/yarn")],
    source: Source::Registry,
    script: "
        echo '{}' >package.json
        export YARN_CACHE_FOLDER=$PWD/cache YARN_REGISTRY=$(npm config get registry)
        $CLIENTS/node/node_modules/.bin/yarn add --silent is-number@7.0.0",
    results: &["/node_modules/is-number/index.js"],
};
