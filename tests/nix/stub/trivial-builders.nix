# runCommand, setup hooks, and writeText with what is built on it.
{ stdenv }:
let
  # The text goes through a file, as an inventory may be longer than an environment can be.
  writeTextFile =
    {
      name,
      text,
      executable ? false,
      destination ? "",
      meta ? { },
    }:
    stdenv.mkDerivation {
      inherit
        name
        text
        executable
        destination
        meta
        ;
      passAsFile = [ "text" ];
      preferLocalBuild = true;
      allowSubstitutes = false;
      buildCommand = ''
        target=$out$destination
        mkdir -p "$(dirname "$target")"
        mv "$textPath" "$target"
        if [ -n "$executable" ]; then chmod +x "$target"; fi
      '';
    };

  runCommand =
    name: attrs: buildCommand:
    stdenv.mkDerivation (attrs // { inherit name buildCommand; });
in
{
  inherit runCommand;

  makeSetupHook =
    { name }: script: runCommand name { } "install -D ${script} $out/nix-support/setup-hook";

  writeText = name: text: writeTextFile { inherit name text; };

  writeShellScriptBin =
    name: text:
    writeTextFile {
      inherit name;
      text = ''
        #!/bin/bash
        ${text}
      '';
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };
}
