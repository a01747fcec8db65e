# In transparent mode the build has no proxy and needs none, whatever it asks for. Of Linux only. The builder
# starts again, as stdenv's setup has done nothing that lasts when it sources its inputs.
{
  lib,
  runCommand,
  stdenv,
  curl,
}:
let
  proxy = lib.mkBuildproxy {
    transparent = true;
    content =
      map
        (url: {
          inherit url;
          file = builtins.toFile "body" "body";
        })
        [
          "http://192.0.2.1:8080/"
          "https://a.test/"
          "https://a.test:8443/"
        ];
  };
  # Does what cacert's setup hook does.
  certificates = runCommand "certificates" { } ''
    mkdir -p $out/nix-support
    echo 'export NIX_SSL_CERT_FILE=/no/bundle.crt SSL_CERT_FILE=/no/bundle.crt CURL_CA_BUNDLE=/no/bundle.crt' \
      >$out/nix-support/setup-hook
  '';
in
if !stdenv.hostPlatform.isLinux then
  runCommand "check-transparent" { } "touch $out"
else
  runCommand "check-transparent"
    {
      nativeBuildInputs = [
        curl
        proxy
        certificates
      ];
      text = "two\nlines";
    }
    ''
      [[ -z ''${http_proxy-}''${https_proxy-} ]]
      for url in https://a.test/ https://a.test:8443/ http://192.0.2.1:8080/; do
        [[ $(curl --fail --silent --show-error "$url") == body ]]
      done

      echo "a miss is 403"
      [[ $(curl --silent --output miss --write-out '%{http_code}' https://b.test/) == 403 ]]

      echo "it is the same build"
      [[ $text == $'two\nlines' && $PWD == "$NIX_BUILD_TOP" ]]
      grep '^CapEff:.0*$' /proc/self/status

      echo "a phase cannot start again"
      (
        unset BUILDPROXY_TRANSPARENT
        if source ${proxy} 2>log; then exit 1; fi
        grep nativeBuildInputs log
      )

      touch $out
    ''
