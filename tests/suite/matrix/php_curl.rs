//! PHP, by curl.

use super::client::{Client, Explicit, HELLO, Need, Source};

pub(super) const CLIENT: Client = Client {
    name: "PHP's curl",
    explicit: Explicit::Yes,
    remarks: "`PHP_INI_SCAN_DIR` is extended",
    needs: &[
        Need::Program("php", "php-cli"),
        Need::Part("php -m | grep -q '^curl$'", "php-curl"),
    ],
    source: Source::Folder(HELLO),
    script: "
        cat >get.php <<'END'
<?php
foreach (['secure' => 'https://a.example.org/hello.txt', 'plain' => 'http://b.example.org/hello.txt'] as $file => $url) {
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_FAILONERROR => true]);
    $text = curl_exec($curl);
    if ($text === false) exit(1);
    file_put_contents($file, $text);
}
END
        php get.php",
    results: &["/secure", "/plain"],
};
