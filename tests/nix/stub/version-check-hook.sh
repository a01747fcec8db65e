# shellcheck shell=bash
# Runs the main program with nothing in its environment: one of two options has to name the version.
versionCheckHook() {
  local option said
  for option in --help --version; do
    said=$(env --ignore-environment "$out/bin/$NIX_MAIN_PROGRAM" "$option" 2>&1 || true)
    if [[ $said == *"$version"* ]]; then return; fi
  done
  echo "versionCheckHook: did not find version $version in the output of $NIX_MAIN_PROGRAM" >&2
  exit 2
}
preInstallCheckHooks+=(versionCheckHook)
