{ fetchurl }:
[
  {
    url = "https://example.org/a";
    file = fetchurl {
      name = "a";
      url = "https://example.org/a";
      hash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=";
    };
    status_code = 200;
    headers = { };
  }
]
