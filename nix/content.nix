# Makes the manifest, which is all that replay reads, from an inventory.
#
# The inventory is a path to a proxy_content.nix, the function in it, or the list that the function
# gives. Both generations of nix-buildproxy's file are read: `{ url; file; }`, and the later one with
# `status_code`, `headers` and `file = null`. What it says of connections and lengths, replay leaves out.
#
# Evaluation stays lean for inventories of many thousand entries: one flat map, no import from
# derivation, and attributes that have their default value stay out of the JSON.
{ pkgs }:
{
  content,
  # Bodies in place of those that were downloaded, and changes to them, by URL: see replace.nix.
  overrides,
  patches,
}:
let
  inherit (pkgs) lib;

  isFile = builtins.isPath content || builtins.isString content;

  # How messages call the inventory.
  inventory = if isFile then toString content else "the proxy content";

  refuse = message: throw "buildproxy: ${inventory}: ${message}";

  loaded = if isFile then import content else content;

  # The file gets what it asks for and no more, as with callPackage.
  call =
    function:
    let
      wanted = lib.functionArgs function;
      missing = builtins.filter (name: !wanted.${name} && !(pkgs ? ${name})) (builtins.attrNames wanted);
    in
    if missing != [ ] then
      refuse "it asks for the argument `${builtins.head missing}`, which is not in nixpkgs; take it out, or give it a default"
    else
      function (builtins.intersectAttrs wanted pkgs);

  given = if lib.isFunction loaded then call loaded else loaded;

  entries =
    if overrides == { } && patches == { } || !builtins.isList given then
      given
    else
      import ./replace.nix { inherit pkgs body refuse; } { inherit overrides patches; } given;

  known = [
    "url"
    "file"
    "headers"
    "method"
    "request"
    "status_code"
  ];

  manifestEntry =
    entry:
    let
      unknown = removeAttrs entry known;
    in
    if !builtins.isAttrs entry then
      refuse "an entry must be an attribute set such as { url = …; file = …; }, and one is of type ${builtins.typeOf entry}"
    else if !entry ? url then
      refuse "an entry has no `url`; it has ${lib.concatStringsSep ", " (builtins.attrNames entry)}"
    else if unknown != { } then
      refuse "the entry for ${entry.url} has an unknown attribute `${builtins.head (builtins.attrNames unknown)}`; an entry can have ${lib.concatStringsSep ", " known}"
    else
      {
        inherit (entry) url;
        # An attribute without a name is none.
        ${if entry.file or null == null then null else "file"} = body entry;
        ${if entry.headers or { } == { } then null else "headers"} = entry.headers;
        ${if entry.method or "GET" == "GET" then null else "method"} = entry.method;
        ${if entry.request or { } == { } then null else "request"} = entry.request;
        ${if entry.status_code or 200 == 200 then null else "status_code"} = entry.status_code;
      };

  # The store path of an entry's body, or null.
  body =
    { url, file, ... }:
    if file == null then
      null
    else if file ? outPath then
      "${file}"
    else if builtins.isPath file then
      # Named anew, as a file's own name need not be one that the store allows.
      builtins.path {
        path = file;
        name = lib.strings.sanitizeDerivationName (baseNameOf file);
      }
    else if builtins.isString file && lib.hasPrefix "${builtins.storeDir}/" file then
      file
    else if builtins.isString file then
      refuse "the entry for ${url} has the string \"${file}\" as its `file`, which is not in the store; write a path without quotes, such as ./proxy_content/body"
    else
      refuse "the entry for ${url} has a `file` of type ${builtins.typeOf file}; it must be a derivation, a path, a store path, or null";

  # Of entries for the same request the first one answers, and the bodies of others need not be had: what
  # nix-buildproxy pinned of answers to POST cannot be downloaded. URLs are taken as they are spelled.
  firstOnes =
    let
      name =
        entry:
        if !builtins.isAttrs entry || !builtins.isString entry.url or null then
          ""
        else
          builtins.unsafeDiscardStringContext (
            builtins.toJSON [
              entry.url
              (entry.method or "GET")
              (entry.request or { })
            ]
          );
      named = builtins.genList (place: {
        name = name (builtins.elemAt entries place);
        value = place;
      }) (builtins.length entries);
      # Which takes the first of equal names.
      firsts = builtins.listToAttrs named;
      isFirst = one: one.name == "" || firsts.${one.name} == one.value;
    in
    map (one: builtins.elemAt entries one.value) (builtins.filter isFirst named);

  manifest =
    if builtins.isList entries then
      map manifestEntry firstOnes
    else
      refuse "it must be a list of entries, or a function that gives one, and is of type ${builtins.typeOf entries}";
in
pkgs.writeText "proxy_content.json" (builtins.toJSON manifest)
