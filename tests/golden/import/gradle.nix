{ fetchurl }:
[
  {
    url = "https://maven.example.org/m/org/x/a/1.10/a-1.10.jar";
    file = fetchurl {
      name = "a-1.10.jar";
      url = "https://maven.example.org/m/org/x/a/1.10/a-1.10.jar";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = { };
  }
  {
    url = "https://maven.example.org/m/org/x/a/1.10/a-1.10.pom";
    file = fetchurl {
      name = "a-1.10.pom";
      url = "https://maven.example.org/m/org/x/a/1.10/a-1.10.pom";
      hash = "sha256-WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=";
    };
    status_code = 200;
    headers = { };
  }
  {
    url = "https://maven.example.org/m/org/x/a/1.9/a-1.9-sources.jar";
    file = fetchurl {
      name = "a-1.9-sources.jar";
      url = "https://maven.example.org/m/org/x/a/1.9/a-1.9-sources.jar";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = { };
  }
  {
    url = "https://maven.example.org/m/org/x/a/maven-metadata.xml";
    file = builtins.toFile "maven-metadata.xml" "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata modelVersion=\"1.1.0\">\n  <groupId>org.x</groupId>\n  <artifactId>a</artifactId>\n  <versioning>\n    <latest>1.10</latest>\n    <release>1.10</release>\n    <versions>\n      <version>1.9</version>\n      <version>1.10</version>\n    </versions>\n    <lastUpdated>20240102030405</lastUpdated>\n  </versioning>\n</metadata>\n";
    status_code = 200;
    headers = { };
  }
  {
    url = "https://snapshots.example.org/org/x/a/2.0-SNAPSHOT/a-2.0-20231021.200112-6.module";
    file = fetchurl {
      name = "a-2.0-20231021.200112-6.module";
      url = "https://snapshots.example.org/org/x/a/2.0-SNAPSHOT/a-2.0-20231021.200112-6.module";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = { };
  }
  {
    url = "https://snapshots.example.org/org/x/a/2.0-SNAPSHOT/maven-metadata.xml";
    file = builtins.toFile "maven-metadata.xml" "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<metadata modelVersion=\"1.1.0\">\n  <groupId>org.x</groupId>\n  <artifactId>a</artifactId>\n  <version>2.0-SNAPSHOT</version>\n  <versioning>\n    <snapshot>\n      <timestamp>20231021.200112</timestamp>\n      <buildNumber>6</buildNumber>\n    </snapshot>\n    <lastUpdated>20231021200112</lastUpdated>\n    <snapshotVersions>\n      <snapshotVersion>\n        <extension>module</extension>\n        <value>2.0-20231021.200112-6</value>\n        <updated>20231021200112</updated>\n      </snapshotVersion>\n    </snapshotVersions>\n  </versioning>\n</metadata>\n";
    status_code = 200;
    headers = { };
  }
  {
    url = "https://tools.example.org/tool/tool-1.tar.gz";
    file = fetchurl {
      name = "tool-1.tar.gz";
      url = "https://tools.example.org/tool/tool-1.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
    status_code = 200;
    headers = { };
  }
]
