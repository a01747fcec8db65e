# A fixed output that curl downloads, with the same options and the same way out of the sandbox as
# nixpkgs': redirects are followed, and TLS is not verified, as the hash says whether it is right.
# NIX_CURL_FLAGS="--connect-to HOST:443:127.0.0.1:PORT" puts an origin of the test in HOST's place, and
# NIX_HASHED_MIRRORS names servers that are asked for the hash where no URL gives anything.
{ lib, stdenv }:
{
  url ? "",
  urls ? [ ],
  # Each space of the text begins another option; the elements of the list are options as they are.
  curlOpts ? "",
  curlOptsList ? [ ],
  name ? null,
  pname ? null,
  version ? null,
  hash ? "",
  outputHash ? "",
  outputHashAlgo ? "",
  sha256 ? "",
  sha512 ? "",
  # Code that writes ./netrc.
  netrcPhase ? null,
  netrcImpureEnvVars ? [ ],
  meta ? { },
  passthru ? { },
}:
let
  all =
    if url != "" && urls == [ ] then
      [ url ]
    else if urls != [ ] && url == "" then
      urls
    else
      throw "fetchurl requires either `url` or `urls` to be set";

  # A hash that is left out is the fake one.
  fixed =
    if
      builtins.length (
        builtins.filter (hash: hash != "") [
          hash
          outputHash
          sha256
          sha512
        ]
      ) > 1
    then
      throw "multiple hashes passed to fetchurl: ${toString all}"
    else if hash != "" then
      {
        outputHash = hash;
        outputHashAlgo = null;
      }
    else if outputHash != "" && outputHashAlgo == "" then
      throw "fetchurl was passed outputHash without outputHashAlgo: ${toString all}"
    else if outputHash != "" then
      { inherit outputHash outputHashAlgo; }
    else if sha512 != "" then
      {
        outputHash = sha512;
        outputHashAlgo = "sha512";
      }
    else if sha256 != "" then
      {
        outputHash = sha256;
        outputHashAlgo = "sha256";
      }
    else
      {
        outputHash = lib.fakeHash;
        outputHashAlgo = null;
      };
in
stdenv.mkDerivation (
  fixed
  // {
    name =
      if pname != null && version != null then
        "${pname}-${version}"
      else if name != null then
        name
      else
        baseNameOf (toString (builtins.head all));
    urls = all;
    inherit
      curlOpts
      curlOptsList
      meta
      passthru
      ;

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
    ]
    ++ netrcImpureEnvVars;

    buildCommand = ''
      ${lib.optionalString (netrcPhase != null) ''
        ${netrcPhase}
        curlOpts="$curlOpts --netrc-file $PWD/netrc"
      ''}
      list=(${lib.escapeShellArgs curlOptsList})
      download() {
        curl --location --max-redirs 20 --retry 3 --retry-all-errors --continue-at - --disable-epsv \
          --cookie-jar cookies --insecure --fail --silent --show-error $curlOpts "''${list[@]}" \
          $NIX_CURL_FLAGS "$@"
      }
      for url in $urls; do
        echo "trying $url"
        if download --output "$out" "$url"; then exit 0; fi
      done
      # With the hash as it is written: of SRI, the algorithm is empty.
      for mirror in ''${NIX_HASHED_MIRRORS-}; do
        url=$mirror/$outputHashAlgo/$outputHash
        if download --head --output /dev/null "$url" && download --output "$out" "$url"; then exit 0; fi
      done
      echo "error: cannot download $name from any mirror"
      exit 1
    '';
  }
)
