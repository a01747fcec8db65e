# An input that is a file in the store is sourced by stdenv's setup: inside a function, with nounset on, and
# before the setup hooks of other inputs. It then does what it does for a phase that sources it.
{
  lib,
  runCommand,
  curl,
}:
let
  # Does what cacert's setup hook does.
  certificates = runCommand "certificates" { } ''
    mkdir -p $out/nix-support
    echo 'export NIX_SSL_CERT_FILE=/no/bundle.crt SSL_CERT_FILE=/no/bundle.crt CURL_CA_BUNDLE=/no/bundle.crt' \
      >$out/nix-support/setup-hook
  '';
in
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
      certificates
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
