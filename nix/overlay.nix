# What nixpkgs gains: the two programs, and the functions that put an inventory into a build.
final: prev: {
  buildproxy = final.callPackage ./package.nix { };

  buildproxy-capture = final.callPackage ./capture.nix { };

  # `extend`, not `//`: what `//` adds is lost as soon as a later overlay extends lib.
  lib = prev.lib.extend (_: _: import ./mk-buildproxy.nix { pkgs = final; });
}
