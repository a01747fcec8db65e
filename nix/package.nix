{
  lib,
  stdenv,
  rustPlatform,
  callPackages,
  installShellFiles,
  nix-update-script,
  versionCheckHook,
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
      # What the library's tests read.
      ../tests/golden
      # Cargo wants them to be where Cargo.toml says.
      ../tests/bench
      ../tests/suite/main.rs
    ];
  };

  cargoLock.lockFile = ../Cargo.lock;

  strictDeps = true;
  __structuredAttrs = true;

  nativeBuildInputs = [ installShellFiles ];

  # The other tests drive real clients and a real Nix, in network namespaces: CI runs them.
  # These have servers and clients on loopback, which Darwin's sandbox lacks.
  cargoTestFlags = [ "--lib" ];
  __darwinAllowLocalNetworking = true;

  postInstall = lib.optionalString (stdenv.buildPlatform.canExecute stdenv.hostPlatform) ''
    $out/bin/buildproxy man man
    installManPage man/*
    for shell in bash fish zsh; do
      $out/bin/buildproxy completions $shell >completions.$shell
      installShellCompletion --cmd buildproxy --$shell completions.$shell
    done
  '';

  doInstallCheck = true;
  nativeInstallCheckInputs = [ versionCheckHook ];

  passthru = {
    tests = callPackages ./tests { buildproxy = finalAttrs.finalPackage; };
    updateScript = nix-update-script { };
  };

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
