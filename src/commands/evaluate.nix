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
        changes = builtins.filter (name: pin.${name} or false != false && pin.${name} != "") [
          "downloadToTemp"
          "executable"
          "postFetch"
          "recursiveHash"
          "showURLs"
        ];
      in
      if changes != [ ] then
        throw "buildproxy: the fetchurl of ${
          pin.url or (builtins.head pin.urls)
        } has `${builtins.head changes}`, and gives other bytes than the URL; use the file in Nix, with mkBuildproxy"
      else
        { inherit pin; };
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
