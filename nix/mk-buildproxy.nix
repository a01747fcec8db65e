# The functions that put an inventory in front of a build (mkBuildproxy) or of a person
# (mkBuildproxyShell). Both take `./proxy_content.nix`, or a set with
#   content      the same
#   overrides    a derivation or path for each URL whose body it replaces:
#                { "https://…/a.jar" = a-built-from-source; }
#   patches      a list of patch files for each URL whose body they change, or a function from its
#                store path to a derivation or path: { "https://…/pom.xml" = [ ./pom.patch ]; }
#   strict       whether a build or command that misses something fails, with exit status 4
#   transparent  whether what is run needs to know of no proxy (Linux)
# of which only `content` has to be there. replace.nix says which entries of a URL are meant.
{ pkgs }:
let
  inherit (pkgs) lib;

  # The arguments, and the manifest that they make.
  read =
    function: given:
    let
      arguments = if builtins.isAttrs given && !lib.isFunction given then given else { content = given; };
      optional = {
        overrides = { };
        patches = { };
        strict = false;
        transparent = false;
      };
      unknown = builtins.attrNames (removeAttrs arguments ([ "content" ] ++ builtins.attrNames optional));
      all = optional // arguments;
    in
    if unknown != [ ] then
      throw "${function}: unknown argument `${builtins.head unknown}`; it takes `content`, ${
        lib.concatStringsSep ", " (map (name: "`${name}`") (builtins.attrNames optional))
      }, or the path of a proxy_content.nix"
    else if !arguments ? content then
      throw "${function}: the argument `content` is missing; write ${function} ./proxy_content.nix"
    else if all.transparent && !pkgs.stdenv.hostPlatform.isLinux then
      throw "${function}: `transparent` needs namespaces, which are a feature of Linux"
    else
      {
        inherit (all) transparent;
        # As an option of `buildproxy replay`.
        strict = lib.optionalString all.strict "--strict";
        manifest = import ./content.nix { inherit pkgs; } {
          inherit (all) content overrides patches;
        };
      };
in
{
  # A script to source from bash: `prePatch = "source ${buildproxy}"`, or as one of nativeBuildInputs.
  # See replay.sh for what it does. Of the transparent kind it has to be one of nativeBuildInputs: see
  # transparent.sh.
  #
  # On Darwin, whose sandbox has no loopback, the build needs `__darwinAllowLocalNetworking = true`.
  mkBuildproxy =
    given:
    let
      inherit (read "mkBuildproxy" given) manifest strict transparent;
      script =
        builtins.replaceStrings
          [
            "@buildproxy@"
            "@manifest@"
            "@strict@"
          ]
          [
            # The proxy runs while the build does, and so where the build does.
            (lib.getExe pkgs.buildPackages.buildproxy)
            "${manifest}"
            strict
          ]
          (builtins.readFile (if transparent then ./transparent.sh else ./replay.sh));
    in
    pkgs.writeText "buildproxy" script // { inherit manifest; };

  # A program, `buildproxy-shell`, that runs the command given to it, or else a shell, behind replay.
  mkBuildproxyShell =
    given:
    let
      inherit (read "mkBuildproxyShell" given) manifest strict transparent;
      options = "${strict} ${lib.optionalString transparent "--transparent"}";
    in
    pkgs.writeShellScriptBin "buildproxy-shell" ''
      if [ $# -gt 0 ]; then set -- -- "$@"; fi
      exec ${lib.getExe pkgs.buildproxy} replay ${options} ${manifest} "$@"
    ''
    // {
      inherit manifest;
    };
}
