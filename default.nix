# Without flakes: the programs, and the functions that put an inventory into a build.
{
  pkgs ? import <nixpkgs> { },
}:
let
  extended = pkgs.extend (import ./nix/overlay.nix);
in
{
  inherit (extended) buildproxy buildproxy-capture;
  inherit (extended.lib) mkBuildproxy mkBuildproxyShell;
}
