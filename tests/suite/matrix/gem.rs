//! gem.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "gem",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("gem", "ruby")],
    source: Source::Folder(SERVER),
    script: "
        gem install --clear-sources --source https://gems.example.org --install-dir gems --no-document hello",
    results: &["/gems/hello-1.0.0/lib/hello.rb"],
};

/// A script that makes a server of gems, with an index for gem and one for bundler.
pub(super) const SERVER: &str = r#"
    mkdir lib gems info
    echo 'module Hello; end' >lib/hello.rb
    cat >hello.gemspec <<'END'
Gem::Specification.new do |gem|
  gem.name = 'hello'
  gem.version = '1.0.0'
  gem.summary = 'hello'
  gem.authors = ['name']
  gem.files = ['lib/hello.rb']
end
END
    gem build --silent hello.gemspec
    mv hello-1.0.0.gem gems/
    gem generate_index --silent
    printf -- '---\n1.0.0 |checksum:%s\n' "$(sha256sum gems/hello-1.0.0.gem | cut -c1-64)" >info/hello
    cat >versions <<END
created_at: 2020-01-01T00:00:00Z
---
hello 1.0.0 $(md5sum info/hello | cut -c1-32)
END
"#;
