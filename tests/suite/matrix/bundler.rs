//! bundler.

use super::{
    client::{Client, Explicit, Need, Source},
    gem,
};

pub(super) const CLIENT: Client = Client {
    name: "bundler",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("bundle", "bundler")],
    source: Source::Folder(gem::SERVER),
    script: "
        printf '%s\\n' \"source 'https://gems.example.org'\" \"gem 'hello'\" >Gemfile
        bundle config set --local path gems
        bundle install --quiet",
    results: &["/gems/hello-1.0.0/lib/hello.rb"],
};
