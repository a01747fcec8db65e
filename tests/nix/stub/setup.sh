# $stdenv/setup. Each piece stands for a convention of the real one that a build can notice.

# errexit and pipefail stay on through the build, and a pattern that matches nothing is nothing; nounset is on
# while inputs are set up, and off again when phases run, unless the builder had it on.
__stub_original_options=$-
set -eu -o pipefail
shopt -s inherit_errexit nullglob

# With __structuredAttrs the outputs are an associative array; their paths are exported all the same.
if [[ -e ${NIX_ATTRS_SH_FILE-} ]]; then
  for outputName in "${!outputs[@]}"; do
    export "$outputName=${outputs[$outputName]}"
  done
  unset outputName
fi

# There is no home, and time stands still.
export PATH=/usr/bin:/bin
export HOME=${HOME:-/homeless-shelter}
export SOURCE_DATE_EPOCH=315532800

# A hook is a function, or a variable with code, and then all elements of an array, each of them code or the
# name of a function: exitHook, exitHooks.
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

# The end of a build, good or bad. What `return` gives here is nobody's status: the build ends as it was going
# to, unless a hook says `exit`. In hooks errexit is off, and nounset as it was.
exitHandler() {
  local exitCode=$?
  set +e
  if [[ $exitCode != 0 ]]; then runHook failureHook; else runHook exitHook; fi
  return "$exitCode"
}
trap exitHandler EXIT

# An input that is a file is sourced, inside of a function and with nounset on, and so is the setup hook of
# a folder. A folder's programs are in PATH when all inputs were seen, and not before.
_PATH=
activatePackage() {
  local pkg=$1
  if [[ -f $pkg ]]; then source "$pkg"; fi
  if [[ -d $pkg/bin ]]; then _PATH=$_PATH$pkg/bin:; fi
  if [[ -f $pkg/nix-support/setup-hook ]]; then source "$pkg/nix-support/setup-hook"; fi
}
for pkg in ${nativeBuildInputs[*]-} ${buildInputs[*]-}; do
  activatePackage "$pkg"
done
PATH=$_PATH$PATH
unset pkg _PATH

# Where no input said otherwise, programs that verify TLS must fail rather than use the certificates of the
# machine; but not in a shell.
for certificates in NIX_SSL_CERT_FILE SSL_CERT_FILE; do
  if [[ -z ${!certificates-} && ${IN_NIX_SHELL-} != impure ]]; then
    export "$certificates=/no-cert-file.crt"
  fi
done
unset certificates
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
