# As an input, the script is sourced by stdenv's setup: inside a function, with nounset on.
{
  lib,
  runCommand,
  curl,
}:
runCommand "check-native-build-inputs"
  {
    nativeBuildInputs = [
      curl
      (lib.mkBuildproxy [
        {
          url = "https://a.test/";
          file = builtins.toFile "body" "body";
        }
      ])
    ];
    __darwinAllowLocalNetworking = true;
  }
  ''
    [[ $(curl --fail --silent --show-error https://a.test/) == body ]]

    # Where `nix develop` only collects variables, a proxy would be gone before its shell opens.
    (
      unset BUILDPROXY_MANIFEST http_proxy
      export IN_NIX_SHELL=impure NIX_LOG_FD=2
      for input in $nativeBuildInputs; do
        if [[ -f $input ]]; then source "$input"; fi
      done
      [[ -z ''${http_proxy-} ]]
    )

    touch $out
  ''
