# Each argument of mkBuildproxy does the same in a script that a phase sources and in one of
# nativeBuildInputs, with structured attributes (which are shell variables, and not exported) and without.
{
  lib,
  fetchurl,
  runCommand,
  stdenv,
  curl,
}:
let
  file = builtins.toFile;

  arguments = {
    strict = true;
    content = [
      {
        url = "https://a.test/a.jar";
        # Nobody can download it, and nobody has to.
        file = fetchurl {
          name = "a.jar";
          url = "https://a.test/a.jar";
          hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        };
        headers = {
          "content-type" = "application/java-archive";
          "etag" = "\"1\"";
          "last-modified" = "Sat, 01 Jan 2022 00:00:00 GMT";
          "x-checksum-sha1" = "9c1185a5c5e9fc54612808977ee8f548b2258d31";
          "x-meta-sha384" = "0";
          "x-size" = "10";
        };
      }
      {
        url = "https://a.test/a.jar";
        method = "HEAD";
        headers = {
          "content-length" = "10";
          "etag" = "\"1\"";
        };
      }
      {
        url = "https://a.test/text";
        file = file "text" "one\ntwo\nthree\n";
        headers = {
          "etag" = "\"1\"";
        };
      }
      {
        url = "https://a.test/text";
        file = file "other" "one\ntwo\nfour\n";
        request.headers.accept = "text/other";
      }
      {
        url = "https://a.test/text";
        method = "POST";
        file = file "posted" "posted";
      }
      {
        url = "http://a.test/loud?quiet=1";
        file = file "quiet" "quiet";
      }
      {
        url = "https://a.test/both";
        file = file "both" "downloaded";
        headers = {
          "content-encoding" = "gzip";
        };
      }
      {
        url = "https://a.test/same";
        file = file "same" "downloaded";
        headers = {
          "etag" = "\"1\"";
        };
      }
    ];
    # URLs need not be spelled as in the inventory.
    overrides = {
      "HTTPS://A.test:443/a.jar#classes" = "${library}/a.jar";
      "https://a.test/both" = file "both" "one\ntwo\nthree\n";
    };
    patches = {
      "https://a.test/text" = [ patch ];
      "https://a.test/both" = [ patch ];
      "http://a.test:80/loud?quiet=1" =
        body: runCommand "loud" { } "tr '[:lower:]' '[:upper:]' <${body} >$out";
    };
  };

  library = runCommand "library" { } "mkdir $out; echo -n built from source >$out/a.jar";

  patch = file "two.patch" ''
    --- a/text
    +++ b/text
    @@ -1,3 +1,3 @@
     one
    -two
    +zwei
     three
  '';

  build =
    name: transparent: structured: attributes: start:
    runCommand "check-arguments-${name}"
      (
        {
          strictDeps = true;
          # Nix 2.8 fails to hand them to a sandbox of the kind that the tests use.
          __structuredAttrs = structured && builtins.compareVersions builtins.nixVersion "2.9" >= 0;
          __darwinAllowLocalNetworking = true;
        }
        // attributes
      )
      ''
        ${start}
        get() { curl --fail --silent --show-error "$@"; }
        [[ ${lib.optionalString transparent "-z "}''${http_proxy-} ]]

        echo "overridden, without what was said of the downloaded bytes"
        [[ $(get --dump-header headers https://a.test/a.jar) == "built from source" ]]
        grep -i '^content-type: application/java-archive' headers
        if grep -iE '^(etag|last-modified|x-checksum|x-meta|x-size)' headers; then exit 1; fi
        get --head https://a.test/a.jar >headers
        grep -i '^content-length: 17' headers
        if grep -i ^etag headers; then exit 1; fi

        echo "patched, whatever the request says"
        [[ $(get --dump-header headers https://a.test/text) == $'one\nzwei\nthree' ]]
        if grep -i ^etag headers; then exit 1; fi
        [[ $(get --header 'accept: text/other' https://a.test/text) == $'one\nzwei\nfour' ]]
        [[ $(get 'http://a.test/loud?quiet=1') == QUIET ]]

        echo "overridden, and then patched"
        [[ $(get --dump-header headers https://a.test/both) == $'one\nzwei\nthree' ]]
        if grep -i ^content-encoding headers; then exit 1; fi

        echo "all else is as it was"
        [[ $(get --request POST https://a.test/text) == posted ]]
        [[ $(get --dump-header headers https://a.test/same) == downloaded ]]
        grep -i ^etag headers
        touch $out
      '';

  ways =
    structured:
    let
      name = lib.optionalString structured "-structured";
      input = proxy: {
        nativeBuildInputs = [
          curl
          proxy
        ];
      };
    in
    [
      (build "source${name}" false structured {
        nativeBuildInputs = [ curl ];
      } "source ${lib.mkBuildproxy arguments}")
      (build "input${name}" false structured (input (lib.mkBuildproxy arguments)) "")
    ]
    ++ lib.optional stdenv.hostPlatform.isLinux (
      build "transparent${name}" true structured (input (
        lib.mkBuildproxy (arguments // { transparent = true; })
      )) ""
    );
in
runCommand "check-arguments" { cases = ways false ++ ways true; } "touch $out"
