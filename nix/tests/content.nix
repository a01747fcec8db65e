# Both generations of nix-buildproxy's file make a manifest, and so does all that is ours.
{
  lib,
  runCommand,
  writeText,
}:
let
  body = builtins.toFile "body" "body";

  manifestOf = content: (lib.mkBuildproxy content).manifest;

  # Manifests are compared as JSON, whose attributes are sorted.
  cases = {
    "nix-buildproxy's first generation" = {
      content =
        { writeText }:
        [
          {
            url = "https://a.test/";
            file = writeText "made" "made";
          }
        ];
      manifest = [
        {
          url = "https://a.test/";
          file = writeText "made" "made";
        }
      ];
    };
    "nix-buildproxy's second generation" = {
      content = _: [
        {
          url = "https://a.test/";
          file = body;
          status_code = 200;
          headers = {
            "content-type" = "text/plain";
          };
        }
        {
          url = "https://a.test/none";
          file = null;
          status_code = 404;
          headers = { };
        }
      ];
      manifest = [
        {
          url = "https://a.test/";
          file = body;
          headers."content-type" = "text/plain";
        }
        {
          url = "https://a.test/none";
          status_code = 404;
        }
      ];
    };
    "nix-buildproxy's file after two runs" = {
      content =
        { fetchurl }:
        [
          {
            url = "https://a.test/";
            file = body;
            headers."content-length" = "4";
          }
          {
            url = "https://a.test/";
            # Nobody can download it, and nobody has to.
            file = fetchurl {
              name = "never";
              url = "https://a.test/";
              hash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            };
            headers."content-length" = "5";
          }
          {
            url = "https://a.test/";
            method = "POST";
            file = body;
          }
          {
            url = "https://a.test/";
            file = body;
            request.headers.accept = "text/css";
          }
        ];
      manifest = [
        {
          url = "https://a.test/";
          file = body;
          headers."content-length" = "4";
        }
        {
          url = "https://a.test/";
          method = "POST";
          file = body;
        }
        {
          url = "https://a.test/";
          file = body;
          request.headers.accept = "text/css";
        }
      ];
    };
    "every attribute" = {
      content = [
        {
          url = "https://a.test/";
          method = "POST";
          status_code = 201;
          headers = {
            link = [
              "<a>"
              "<b>"
            ];
          };
          file = body;
          request = {
            body = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            ignoreQuery = [ "_" ];
          };
        }
      ];
      manifest = [
        {
          url = "https://a.test/";
          method = "POST";
          status_code = 201;
          headers.link = [
            "<a>"
            "<b>"
          ];
          file = body;
          request = {
            body = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
            ignoreQuery = [ "_" ];
          };
        }
      ];
    };
    "a file whose name the store does not allow" = {
      content = {
        content = [
          {
            url = "https://a.test/";
            file = ./bodies + "/@scope%2fname";
          }
        ];
      };
      manifest = [
        {
          url = "https://a.test/";
          file = builtins.path {
            path = ./bodies + "/@scope%2fname";
            name = "-scope-2fname";
          };
        }
      ];
    };
    "no entries" = {
      content = { }: [ ];
      manifest = [ ];
    };
  };

  compare = name: case: ''
    echo ${builtins.toJSON name}
    diff ${manifestOf case.content} ${writeText "expected.json" (builtins.toJSON case.manifest)}
  '';
in
runCommand "check-content" { } ''
  ${lib.concatStringsSep "" (builtins.attrValues (builtins.mapAttrs compare cases))}
  touch $out
''
