{ fetchurl }:
[
  {
    url = "https://example.org/a"
    status_code = 200;
  }
]
