{
  lib,
  rustPlatform,
}:

rustPlatform.buildRustPackage (finalAttrs: {
  pname = "buildproxy";
  inherit ((lib.importTOML ../Cargo.toml).package) version;

  # What the build reads and no more, so that an edit to a test or to the README rebuilds nothing.
  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../Cargo.lock
      ../Cargo.toml
      ../src
      # Cargo wants the benchmark to be where Cargo.toml says.
      ../tests/bench
    ];
  };

  cargoLock.lockFile = ../Cargo.lock;

  strictDeps = true;
  __structuredAttrs = true;

  # The tests drive real clients and a real Nix, in network namespaces: CI runs them.
  doCheck = false;

  meta = {
    description = "Captures what a build downloads, and replays it in the Nix sandbox";
    license = [
      lib.licenses.mit
      lib.licenses.asl20
    ];
    mainProgram = "buildproxy";
    platforms = lib.platforms.unix;
  };
})
