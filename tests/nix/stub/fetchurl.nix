# A fixed output that curl downloads, with the same options and the same way out of the sandbox as
# nixpkgs': redirects are followed, and TLS is not verified, as the hash says whether it is right.
# NIX_CURL_FLAGS="--connect-to HOST:443:127.0.0.1:PORT" puts an origin of the test in HOST's place.
{ stdenv }:
{
  url ? "",
  urls ? [ ],
  name ? "",
  hash ? "",
  sha256 ? "",
}:
let
  all = if url != "" then [ url ] else urls;
in
stdenv.mkDerivation {
  name = if name != "" then name else baseNameOf (toString (builtins.head all));
  urls = all;

  outputHash = if hash != "" then hash else sha256;
  outputHashAlgo = if hash != "" then null else "sha256";
  outputHashMode = "flat";

  preferLocalBuild = true;
  impureEnvVars = [
    "http_proxy"
    "https_proxy"
    "ftp_proxy"
    "all_proxy"
    "no_proxy"
    "HTTP_PROXY"
    "HTTPS_PROXY"
    "FTP_PROXY"
    "ALL_PROXY"
    "NO_PROXY"
    "NIX_SSL_CERT_FILE"
    "NIX_CURL_FLAGS"
    "NIX_HASHED_MIRRORS"
    "NIX_CONNECT_TIMEOUT"
  ];

  buildCommand = ''
    for url in $urls; do
      echo "trying $url"
      if curl --location --max-redirs 20 --retry 3 --retry-all-errors --continue-at - --disable-epsv \
        --cookie-jar cookies --insecure --fail --silent --show-error $NIX_CURL_FLAGS \
        --output "$out" "$url"; then
        exit 0
      fi
    done
    echo "error: cannot download $name from any mirror"
    exit 1
  '';
}
