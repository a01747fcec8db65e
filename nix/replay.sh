# shellcheck shell=bash
# To be sourced by bash. From then on, downloads of this shell and its children are answered from
# the inventory, until this shell ends.
#
# It exports what `buildproxy env --list` lists, and
#   BUILDPROXY_MANIFEST  the inventory that is being answered from
# and leaves nothing else behind, but in the builder of stdenv what says at its end what was answered.
# Where replay does not start, it says why and gives its exit status: the build ends there under
# `set -e`; without, write `source … || exit`.
#
# It minds no shell option (`set -euo pipefail`), may be sourced again, also in a subshell or a child
# shell (the proxy that is there goes on to answer), and waits for no port: replay returns once it
# accepts connections.

_buildproxy_answers() {
  # The same inventory, and somebody listens. Asking the proxy, and not whether a process with some
  # id lives: the variables may come from a sandbox, whose process ids are not ours.
  local proxy=${http_proxy-}
  proxy=${proxy#http://}
  proxy=${proxy%/}
  [[ ${BUILDPROXY_MANIFEST-} == '@manifest@' && $proxy == 127.0.0.1:* ]] &&
    (: <"/dev/tcp/127.0.0.1/${proxy##*:}") 2>/dev/null
}

_buildproxy_replay() {
  local buildproxy_exports buildproxy_status=0 buildproxy_shell buildproxy_traps=''

  # `nix develop` runs the setup of a derivation in a sandbox, keeps the variables, and opens the
  # shell later, when a proxy that was started in there is gone. (IN_NIX_SHELL alone is a shell.)
  if [[ -n ${IN_NIX_SHELL-} && -n ${NIX_LOG_FD-} ]] || _buildproxy_answers; then
    unset -f _buildproxy_answers _buildproxy_replay
    return 0
  fi
  unset -f _buildproxy_answers _buildproxy_replay

  # BASHPID, as $$ is the parent in a subshell; and taken here, as $(…) is a subshell too.
  buildproxy_shell=${BASHPID:-$$}
  # stdenv's hooks run in the trap of its builder, and not where a subshell ends.
  if [[ $buildproxy_shell == "$$" ]]; then
    buildproxy_traps=$(trap -p EXIT)
  fi
  # In a shell of Nix there is no build to fail.
  if [[ '@strict@' == --strict && $buildproxy_traps != *exitHandler* && -z ${IN_NIX_SHELL-} ]]; then
    echo "buildproxy: a strict mkBuildproxy has to be sourced by a phase or hook itself, as stdenv's hooks end the build where something was missed; there are none in a subshell or a script that a phase runs" >&2
    return 1
  fi

  # Not `eval "$(…)"`, which would lose the exit status.
  buildproxy_exports=$('@buildproxy@' replay '@manifest@' --daemon --watch-pid "$buildproxy_shell" </dev/null) ||
    buildproxy_status=$?
  if [[ $buildproxy_status != 0 ]]; then
    echo "buildproxy: replay of @manifest@ did not start (exit status $buildproxy_status)" >&2
    return "$buildproxy_status"
  fi
  if [[ ${BUILDPROXY_MANIFEST:-@manifest@} != '@manifest@' ]]; then
    echo "buildproxy: from here on @manifest@ answers, and $BUILDPROXY_MANIFEST does no more; for both, give mkBuildproxy one list with the entries of both" >&2
  fi
  eval "$buildproxy_exports"
  export BUILDPROXY_MANIFEST='@manifest@'

  # As one of nativeBuildInputs: setup hooks that come later may name certificates of their own, as
  # cacert's does. stdenv runs these hooks after all of them.
  if [[ " ${FUNCNAME[*]} " == *' activatePackage '* ]]; then
    postHooks+=("$buildproxy_exports")
  fi

  if [[ $buildproxy_traps == *exitHandler* ]]; then
    # Says what the proxy at a port answered; with --strict, ends the build if that was not all.
    _buildproxy_summary() {
      local line misses='' text=''
      # The connection is refused where the proxy is gone.
      {
        printf 'GET / HTTP/1.0\r\n\r\n' >&3
        while IFS= read -r -t 10 line <&3 && [[ $line != $'\r' ]]; do
          if [[ $line == x-buildproxy-misses:* ]]; then misses=${line//[!0-9]/}; fi
        done
        IFS= read -r -d '' -t 10 text <&3
      } 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" || :
      if [[ -z $misses ]]; then
        text=$'buildproxy: replay ended before the build did, and what was missed is not known\n'
      fi
      printf '%s' "$text" >&2
      if [[ ${2-} == --strict && $misses != 0 && -z ${IN_NIX_SHELL-} ]]; then
        echo "buildproxy: strict: the build fails, as not all was answered" >&2
        exit 4
      fi
    }
    # The second word of the first hook is empty, or --strict. A build that failed keeps its own status.
    exitHooks+=("_buildproxy_summary ${http_proxy##*:} @strict@")
    failureHooks+=("_buildproxy_summary ${http_proxy##*:}")
  fi
}

_buildproxy_replay
