# fixup refuses an output that refers to the folder of the build. The files that replay's variables name
# are in that folder, so that they end with the build and a reference to them does not get out; and what
# was downloaded refers to nothing.
{
  lib,
  stdenv,
  curl,
}:
let
  proxy = lib.mkBuildproxy {
    strict = true;
    content = [
      {
        url = "https://a.test/";
        file = builtins.toFile "body" "body";
        headers = {
          "content-type" = "text/plain";
        };
      }
    ];
  };
in
stdenv.mkDerivation {
  name = "check-fixup";
  strictDeps = true;
  __darwinAllowLocalNetworking = true;
  nativeBuildInputs = [ curl ];
  dontUnpack = true;
  prePatch = "source ${proxy}";
  buildPhase = ''
    [[ $SSL_CERT_FILE == "$NIX_BUILD_TOP"/* && $NIX_SSL_CERT_FILE == "$NIX_BUILD_TOP"/* ]]
    curl --fail --silent --show-error --dump-header headers --output body https://a.test/
  '';
  installPhase = ''
    mkdir $out
    cp headers body $out
  '';
}
