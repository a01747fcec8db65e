# Every other Nix file here is a test: a function of packages that gives a derivation to build. Their
# inventories have bodies of their own, so that nothing is fetched.
{
  lib,
  newScope,
  buildproxy,
}:
let
  # The package may be another than that of the package set: one that somebody overrides.
  callPackage = newScope { inherit buildproxy; };
  isTest = file: lib.hasSuffix ".nix" file && file != "default.nix";
in
builtins.listToAttrs (
  map (file: {
    name = lib.removeSuffix ".nix" file;
    value = callPackage (./. + "/${file}") { };
  }) (builtins.filter isTest (builtins.attrNames (builtins.readDir ./.)))
)
