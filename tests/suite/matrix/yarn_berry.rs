//! yarn from 2 on.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "yarn 4",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Own("yarn4/node_modules/.bin/yarn")],
    source: Source::Registry,
    // It does not read npm's configuration.
    script: "
        echo '{}' >package.json
        touch yarn.lock
        export YARN_NPM_REGISTRY_SERVER=$(npm config get registry) YARN_NODE_LINKER=node-modules
        export YARN_ENABLE_GLOBAL_CACHE=false YARN_GLOBAL_FOLDER=$PWD/global
        $CLIENTS/yarn4/node_modules/.bin/yarn add is-number@7.0.0",
    results: &["/node_modules/is-number/index.js"],
};
