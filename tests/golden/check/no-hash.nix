{ fetchurl }:
[
  {
    url = "https://example.org/a";
    file = fetchurl {
      url = "https://example.org/a";
      hash = "";
    };
  }
  {
    url = "https://example.org/b";
    file = fetchurl {
      url = "https://example.org/b";
      sha256 = "0000000000000000000000000000000000000000000000000000";
    };
  }
]
