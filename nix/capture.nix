# `buildproxy capture` under the name that nix-buildproxy gave it.
{
  lib,
  writeShellScriptBin,
  buildproxy,
}:

writeShellScriptBin "buildproxy-capture" ''
  exec ${lib.getExe buildproxy} capture "$@"
''
