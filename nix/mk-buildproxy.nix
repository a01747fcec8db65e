# The functions that put an inventory in front of a build (mkBuildproxy) or of a person
# (mkBuildproxyShell). Both take `./proxy_content.nix`, or `{ content = ./proxy_content.nix; }`; with
# `transparent = true` in it, what is run needs to know of no proxy (Linux).
{ pkgs }:
let
  inherit (pkgs) lib;

  manifestOf = import ./content.nix { inherit pkgs; };

  contentOf =
    function: arguments:
    let
      unknown = builtins.attrNames (
        removeAttrs arguments [
          "content"
          "transparent"
        ]
      );
    in
    if !builtins.isAttrs arguments || lib.isFunction arguments then
      arguments
    else if unknown != [ ] then
      throw "${function}: unknown argument `${builtins.head unknown}`; it takes `content` and `transparent`, or the path of a proxy_content.nix"
    else
      arguments.content
        or (throw "${function}: the argument `content` is missing; write ${function} ./proxy_content.nix");

  isTransparent =
    function: arguments:
    let
      asked =
        builtins.isAttrs arguments && !lib.isFunction arguments && arguments.transparent or false;
    in
    if asked && !pkgs.stdenv.hostPlatform.isLinux then
      throw "${function}: `transparent` needs namespaces, which are a feature of Linux"
    else
      asked;
in
{
  # A script to source from bash: `prePatch = "source ${buildproxy}"`, or as one of nativeBuildInputs.
  # See replay.sh for what it does. Of the transparent kind it has to be one of nativeBuildInputs: see
  # transparent.sh.
  #
  # On Darwin, whose sandbox has no loopback, the build needs `__darwinAllowLocalNetworking = true`.
  mkBuildproxy =
    arguments:
    let
      manifest = manifestOf (contentOf "mkBuildproxy" arguments);
      script =
        builtins.replaceStrings
          [
            "@buildproxy@"
            "@manifest@"
          ]
          [
            # The proxy runs while the build does, and so where the build does.
            (lib.getExe pkgs.buildPackages.buildproxy)
            "${manifest}"
          ]
          (builtins.readFile (
            if isTransparent "mkBuildproxy" arguments then ./transparent.sh else ./replay.sh
          ));
    in
    pkgs.writeText "buildproxy" script // { inherit manifest; };

  # A program, `buildproxy-shell`, that runs the command given to it, or else a shell, behind replay.
  mkBuildproxyShell =
    arguments:
    let
      manifest = manifestOf (contentOf "mkBuildproxyShell" arguments);
      options = lib.optionalString (isTransparent "mkBuildproxyShell" arguments) "--transparent ";
    in
    pkgs.writeShellScriptBin "buildproxy-shell" ''
      if [ $# -gt 0 ]; then set -- -- "$@"; fi
      exec ${lib.getExe pkgs.buildproxy} replay ${options}${manifest} "$@"
    ''
    // {
      inherit manifest;
    };
}
