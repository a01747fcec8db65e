# Puts other bodies in place of those that were downloaded, as `overrides` and `patches` of mkBuildproxy say.
#
# Of the entries for a URL, those are meant that answer GET with status 200 and a body, however their
# `request` narrows them. They keep their status, their `request`, and such headers as are not about the
# bytes. Entries that answer HEAD on their own go, as they are about the old body too: HEAD is then
# answered from GET.
{
  pkgs,
  # The store path of an entry's body.
  body,
  # Throws a message about the inventory.
  refuse,
}:
{ overrides, patches }:
entries:
let
  inherit (pkgs) lib;

  # As buildproxy compares URLs: scheme and host in lower case, `/` for no path, no default port, no
  # fragment.
  normal =
    url:
    let
      # Longer than any host; the whole could be more than the regular expression can take.
      parts = builtins.match "([^:/?#]+)://([^/?#]*).*" (builtins.substring 0 300 url);
      scheme = lib.toLower (builtins.elemAt parts 0);
      authority = lib.toLower (builtins.elemAt parts 1);
      before = builtins.stringLength "${scheme}://${authority}";
      rest = builtins.head (
        builtins.split "#" (builtins.substring before (builtins.stringLength url) url)
      );
      port =
        {
          http = ":80";
          https = ":443";
        }
        .${scheme} or "";
      slash = lib.optionalString (!lib.hasPrefix "/" rest) "/";
    in
    if parts == null then url else "${scheme}://${lib.removeSuffix port authority}${slash}${rest}";

  # An argument by normal URLs.
  byUrl =
    given:
    builtins.listToAttrs (
      map (url: {
        name = normal url;
        value = given.${url};
      }) (builtins.attrNames given)
    );

  overrideOf = byUrl overrides;
  patchesOf = byUrl patches;
  isNamed = url: overrideOf ? ${url} || patchesOf ? ${url};

  # What is no entry is refused later, with what is wrong about it.
  isEntry = entry: builtins.isAttrs entry && builtins.isString entry.url or null;
  urls = map (entry: normal entry.url) (builtins.filter isEntry entries);

  isReplaceable =
    entry:
    entry.method or "GET" == "GET" && entry.status_code or 200 == 200 && entry.file or null != null;
  replaceable = builtins.listToAttrs (
    map (entry: {
      name = normal entry.url;
      value = null;
    }) (builtins.filter (entry: isEntry entry && isReplaceable entry) entries)
  );

  # Those of the same file name, or else of the same host.
  nearest =
    url:
    let
      fileName = url: baseNameOf (builtins.head (builtins.split "[?]" url));
      # With the scheme, in pieces.
      host = url: lib.take 5 (builtins.split "/" url);
      alike = part: builtins.filter (other: part other == part url) urls;
      near = if alike fileName != [ ] then alike fileName else alike host;
    in
    if near == [ ] then
      "look at its spelling, or capture it"
    else
      "nearest: ${lib.concatStringsSep ", " (lib.take 3 near)}";

  checked =
    argument: given:
    let
      named = builtins.attrNames given;
      same = url: builtins.filter (other: normal other == normal url) named;
      twice = builtins.filter (url: builtins.length (same url) > 1) named;
      wrong = builtins.filter (url: !replaceable ? ${normal url}) named;
      url = builtins.head wrong;
    in
    if !builtins.isAttrs given then
      refuse "`${argument}` must be an attribute set with URLs as names, and is of type ${builtins.typeOf given}"
    else if twice != [ ] then
      refuse "`${argument}` names one URL twice: ${lib.concatStringsSep ", " (same (builtins.head twice))}"
    else if wrong == [ ] then
      true
    else if builtins.elem (normal url) urls then
      refuse "`${argument}` names ${url}, of which no entry answers GET with status 200 and a body"
    else
      refuse "`${argument}` names ${url}, which no entry has; ${nearest (normal url)}";

  # Headers that tell of the bytes: of others they would be a lie. The table is the program's.
  ofBytes =
    let
      parts = builtins.fromJSON (builtins.readFile ../src/inventory/headers_of_the_bytes.json);
    in
    ".*(${lib.concatStringsSep "|" parts}).*";
  isOfBytes = name: builtins.match ofBytes (lib.toLower name) != null;

  patched =
    entry: patches:
    let
      old = body entry;
      coding = entry.headers.content-encoding or "identity";
    in
    if lib.isFunction patches then
      patches old
    else if !builtins.isList patches then
      refuse "`patches` for ${entry.url} must be a list of patch files, or a function from the body's store path to another body, and is of type ${builtins.typeOf patches}"
    else if coding != "identity" then
      refuse "the body of ${entry.url} is coded (content-encoding: ${toString coding}), and patch files cannot change it; make `patches` for it a function that decodes it"
    else
      pkgs.runCommand (lib.strings.sanitizeDerivationName "patched-${baseNameOf entry.url}")
        {
          inherit (entry) url;
          body = old;
          patchFiles = patches;
          preferLocalBuild = true;
          allowSubstitutes = false;
        }
        ''
          cp "$body" body
          chmod u+w body
          for patchFile in ''${patchFiles[*]}; do
            echo "applying $patchFile to the body of $url"
            patch --forward body "$patchFile"
          done
          mv body "$out"
        '';

  replaced =
    entry:
    let
      url = normal entry.url;
      overridden = if overrideOf ? ${url} then entry // { file = overrideOf.${url}; } else entry;
      # What an override puts there is not coded as what was downloaded.
      plain = overridden // {
        headers = removeAttrs entry.headers or { } (
          builtins.filter isOfBytes (builtins.attrNames entry.headers or { })
        );
      };
      toPatch = if overrideOf ? ${url} then plain else entry;
    in
    plain
    // lib.optionalAttrs (patchesOf ? ${url}) {
      file = patched toPatch patchesOf.${url};
    };

  replace =
    entry:
    if !isEntry entry || !isNamed (normal entry.url) then
      [ entry ]
    else if entry.method or "GET" == "HEAD" then
      [ ]
    else if isReplaceable entry then
      [ (replaced entry) ]
    else
      [ entry ];
in
if checked "overrides" overrides && checked "patches" patches then
  builtins.concatMap replace entries
else
  [ ]
