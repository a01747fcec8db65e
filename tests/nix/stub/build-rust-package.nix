# rustPlatform.buildRustPackage that compiles nothing: it installs the program that was compiled
# beforehand. `src` stays an attribute, so that a test can see what the real one would be given.
{ stdenv, prebuilt }:
attrsOrFunction:
stdenv.mkDerivation (
  final:
  let
    attrs = if builtins.isFunction attrsOrFunction then attrsOrFunction final else attrsOrFunction;
  in
  {
    inherit (attrs) pname version meta;
    passthru = {
      inherit (attrs) src cargoLock;
    };
    # Not __structuredAttrs: Nix 2.8 cannot give them to a sandbox that has /usr of the host.
    buildCommand = "install -D --mode=755 ${prebuilt}/${attrs.meta.mainProgram} --target-directory=$out/bin";
  }
)
