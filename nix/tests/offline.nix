# Replay answers what the inventory has and nothing else, and no other way leads out of the sandbox.
{
  lib,
  runCommand,
  stdenv,
  curl,
}:
let
  proxy = lib.mkBuildproxy [
    {
      url = "https://www.apache.org/";
      file = builtins.toFile "body" "body";
      headers = {
        "content-type" = "text/plain";
      };
    }
    {
      url = "https://www.apache.org/gone";
      status_code = 410;
    }
  ];
in
runCommand "check-offline"
  {
    nativeBuildInputs = [ curl ];
    __darwinAllowLocalNetworking = true;
  }
  ''
    source ${proxy} 2>log

    echo "the proxied connection works"
    [[ $(curl --fail --silent --show-error https://www.apache.org/) == body ]]
    [[ $(curl --silent --output body --write-out '%{http_code} %{size_download}' https://www.apache.org/gone) == "410 0" ]]

    ${lib.optionalString stdenv.hostPlatform.isLinux ''
      echo "the direct one does not"
      # A machine that has a network need not resolve the name; a sandbox has no route.
      if curl --noproxy '*' --silent --max-time 5 --output direct https://www.apache.org/ ||
        [[ $(wc -l </proc/net/route) != 1 ]]; then
        echo "this build has the network: Nix's sandbox is off"
        exit 1
      fi
    ''}

    echo "a miss is 403, says so, and stands in the log"
    [[ $(curl --silent --dump-header headers --output miss --write-out '%{http_code}' https://www.apache.org/other) == 403 ]]
    grep -i '^x-buildproxy: miss' headers
    grep -F https://www.apache.org/other miss
    grep -F https://www.apache.org/other log

    touch $out
  ''
