[
  {
    url = "https://example.org/a";
    file = ./proxy_content/a;
  }
  {
    url = "https://example.org/b";
    status_code = 404;

    file = ./. + "/proxy_content/b c";
  }
  {
    # It may not be built yet.
    url = "https://example.org/c";
    file = "/nix/store/00000000000000000000000000000000-c";
  }
]
