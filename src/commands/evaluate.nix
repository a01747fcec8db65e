# What an inventory comes to, for a reader that is not Nix: entries whose `file` is null,
# { pin = the arguments of fetchurl; } or { path = an absolute path; }.
{ file }:
let
  inventory = import file;
  wanted = if builtins.isFunction inventory then builtins.functionArgs inventory else { };
  given = {
    fetchurl =
      pin:
      let
        # With these, what it gives is not what the URL gives, and the hash is of that.
        changing = [
          "downloadToTemp"
          "executable"
          "postFetch"
          "recursiveHash"
          "showURLs"
        ];
        isGiven =
          name:
          !builtins.elem pin.${name} or null [
            null
            false
            ""
            [ ]
          ];
        changes = builtins.filter isGiven changing;
        urls = if isGiven "url" then [ pin.url ] else pin.urls or [ ];
        url = if urls == [ ] then "nothing" else builtins.head urls;
        hashes = [
          "hash"
          "outputHash"
          "sha256"
          "sha512"
        ];
        given = builtins.filter isGiven hashes;
        options = builtins.filter isGiven [
          "curlOpts"
          "curlOptsList"
          "netrcPhase"
        ];
        hash = builtins.head given;
      in
      if changes != [ ] then
        throw "buildproxy: the fetchurl of ${url} has `${builtins.head changes}`, and gives other bytes than the URL; use the file in Nix, with mkBuildproxy"
      else if builtins.length given > 1 then
        throw "buildproxy: the fetchurl of ${url} has both `${hash}` and `${builtins.elemAt given 1}`"
      else
        {
          # What matters of it, under one name each.
          pin = {
            inherit urls;
            name = pin.name or null;
            versioned =
              if pin.pname or null != null && pin.version or null != null then
                "${pin.pname}-${pin.version}"
              else
                null;
            hash =
              if given != [ ] then
                pin.${hash}
              else if builtins.any (name: pin ? ${name}) hashes then
                ""
              else
                null;
            algorithm =
              if given == [ ] || hash == "hash" then
                null
              else if hash == "outputHash" then
                pin.outputHashAlgo or null
              else
                hash;
            option = if options == [ ] then null else builtins.head options;
          };
        };
  };
  missing = builtins.filter (name: !wanted.${name} && !(given ? ${name})) (builtins.attrNames wanted);
  entries =
    if missing != [ ] then
      throw "buildproxy: it asks for the argument `${builtins.head missing}`, which only nixpkgs can give; use the file in Nix, with mkBuildproxy"
    else if builtins.isFunction inventory then
      inventory (builtins.intersectAttrs wanted given)
    else
      inventory;
  body =
    file:
    if file == null || file ? pin then
      file
    else
      # `toString`, which does not copy the file to the store.
      { path = toString file; };
in
map (entry: if entry ? file then entry // { file = body entry.file; } else entry) entries
