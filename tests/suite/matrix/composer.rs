//! Composer.

use super::client::{Client, Explicit, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "Composer",
    explicit: Explicit::Yes,
    remarks: "",
    needs: &[Need::Program("composer", "composer")],
    source: Source::Folder(
        r#"
        mkdir hello
        echo '{"name":"example/hello"}' >hello/composer.json
        tar -cf hello.tar hello
        echo '{"packages":{"example/hello":{"1.0.0":{"name":"example/hello","version":"1.0.0",
            "dist":{"type":"tar","url":"https://files.example.org/hello.tar"}}}}}' >packages.json"#,
    ),
    script: r#"
        cat >composer.json <<'END'
{
  "repositories": [
    { "packagist": false },
    { "type": "composer", "url": "https://packages.example.org" }
  ],
  "require": { "example/hello": "1.0.0" }
}
END
        COMPOSER_ALLOW_SUPERUSER=1 composer install --quiet --no-interaction"#,
    results: &["/vendor/example/hello/composer.json"],
};
