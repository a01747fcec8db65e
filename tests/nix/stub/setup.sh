# $stdenv/setup. Each piece stands for a convention of the real one that a build can notice.

# errexit and pipefail stay on through the build; nounset is on while inputs are set up, and off
# again when phases run, unless the builder had it on.
__stub_original_options=$-
set -eu -o pipefail
shopt -s inherit_errexit

# With __structuredAttrs the outputs are an associative array; their paths are exported all the same.
if [[ -e ${NIX_ATTRS_SH_FILE-} ]]; then
  for outputName in "${!outputs[@]}"; do
    export "$outputName=${outputs[$outputName]}"
  done
  unset outputName
fi

# There is no home, time stands still, and programs that verify TLS must fail rather than use the
# certificates of some other place.
export PATH=/usr/bin:/bin
export HOME=${HOME:-/homeless-shelter}
export SOURCE_DATE_EPOCH=315532800
export SSL_CERT_FILE=${SSL_CERT_FILE:-/no-cert-file.crt}
export NIX_SSL_CERT_FILE=${NIX_SSL_CERT_FILE:-/no-cert-file.crt}

# A hook is a function, or a variable with code, and all elements of an array: exitHook, exitHooks.
runHook() {
  local hookName=$1 hook
  local hooksSlice="${hookName%Hook}Hooks[@]"
  for hook in "_callImplicitHook $hookName" ${!hooksSlice+"${!hooksSlice}"}; do
    eval "$hook"
  done
}

_callImplicitHook() {
  if declare -F "$1" >/dev/null; then
    "$1"
  else
    eval "${!1-}"
  fi
}

exitHandler() {
  local exitCode=$?
  set +e
  if [[ $exitCode != 0 ]]; then runHook failureHook; else runHook exitHook; fi
  return "$exitCode"
}
trap exitHandler EXIT

# An input that is a file is sourced, inside of a function and with nounset on; a folder's programs
# come first in PATH, and its setup hook is sourced.
activatePackage() {
  local pkg=$1
  if [[ -f $pkg ]]; then source "$pkg"; fi
  if [[ -d $pkg/bin ]]; then PATH=$pkg/bin:$PATH; fi
  if [[ -f $pkg/nix-support/setup-hook ]]; then source "$pkg/nix-support/setup-hook"; fi
}
for pkg in ${nativeBuildInputs[*]-} ${buildInputs[*]-}; do
  activatePackage "$pkg"
done
unset pkg
runHook postHook

unpackPhase() {
  runHook preUnpack
  cp -r "$src" source
  chmod -R u+w source
  cd source
  runHook postUnpack
}

patchPhase() {
  runHook prePatch
  runHook postPatch
}

configurePhase() {
  runHook preConfigure
  runHook postConfigure
}

buildPhase() {
  runHook preBuild
  make SHELL=/bin/bash ${makeFlags[*]-}
  runHook postBuild
}

installPhase() {
  runHook preInstall
  make SHELL=/bin/bash ${makeFlags[*]-} install
  runHook postInstall
}

# An output that mentions the build's folder is refused.
fixupPhase() {
  runHook preFixup
  if grep -rqF "$NIX_BUILD_TOP/" "$out"; then
    echo "error: $out contains a forbidden reference to $NIX_BUILD_TOP/"
    exit 1
  fi
  runHook postFixup
}

installCheckPhase() {
  runHook preInstallCheck
  runHook postInstallCheck
}

genericBuild() {
  cd "$NIX_BUILD_TOP"
  if [[ -n ${buildCommand-} ]]; then
    eval "$buildCommand"
    return
  fi
  local phase
  for phase in unpackPhase patchPhase configurePhase buildPhase installPhase fixupPhase installCheckPhase; do
    if [[ $phase == unpackPhase && -n ${dontUnpack-} ]]; then continue; fi
    if [[ $phase == installCheckPhase && -z ${doInstallCheck-} ]]; then continue; fi
    echo "Running phase: $phase"
    eval "${!phase:-$phase}"
  done
}

[[ $__stub_original_options == *e* ]] || set +e
[[ $__stub_original_options == *u* ]] || set +u
unset -v __stub_original_options
