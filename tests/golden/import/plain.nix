{ fetchurl }:
[
  {
    url = "http://files.example.org:8080/a%2Fb";
    file = fetchurl {
      name = "a-2Fb";
      url = "http://files.example.org:8080/a%2Fb";
      hash = "sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==";
    };
    status_code = 200;
    headers = { };
  }
  {
    url = "https://files.example.org/empty";
    file = null;
    status_code = 200;
    headers = { };
  }
  {
    url = "https://files.example.org/hello-1.0.txt";
    file = fetchurl {
      name = "hello-1.0.txt";
      url = "https://files.example.org/hello-1.0.txt";
      hash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=";
    };
    status_code = 200;
    headers = { };
  }
  {
    url = "https://files.example.org/latest";
    file = null;
    status_code = 302;
    headers = {
      "location" = "https://files.example.org/hello-1.0.txt";
    };
  }
  {
    url = "https://files.example.org/m/org/x/a/maven-metadata.xml";
    file = builtins.toFile "maven-metadata.xml" "<metadata>\n  <version>\"1.0\" \${x}</version>\n</metadata>\n";
    status_code = 200;
    headers = { };
  }
]
