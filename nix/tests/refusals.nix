# What is wrong in an inventory is refused when it is evaluated, and not by a build that misses it.
{ lib, runCommand }:
let
  url = "https://a.test/";
  body = builtins.toFile "body" "body";
  content = [
    {
      inherit url;
      file = body;
    }
  ];

  refused = {
    "an unknown attribute" = [
      {
        inherit url;
        statuscode = 200;
      }
    ];
    "an entry without a URL" = [ { file = null; } ];
    "an entry that is no attribute set" = [ url ];
    "a file that is not in the store" = [
      {
        inherit url;
        file = "./body";
      }
    ];
    "a file that is no file" = [
      {
        inherit url;
        file = 1;
      }
    ];
    "an argument that nixpkgs does not have" = { fetchNothing }: [ (fetchNothing url) ];
    "no list" = { inherit url; };
    "an unknown argument of mkBuildproxy" = {
      content = [ ];
      port = 8080;
    };
    "no content" = { };
    "an override of a URL that no entry has" = {
      inherit content;
      overrides."${url}other" = body;
    };
    "a patch of a URL that no entry has" = {
      inherit content;
      patches."${url}other" = [ body ];
    };
    "overrides without URLs" = {
      inherit content;
      overrides = [ body ];
    };
    "an override of what has no body" = {
      content = [
        {
          inherit url;
          status_code = 404;
        }
      ];
      overrides.${url} = body;
    };
    "an override that is no file" = {
      inherit content;
      overrides.${url} = 1;
    };
    "two overrides of one URL" = {
      inherit content;
      overrides = {
        ${url} = body;
        "${url}#" = body;
      };
    };
    "patches that are none" = {
      inherit content;
      patches.${url} = body;
    };
    "patch files for a body that is coded" = {
      content = [
        {
          inherit url;
          file = body;
          headers.content-encoding = "gzip";
        }
      ];
      patches.${url} = [ body ];
    };
  };

  accepted = builtins.filter (
    name: (builtins.tryEval (lib.mkBuildproxy refused.${name}).drvPath).success
  ) (builtins.attrNames refused);
in
if accepted == [ ] then
  runCommand "check-refusals" { } "touch $out"
else
  throw "mkBuildproxy accepts ${lib.concatStringsSep ", and " accepted}"
