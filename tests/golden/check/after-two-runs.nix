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
      "content-length" = "5";
      "connection" = "keep-alive";
      "keep-alive" = "timeout=5";
    };
  }
  {
    url =
      "https://example.org/a-name-that-is-so-long-that-its-line-was-broken/info/refs-of-a-repository-to-upload";
    file = fetchurl {
      url =
        "https://example.org/a-name-that-is-so-long-that-its-line-was-broken/info/refs-of-a-repository-to-upload";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = { "content-length" = "5"; };
  }
  {
    url = "https://example.org/latest";
    file = null;
    status_code = 302;
    headers = {
      "content-length" = "0";
      "location" = "https://example.org/dist/a-1.0.tar.gz";
      "transfer-encoding" = "chunked";
    };
  }
  {
    url = "https://example.org/dist/a-1.0.tar.gz";
    file = fetchurl {
      url = "https://example.org/dist/a-1.0.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = {
      "content-length" = "5";
      "content-type" = "application/gzip";
    };
  }
  {
    url =
      "https://example.org/a-name-that-is-so-long-that-its-line-was-broken/info/refs-of-a-repository-to-upload";
    file = fetchurl {
      url =
        "https://example.org/a-name-that-is-so-long-that-its-line-was-broken/info/refs-of-a-repository-to-upload";
      hash = "sha256-LCa0a2j/xo/5m0U8HTBBNBNCLXBkg7+g+YpeiGJm564=";
    };
    status_code = 200;
    headers = { "content-length" = "3"; };
  }
]
