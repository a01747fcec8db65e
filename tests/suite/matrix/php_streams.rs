//! PHP, by its own streams.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "PHP's streams",
    explicit: Explicit::No("a program would have to ask for the proxy itself"),
    remarks: "",
    needs: &[
        Need::Program("php", "php-cli"),
    ],
    source: Source::Folder(HELLO),
    script: "
        cat >get.php <<'END'
<?php
foreach (['secure' => 'https://a.example.org/hello.txt', 'plain' => 'http://b.example.org/hello.txt'] as $file => $url) {
    $text = file_get_contents($url);
    if ($text === false) exit(1);
    file_put_contents($file, $text);
}
END
        php get.php",
    results: &["/secure", "/plain"],
};
