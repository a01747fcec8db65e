# rustPlatform.buildRustPackage that compiles nothing: it installs the program that was compiled
# beforehand. All else is as the real one has it: the source is unpacked, what the package does after the
# installation is done, and what it installed is checked.
{ stdenv, prebuilt }:
attrsOrFunction:
stdenv.mkDerivation (
  final:
  let
    attrs = if builtins.isFunction attrsOrFunction then attrsOrFunction final else attrsOrFunction;
  in
  removeAttrs attrs [ "cargoLock" ]
  // {
    # Nix 2.8 cannot give them to a sandbox that has /usr of the host.
    __structuredAttrs =
      attrs.__structuredAttrs or false && builtins.compareVersions builtins.nixVersion "2.9" >= 0;
    buildPhase = ''
      runHook preBuild
      test -e Cargo.toml -a -e ${attrs.cargoLock.lockFile} -a -e src/main.rs
      runHook postBuild
    '';
    installPhase = ''
      runHook preInstall
      install -D --mode=755 ${prebuilt}/${attrs.meta.mainProgram} --target-directory=$out/bin
      runHook postInstall
    '';
  }
)
