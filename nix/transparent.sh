# shellcheck shell=bash
# To be sourced by stdenv's setup, as one of nativeBuildInputs. The build then starts again from its
# beginning, in a network of its own where every address leads to the inventory, until it ends.
#
# It exports what `buildproxy env --list` lists but for proxies, and
#   BUILDPROXY_MANIFEST     the inventory that is being answered from
#   BUILDPROXY_TRANSPARENT  the same, and how strictly
#
# It does nothing in a fixed-output derivation, in a shell of Nix, or under `buildproxy capture`.
#
# It starts again with the arguments and the environment that the builder was given, so that nothing is
# done twice. That is only right before anything else was done, and so it refuses to be sourced by a phase.
# At the end, buildproxy itself says what was answered.

_buildproxy_transparent() {
  local buildproxy_entry buildproxy_folder buildproxy_exports=''
  local -a buildproxy_command=() buildproxy_environment=()

  # A fixed output has the network. (Set even where the hash is empty.)
  if [[ -n ${outputHash+set} ]]; then
    return 0
  fi
  if [[ ${BUILDPROXY_MODE-} == capture ]]; then
    echo "buildproxy: @manifest@ answers nothing here, as this build is captured" >&2
    return 0
  fi
  if [[ -n ${IN_NIX_SHELL-} ]]; then
    # A shell cannot be moved; `mkBuildproxyShell { transparent = true; … }` starts one inside.
    return 0
  fi
  if [[ ${BUILDPROXY_TRANSPARENT-} == '@manifest@ @strict@' ]]; then
    # This is the second time. Setup hooks that come later may name certificates of their own, as
    # cacert's does; stdenv runs these hooks after all of them.
    buildproxy_folder=${GIT_SSL_CAINFO%/*}/
    while IFS= read -r -d '' buildproxy_entry; do
      if [[ ${buildproxy_entry#*=} == *"$buildproxy_folder"* ]]; then
        printf -v buildproxy_entry 'export %s=%q' "${buildproxy_entry%%=*}" "${buildproxy_entry#*=}"
        buildproxy_exports+=$buildproxy_entry$'\n'
      fi
    done </proc/$$/environ
    postHooks+=("$buildproxy_exports")
    return 0
  fi
  if [[ -n ${BUILDPROXY_TRANSPARENT-} ]]; then
    echo "buildproxy: ${BUILDPROXY_TRANSPARENT% *} answers this build already; of transparent mkBuildproxys there can be one among nativeBuildInputs, with one list that has the entries of all" >&2
    return 1
  fi
  if [[ " ${FUNCNAME[*]} " != *' activatePackage '* || ${BASHPID:-$$} != "$$" ]]; then
    echo "buildproxy: a transparent mkBuildproxy has to be among nativeBuildInputs, as the build starts again inside; it cannot be sourced by a phase" >&2
    return 1
  fi

  while IFS= read -r -d '' buildproxy_entry; do
    buildproxy_environment+=("$buildproxy_entry")
  done </proc/$$/environ
  while IFS= read -r -d '' buildproxy_entry; do
    buildproxy_command+=("$buildproxy_entry")
  done </proc/$$/cmdline
  # The first word is what Nix makes of the builder's path, and $BASH what bash makes of both: `/noshell`.
  buildproxy_command[0]=$(readlink "/proc/$$/exe")
  exec env -i "${buildproxy_environment[@]}" \
    BUILDPROXY_MANIFEST='@manifest@' BUILDPROXY_TRANSPARENT='@manifest@ @strict@' \
    '@buildproxy@' replay --transparent @strict@ '@manifest@' -- "${buildproxy_command[@]}"
}

_buildproxy_transparent || return
