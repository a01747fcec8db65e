# stdenv.mkDerivation: attributes become variables of a builder that sources $stdenv/setup.
{ lib, system }:
let
  # A folder with `setup` in it, as the real one is.
  stdenv = derivation {
    name = "stdenv";
    inherit system;
    builder = "/bin/sh";
    PATH = "/usr/bin:/bin";
    args = [
      "-c"
      "mkdir $out && cp ${./setup.sh} $out/setup"
    ];
  };

  # With __structuredAttrs the attributes are shell variables, $stdenv among them.
  builder = builtins.toFile "default-builder.sh" ''
    if [ -e "''${NIX_ATTRS_SH_FILE:-}" ]; then source "$NIX_ATTRS_SH_FILE"; fi
    source $stdenv/setup
    genericBuild
  '';

  mkDerivation =
    attrsOrFunction:
    let
      attrs = if builtins.isFunction attrsOrFunction then attrsOrFunction final else attrsOrFunction;
      final = attrs // {
        finalPackage = package;
      };
      package =
        derivation (
          removeAttrs attrs [
            "meta"
            "passthru"
          ]
          // lib.optionalAttrs (attrs ? meta.mainProgram) {
            NIX_MAIN_PROGRAM = attrs.meta.mainProgram;
          }
          // {
            name = lib.strings.sanitizeDerivationName (attrs.name or "${attrs.pname}-${attrs.version}");
            inherit stdenv system;
            nativeBuildInputs =
              attrs.nativeBuildInputs or [ ]
              ++ lib.optionals (attrs.doInstallCheck or false) (attrs.nativeInstallCheckInputs or [ ]);
            # As the attributes of a fetchurl have it: none.
            __ignoreNulls = true;
            # Named even where there is one, as `nix develop` reads the variable.
            outputs = [ "out" ];
            builder = "/bin/bash";
            args = [
              "-e"
              builder
            ];
          }
        )
        // {
          meta = attrs.meta or { };
        }
        // attrs.passthru or { };
    in
    package;

  platform = {
    inherit system;
    isLinux = lib.hasSuffix "-linux" system;
    isDarwin = lib.hasSuffix "-darwin" system;
    canExecute = other: other.system == system;
  };
in
{
  inherit mkDerivation;
  # Nothing here is cross-compiled.
  buildPlatform = platform;
  hostPlatform = platform;
}
