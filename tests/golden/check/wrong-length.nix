# Edited by hand: the bodies are not those that were captured.
{ fetchurl }: [
  {
    url = "https://example.org/dist/a-1.0.tar.gz";
    file = fetchurl {
      url = "https://example.org/dist/a-1.0.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = {
      "content-type" = "application/gzip";
      "content-length" = "12345";
    };
  }
  {
    url = "https://example.org/text";
    # What the build needs of it, and no more.
    file = builtins.toFile "text" "hello";
    status_code = 200;
    headers = {
      "content-length" = "10"; # as it was
      "content-type" = "text/plain";
    };
  }
]
