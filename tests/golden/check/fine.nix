{ fetchurl }:
[
  {
    url = "http://example.org/a-1.0.tar.gz";
    file = fetchurl {
      url = "https://example.org/a-1.0.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
  }
  {
    url = "https://example.org/b";
    file = builtins.toFile "b" "text";
    status_code = 404;
  }
]
