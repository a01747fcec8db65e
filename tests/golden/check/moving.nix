{ fetchurl }:
[
  {
    url = "https://github.com/o/r/archive/refs/heads/main.tar.gz";
    file = fetchurl {
      name = "r.tar.gz";
      url = "https://github.com/o/r/archive/refs/heads/main.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
  }
  {
    url = "https://example.org/nightly/tool.tar.gz";
    file = fetchurl {
      url = "https://example.org/nightly/tool.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
  }
  {
    # What is vendored does not move.
    url = "https://github.com/o/r/raw/main/a";
    file = builtins.toFile "a" "a";
  }
]
