# What people write: dotted names, patched files, short texts, and comments.
{ fetchurl, ... }@args:
[
  # Patched, see the commit.
  {
    url = "HTTPS://Example.org:443/a.txt";
    file = ./proxy_content/a.txt;
    headers.etag = "\"1\"";
    headers."x-note" = ''a ''${b}'';
  }

  {
    url = https://example.org/b;
    method = "POST";
    status_code = 201;
    headers = {
      Link = [ "<a>" "<b>" ];
    };
    headers.x-more = "c";
    file = (builtins.toFile "b" "text\n");
    request = { authorization = true; headers.accept = "text/plain"; };
    request.body = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  }
  ({
    "url" = "https://example.org/c";
    file = fetchurl {
      urls = [ "https://example.org/c?d=e" "https://mirror.example.org/c" ];
      hash = "";
      curlOptsList = [ "--header" args.header ];
      meta = with args.lib; { license = licenses.mit; };
      postFetch = "";
      executable = false;
    };
  })
  {
    url = "https://example.org/d";
    file = ./. + "/proxy content/d";
  }
  {
    url = "https://example.org/e";
    file = "/nix/store/0000-e";
  }
]
