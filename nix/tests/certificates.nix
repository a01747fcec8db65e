# stdenv names /no-cert-file.crt where nobody named certificates, so that nothing of the machine is
# trusted; and openssl, as nixpkgs has it, prefers NIX_SSL_CERT_FILE to SSL_CERT_FILE. The authority of
# replay has to be in both.
{
  lib,
  runCommand,
  curl,
}:
let
  content = [
    {
      url = "https://a.test/";
      file = builtins.toFile "body" "body";
    }
  ];
  trusts =
    name: attributes: start:
    runCommand "check-certificates-${name}"
      (
        {
          __darwinAllowLocalNetworking = true;
        }
        // attributes
      )
      ''
        ${start}
        [[ $NIX_SSL_CERT_FILE == "$SSL_CERT_FILE" && $SSL_CERT_FILE == */* && -s $SSL_CERT_FILE ]]
        for variable in SSL_CERT_FILE NIX_SSL_CERT_FILE; do
          [[ $(curl --cacert "''${!variable}" --fail --silent --show-error https://a.test/) == body ]]
        done
        # Another process sees the same.
        [[ $(bash -c 'cat "$NIX_SSL_CERT_FILE"') == "$(cat "$SSL_CERT_FILE")" ]]
        touch $out
      '';
  proxy = lib.mkBuildproxy content;
in
runCommand "check-certificates" {
  cases = [
    (trusts "source" { nativeBuildInputs = [ curl ]; } ''
      [[ $NIX_SSL_CERT_FILE == /no-cert-file.crt && $SSL_CERT_FILE == /no-cert-file.crt ]]
      source ${proxy}
    '')
    (trusts "input" {
      nativeBuildInputs = [
        curl
        proxy
      ];
    } "")
  ];
} "touch $out"
