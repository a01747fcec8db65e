# The programs that the flake offers beside buildproxy itself.
{
  lib,
  runCommand,
  buildproxy-capture,
  curl,
}:
let
  shell = lib.mkBuildproxyShell [
    {
      url = "https://a.test/";
      file = builtins.toFile "body" "body";
    }
  ];
in
runCommand "check-programs"
  {
    nativeBuildInputs = [ curl ];
    __darwinAllowLocalNetworking = true;
  }
  ''
    [[ $(${lib.getExe shell} curl --fail --silent --show-error https://a.test/) == body ]]

    status=0
    ${lib.getExe shell} sh -c 'exit 7' || status=$?
    [[ $status == 7 ]]

    ${lib.getExe buildproxy-capture} --help | grep -i capture

    touch $out
  ''
