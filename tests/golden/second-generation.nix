# The newer of nix-buildproxy's two generations: statuses, headers, and answers without a body.
{ fetchurl }:
[
  {
    url = "https://example.org/dist/a-1.0.tar.gz";
    file = fetchurl {
      name = "a-1.0.tar.gz";
      url = "https://example.org/dist/a-1.0.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = {
      "content-type" = "application/gzip";
    };
  }
  {
    url = "https://example.org/latest";
    file = null;
    status_code = 302;
    headers = {
      "location" = "https://example.org/dist/a-1.0.tar.gz";
    };
  }
]
