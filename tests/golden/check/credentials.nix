{ fetchurl }:
[
  {
    url = "https://user:topsecret@example.org/a";
  }
  {
    url = "https://example.org/b";
    file = fetchurl {
      url = "https://user:topsecret@example.org/b";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
  }
  {
    url = "user:topsecret@example.org/c";
  }
]
