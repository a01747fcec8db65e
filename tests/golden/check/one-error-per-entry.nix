{ fetchurl }:
[
  {
    url = "https://example.org/a";
    statuscode = 200;
  }
  {
    url = "https://example.org/b";
    url = "https://example.org/c";
  }
  {
    url = "https://example.org/d";
    file = fetchurl {
      url = "https://example.org/d";
      hash = "sha256-AAAA";
    };
  }
  {
    url = "https://example.org/e";
    file = fetchurl {
      url = "https://example.org/e";
    };
  }
  {
    url = "ftp://example.org/f";
  }
  {
    url = "https://example.org/g";
    file = "./g";
  }
  {
    url = "http://example.org/fine";
    file = fetchurl {
      url = "http://example.org/fine";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
  }
  {
    url = "http://example.org/fine";
  }
  {
    url = "https://example.org/h";
    request.headers.authorization = "Basic c2VjcmV0";
  }
  {
    url = "https://example.org/i";
    headers.connection = "close";
  }
  {
    status_code = "200";
  }
]
