# A consumer as nixpkgs wants new packages to be, strictDeps and __structuredAttrs: its attributes are
# variables of the builder's shell and not exported.
{
  lib,
  stdenv,
  curl,
}:
let
  proxy = lib.mkBuildproxy [
    {
      url = "https://a.test/";
      file = builtins.toFile "body" "body";
    }
  ];
in
stdenv.mkDerivation {
  name = "check-structured-attrs";
  strictDeps = true;
  # Nix 2.8 fails to hand them to a sandbox of the kind that the tests use.
  __structuredAttrs = builtins.compareVersions builtins.nixVersion "2.9" >= 0;
  __darwinAllowLocalNetworking = true;
  nativeBuildInputs = [ curl ];
  dontUnpack = true;
  prePatch = "source ${proxy}";
  buildPhase = "curl --fail --silent --show-error --output body https://a.test/";
  installPhase = "cp body $out";
}
