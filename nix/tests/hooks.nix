# exitHooks and failureHooks: what stdenv's builder runs in its EXIT trap, and where nothing but `exit`
# changes the status of the build. There the log is told what was answered, and `strict` fails.
{
  lib,
  runCommand,
  curl,
}:
let
  content = [
    {
      url = "http://a.test/";
      file = builtins.toFile "body" "body";
    }
  ];
  other = [
    {
      url = "http://b.test/";
      file = builtins.toFile "body" "body";
    }
  ];
  proxy = lib.mkBuildproxy content;
  strict = lib.mkBuildproxy {
    inherit content;
    strict = true;
  };
in
runCommand "check-hooks"
  {
    nativeBuildInputs = [ curl ];
    __darwinAllowLocalNetworking = true;
  }
  ''
    # A builder in the builder, which sources stdenv's setup as the real one does, and ends with a status.
    builder() {
      local expected=$1 status=0
      echo "expecting the status $expected of: $2"
      bash -ec 'source $stdenv/setup; get() { curl --silent --output body "http://$1.test/"; }; '"$2" 2>log || status=$?
      cat log
      [[ $status == "$expected" ]]
    }
    summary="buildproxy: 1 request was answered"
    missed="buildproxy: no request was answered; these were not"
    # How many lines of the log begin so.
    lines() { grep -c "^$1" log || :; }

    builder 0 'source ${proxy}; get a'
    grep -x "$summary" log
    builder 0 'source ${proxy}; get x; get x'
    grep "^$missed" log
    grep -x "  GET http://x.test/ (2 times)" log
    grep -xF "    buildproxy add proxy_content.nix http://x.test/" log
    builder 7 'source ${proxy}; get x; exit 7'
    grep "^$missed" log

    echo "strict"
    builder 0 'source ${strict}; get a'
    grep -x "$summary" log
    builder 4 'source ${strict}; get x'
    grep "^$missed" log
    builder 4 'source ${strict}; get x; exit 7'
    grep "^$missed" log
    builder 7 'source ${strict}; get a; exit 7'
    grep -x "$summary" log
    builder 4 'failureHooks+=("echo another hook >&2"); source ${strict}; get x'
    grep "another hook" log

    echo "whatever becomes of the traps and hooks of the build"
    for last in 'trap "echo mine >&2; exit 0" EXIT; get x' 'get x; trap "echo mine >&2; exit 0" EXIT' \
      'trap - EXIT; get x' 'exitHooks=("exit 0" "''${exitHooks[@]}"); get x' 'succeedOnFailure=1; get x' \
      '(trap - EXIT; get x; exit 0)' 'if ! get x; then exit 0; fi; exit 0' 'exitHook() { exit 0; }; { get x; }'; do
      builder 4 "source ${strict}; $last"
      [[ $(lines "$missed") == 1 && $(lines "buildproxy: strict: ") == 1 ]] || [[ $last == *mine* && $(lines mine) == 1 ]]
    done
    builder 4 'trap "exit 0" EXIT; source ${strict}; get x'
    grep "^buildproxy: strict: " log

    echo "also where the same inventory answers already, and is not strict"
    builder 4 'source ${proxy}; source ${strict}; get x'
    grep "^buildproxy: strict: " log
    builder 4 'source ${strict}; source ${proxy}; get x'
    grep "^buildproxy: strict: " log
    builder 1 'source ${proxy}; (source ${strict}; get x)'
    grep "strict mkBuildproxy" log

    echo "sourced again, it says so once"
    builder 0 'source ${proxy}; source ${proxy}; get a; (source ${proxy}; get a)'
    [[ $(lines "buildproxy: 2 requests were answered") == 1 ]]

    echo "of two inventories each says what it answered"
    builder 0 'source ${proxy}; get a; source ${lib.mkBuildproxy other}; get b'
    [[ $(lines "$summary") == 2 ]]

    echo "a replay that is gone"
    gone="buildproxy: replay ended before the build did"
    end='kill "$BUILDPROXY_PID"; while kill -0 "$BUILDPROXY_PID" 2>/dev/null; do sleep 0.1; done'
    builder 0 "source ${proxy}; $end"
    grep "^$gone" log
    builder 4 "source ${strict}; $end"
    grep "^$gone" log

    echo "where there are no such hooks, strict refuses"
    builder 1 '(source ${strict}; get a)'
    grep "strict mkBuildproxy" log
    builder 1 "bash -c 'source ${strict} || exit; curl http://a.test/'"
    grep "strict mkBuildproxy" log
    builder 0 'source ${strict}; (source ${strict}; get a)'
    grep -x "$summary" log

    echo "but not in a shell of Nix, where no build could fail"
    builder 0 "env -u NIX_LOG_FD IN_NIX_SHELL=impure bash -c 'source ${strict} || exit; curl --silent http://x.test/'"

    echo "a fixed output has the network, and a capture gets all that is asked"
    unanswered='[[ -z ''${http_proxy-}''${BUILDPROXY_MANIFEST-} ]]'
    builder 0 "outputHash=; source ${strict}; $unanswered"
    [[ ! -s log ]]
    builder 0 "export BUILDPROXY_MODE=capture; source ${strict}; $unanswered"
    grep -xF "buildproxy: ${strict.manifest} answers nothing here, as this build is captured" log
    builder 0 'export BUILDPROXY_MODE=replay; source ${strict}; get a'
    grep -x "$summary" log

    echo "with nounset"
    builder 4 'set -u; source ${strict}; get x'

    touch $out
  ''
