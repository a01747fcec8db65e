# shellcheck shell=bash
# To be sourced by bash. From then on, downloads of this shell and its children are answered from
# the inventory, until this shell ends.
#
# It exports what `buildproxy env --list` lists, and
#   BUILDPROXY_MANIFEST  the inventory that is being answered from
#   BUILDPROXY_STRICT    whether a build fails that misses something: `--strict`, or empty
# and leaves nothing else behind, but in the builder of stdenv what says at its end what was answered,
# and, if it is strict, what ends it.
# Where replay does not start, it says why and gives its exit status: the build ends there under
# `set -e`; without, write `source … || exit`.
#
# It does nothing in a fixed-output derivation, which has the network (fetchers of dependencies are given
# the hooks and the inputs of the package that they fetch for), nor under `buildproxy capture`.
#
# It minds no shell option (`set -euo pipefail`), may be sourced again, also in a subshell or a child
# shell (the proxy that is there goes on to answer), and waits for no port: replay returns once it
# accepts connections.

_buildproxy_has_to_start() {
  # Set even where the hash is empty.
  if [[ -n ${outputHash+set} ]]; then
    return 1
  fi
  if [[ ${BUILDPROXY_MODE-} == capture ]]; then
    echo "buildproxy: @manifest@ answers nothing here, as this build is captured" >&2
    return 1
  fi
  # `nix develop` runs the setup of a derivation in a sandbox, keeps the variables, and opens the
  # shell later, when a proxy that was started in there is gone. (IN_NIX_SHELL alone is a shell.)
  if [[ -n ${IN_NIX_SHELL-} && -n ${NIX_LOG_FD-} ]]; then
    return 1
  fi
  # The same inventory, no less strict, by a network that leads nowhere else.
  if [[ ${BUILDPROXY_TRANSPARENT-} == '@manifest@ @strict@' || ${BUILDPROXY_TRANSPARENT-} == '@manifest@ --strict' ]]; then
    return 1
  fi
  # The same by a proxy, and somebody listens. Asking the proxy, and not whether a process
  # with some id lives: the variables may come from a sandbox, whose process ids are not ours.
  local proxy=${http_proxy-}
  proxy=${proxy#http://}
  proxy=${proxy%/}
  ! [[ ${BUILDPROXY_MANIFEST-} == '@manifest@' && (-z '@strict@' || -n ${BUILDPROXY_STRICT-}) &&
    $proxy == 127.0.0.1:* ]] || ! (: <"/dev/tcp/127.0.0.1/${proxy##*:}") 2>/dev/null
}

_buildproxy_replay() {
  local buildproxy_exports buildproxy_status=0 buildproxy_shell buildproxy_builder='' buildproxy_strict='@strict@'

  _buildproxy_has_to_start || buildproxy_status=$?
  unset -f _buildproxy_has_to_start _buildproxy_replay
  if [[ $buildproxy_status != 0 ]]; then
    return 0
  fi

  # BASHPID, as $$ is the parent in a subshell; and taken here, as $(…) is a subshell too.
  buildproxy_shell=${BASHPID:-$$}
  # stdenv's hooks run in its builder, and not where a subshell ends.
  if [[ $buildproxy_shell == "$$" ]] && declare -F exitHandler >/dev/null; then
    buildproxy_builder=$buildproxy_shell
  fi
  # In a shell of Nix there is no build to fail.
  if [[ -n ${IN_NIX_SHELL-} ]]; then
    buildproxy_strict=''
  fi
  if [[ -n $buildproxy_strict && -z $buildproxy_builder ]]; then
    echo "buildproxy: a strict mkBuildproxy has to be sourced by a phase or hook itself, as it is stdenv's builder that ends where something was missed; a subshell, or a script that a phase runs, would end in its stead" >&2
    return 1
  fi
  if [[ -n $buildproxy_strict ]]; then
    # The proxy sends this signal before it answers that something is missed, and the handler runs as soon
    # as the command has ended that asked. Neither what becomes of that command's status nor handlers and
    # hooks of the build, which may replace each other or exit, make a difference.
    _buildproxy_fail() {
      local action
      trap '' USR2
      set +e
      action=$(trap -p EXIT)
      trap - EXIT
      # A word, in quotes.
      action=${action#trap -- }
      eval "action=${action% EXIT}"
      if [[ $action != *exitHandler* ]]; then
        _buildproxy_summary "${http_proxy##*:}"
      fi
      # As at the end of a build that fails, but that an exit status of its own does not count.
      (exit 4)
      (eval "$action")
      echo "buildproxy: strict: the build fails, as not all was answered" >&2
      exit 4
    }
    trap _buildproxy_fail USR2
  fi

  # Not `eval "$(…)"`, which would lose the exit status.
  buildproxy_exports=$('@buildproxy@' replay '@manifest@' --daemon --watch-pid "$buildproxy_shell" ${buildproxy_strict:+"$buildproxy_strict"} </dev/null) ||
    buildproxy_status=$?
  if [[ $buildproxy_status != 0 ]]; then
    echo "buildproxy: replay of @manifest@ did not start (exit status $buildproxy_status)" >&2
    return "$buildproxy_status"
  fi
  if [[ ${BUILDPROXY_MANIFEST:-@manifest@} != '@manifest@' ]]; then
    echo "buildproxy: from here on @manifest@ answers, and $BUILDPROXY_MANIFEST does no more; for both, give mkBuildproxy one list with the entries of both" >&2
  fi
  eval "$buildproxy_exports"
  export BUILDPROXY_MANIFEST='@manifest@' BUILDPROXY_STRICT=$buildproxy_strict

  # As one of nativeBuildInputs: setup hooks that come later may name certificates of their own, as
  # cacert's does. stdenv runs these hooks after all of them.
  if [[ " ${FUNCNAME[*]} " == *' activatePackage '* ]]; then
    postHooks+=("$buildproxy_exports")
  fi

  if [[ -n $buildproxy_builder ]]; then
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
      if [[ ${2-} == --strict && $misses != 0 ]]; then
        echo "buildproxy: strict: the build fails, as not all was answered" >&2
        exit 4
      fi
    }
    # The second word of the first hook is empty, or --strict. A build that failed keeps its own status.
    exitHooks+=("_buildproxy_summary ${http_proxy##*:} $buildproxy_strict")
    failureHooks+=("_buildproxy_summary ${http_proxy##*:}")
  fi
}

_buildproxy_replay
