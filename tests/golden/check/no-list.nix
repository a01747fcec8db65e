{ fetchurl }: {
  url = "https://example.org/a";
}
