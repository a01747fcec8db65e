# A replay that cannot start says why, and does not let the build go on as if it had. Phases of stdenv have
# errexit on and nounset off; scripts that they run have what they please.
{
  lib,
  runCommand,
}:
let
  proxy = lib.mkBuildproxy [
    {
      url = "https://a.test/";
      status_code = "two hundred";
    }
  ];
in
runCommand "check-failed-start" { __darwinAllowLocalNetworking = true; } ''
  for options in -u -eu; do
    echo "with bash $options"
    status=0
    bash $options -c 'source ${proxy} || exit; echo went on' >output 2>&1 || status=$?
    cat output
    [[ $status == 3 ]]
    if grep -F "went on" output; then exit 1; fi
  done

  echo "under errexit there is no need to ask"
  status=0
  bash -ec 'source ${proxy}; echo went on' >output 2>&1 || status=$?
  [[ $status == 3 ]]
  if grep -F "went on" output; then exit 1; fi
  grep -F ${proxy.manifest} output

  touch $out
''
