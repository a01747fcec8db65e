# A phase sources the script: with errexit, pipefail and inherit_errexit on, as stdenv's setup has them, and
# here with nounset as well. It can be sourced from wherever a build may source it, more than once, and
# leaves nothing behind.
{
  lib,
  runCommand,
  curl,
}:
let
  proxy = lib.mkBuildproxy [
    {
      url = "http://a.test/";
      file = builtins.toFile "body" "body of a";
    }
  ];
  other = lib.mkBuildproxy [
    {
      url = "http://b.test/";
      file = builtins.toFile "body" "body of b";
    }
  ];
in
runCommand "check-source"
  {
    nativeBuildInputs = [ curl ];
    __darwinAllowLocalNetworking = true;
  }
  ''
    set -euo pipefail
    get() { curl --fail --silent --show-error "$1"; }

    echo "a subshell has a proxy of its own, which its parent does not inherit"
    (
      source ${proxy}
      [[ $(get http://a.test/) == "body of a" ]]
    )
    [[ -z ''${BUILDPROXY_MANIFEST-} ]]

    echo "but for what stdenv runs at the end, arguments, functions and variables that are not exported stay as they are"
    set -- first second
    state() { compgen -A function; comm -23 <(compgen -v | sort) <(compgen -e | sort) | grep -vxE 'BASH_.*|PIPESTATUS|RANDOM|FUNCNAME|_'; echo "$-" "$@"; }
    state "$@" >before
    source ${proxy} 2>said
    [[ ! -s said ]]
    state "$@" | grep -vxE '_buildproxy_summary|exitHooks|failureHooks' >after
    diff before after
    [[ ''${#exitHooks[@]} == 1 && ''${#failureHooks[@]} == 1 ]]
    [[ $(get http://a.test/) == "body of a" ]]
    [[ $BUILDPROXY_MANIFEST == ${proxy.manifest} ]]

    echo "sourced again, here, in a subshell and in a child, it is the same proxy"
    address=$http_proxy
    source ${proxy}
    [[ $http_proxy == "$address" ]]
    (source ${proxy} && [[ $http_proxy == "$address" ]])
    bash -euo pipefail -c 'source ${proxy}; [[ $http_proxy == "$1" ]]' child "$address"

    echo "another inventory takes its place, and says so"
    source ${other} 2>said
    grep -F 'on ${other.manifest} answers, and ${proxy.manifest} does no more' said
    [[ $http_proxy != "$address" ]]
    [[ $(get http://b.test/) == "body of b" ]]
    if get http://a.test/; then exit 1; fi

    echo "variables that outlived their proxy do not count"
    kill "$BUILDPROXY_PID"
    while [[ -e $WGETRC ]]; do sleep 0.1; done
    address=$http_proxy
    source ${other}
    [[ $http_proxy != "$address" ]]
    [[ $(get http://b.test/) == "body of b" ]]

    echo "the proxy ends with the shell that sourced it, be it a subshell, and lets go of its log"
    (source ${proxy}) 2>&1 | timeout 20 cat

    touch $out
  ''
