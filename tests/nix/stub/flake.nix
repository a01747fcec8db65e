{
  description = "As much of nixpkgs as buildproxy's Nix side touches, for tests without the network";

  # The program under test, compiled beforehand: a folder with `buildproxy` in it.
  # --override-input nixpkgs/prebuilt path:FOLDER
  inputs.prebuilt = {
    url = "path:/override-the-input-nixpkgs-prebuilt-with-the-folder-of-the-compiled-buildproxy";
    flake = false;
  };

  outputs =
    { self, prebuilt }:
    let
      lib = import ./lib.nix;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ] (system: import ./. { inherit system prebuilt; });
    };
}
