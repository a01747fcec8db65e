# The package set. Programs are the host's: builds see /usr through `--option sandbox-paths`.
{
  system,
  prebuilt,
  overlays ? [ ],
}:
let
  lib = import ./lib.nix;

  host = {
    type = "derivation";
    outPath = "/usr";
  };

  packages = self: {
    inherit lib;
    pkgs = self;
    # Nothing here is cross-compiled.
    buildPackages = self;

    callPackage = self.lib.callPackageWith self;
    callPackages = self.lib.callPackagesWith self;
    newScope = extra: self.lib.callPackageWith (self // extra);

    # As nixpkgs.legacyPackages.<system>.extend.
    extend =
      overlay:
      import ./. {
        inherit system prebuilt;
        overlays = overlays ++ [ overlay ];
      };

    stdenv = import ./stdenv.nix { inherit lib system; };

    inherit (import ./trivial-builders.nix { inherit (self) stdenv; })
      makeSetupHook
      runCommand
      writeText
      writeShellScriptBin
      ;

    installShellFiles = self.makeSetupHook { name = "install-shell-files"; } ./install-shell-files.sh;
    versionCheckHook = self.makeSetupHook { name = "version-check-hook"; } ./version-check-hook.sh;
    nix-update-script = _: [ "nix-update" ];

    fetchurl = import ./fetchurl.nix { inherit (self) lib stdenv; };

    rustPlatform.buildRustPackage = import ./build-rust-package.nix {
      inherit prebuilt;
      inherit (self) stdenv;
    };

    mkShell =
      arguments:
      self.stdenv.mkDerivation {
        name = "nix-shell";
        nativeBuildInputs = arguments.packages or [ ];
        buildCommand = "touch $out";
      };

    cmake = host;
    gradle = self.makeSetupHook { name = "gradle"; } ./gradle-setup-hook.sh;
    nodejs = host;

    curl = host // {
      meta.mainProgram = "curl";
    };

    # Named by the developer's shell and the formatter, and never run in tests.
    R = host;
    apt = host;
    aria2 = host;
    binutils = host;
    bundler = host;
    cargo = host;
    clippy = host;
    createrepo_c = host;
    dnf4 = host;
    dpkg = host;
    fish = host;
    git = host;
    go = host;
    groff = host;
    iproute2 = host;
    jdk_headless = host;
    libarchive = host;
    maven = host;
    nginx = host;
    nix = host;
    nixfmt = host;
    openssh = host;
    openssl = host;
    pacman = host;
    patchelf = host;
    php = host;
    pnpm = host;
    rpm = host;
    ruby = host;
    rust-analyzer = host;
    rustfmt = host;
    skopeo = host;
    strace = host;
    util-linux = host;
    uv = host;
    wget = host;
    wget2 = host;
    yarn = host;
    yarn-berry = host;
    zsh = host;
    perl.withPackages = _: host;
    phpPackages.composer = host;
    python3.withPackages = _: host;
    nixfmt-tree = self.writeShellScriptBin "treefmt" "exit 1" // {
      override = _: self.nixfmt-tree;
    };
  };
in
lib.fix (builtins.foldl' (f: overlay: lib.extends overlay f) packages overlays)
