{
  description = "Makes builds hermetic that insist on downloading: captures what a build fetches, and replays it in the Nix sandbox";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;

      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ]
      # nixpkgs 26.11 throws for it; with 26.05 (`inputs.nixpkgs.follows`) it is there.
      ++ lib.optional (lib.versionOlder lib.trivial.release "26.11") "x86_64-darwin";

      forSystems =
        outputsOf:
        lib.genAttrs systems (
          system: outputsOf (nixpkgs.legacyPackages.${system}.extend self.overlays.default)
        );
    in
    {
      overlays.default = import ./nix/overlay.nix;

      lib = forSystems (pkgs: {
        inherit (pkgs.lib) mkBuildproxy mkBuildproxyShell;
      });

      packages = forSystems (pkgs: {
        inherit (pkgs) buildproxy buildproxy-capture;
        default = pkgs.buildproxy;
        example = pkgs.callPackage ./example/example.nix {
          buildproxy = pkgs.lib.mkBuildproxy ./example/proxy_content.nix;
        };
      });

      checks = forSystems (
        pkgs:
        pkgs.buildproxy.tests
        // {
          inherit (self.packages.${pkgs.stdenv.hostPlatform.system}) example;
        }
      );

      devShells = forSystems (pkgs: {
        default = pkgs.callPackage ./nix/shell.nix { };
      });

      formatter = forSystems (
        pkgs:
        pkgs.nixfmt-tree.override {
          # What tests read may have any form.
          settings.excludes = [
            "tests/corpus/*"
            "tests/golden/*"
          ];
        }
      );
    };
}
