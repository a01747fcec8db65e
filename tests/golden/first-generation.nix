# The older of nix-buildproxy's two generations: a URL and a file, nothing else.
{ fetchurl }: [
  {
    url = "https://example.org/dist/a-1.0.tar.gz";
    file = fetchurl {
      url = "https://example.org/dist/a-1.0.tar.gz";
      hash = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    };
  }
  {
    url =
      "https://example.org/files/b.zip?raw=true";
    # Taken from the mirror, which is faster.
    file = (fetchurl {
      name = "b.zip";
      url = "https://mirror.example.org/b.zip";
      sha256 = "094qif9n4cq4fdg459qzbhg1c6wywawwaaivx0k0x8xhbyx4vwic";
    });
  }
]
