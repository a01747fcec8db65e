# The part of nixpkgs' lib that is used here, under its own names and with its own behaviour.
let
  fix =
    f:
    let
      x = f x;
    in
    x;

  extends =
    overlay: f: final:
    let
      prev = f final;
    in
    prev // overlay final prev;

  # lib can be extended by overlays, and then refers to itself as extended.
  makeExtensible =
    f:
    fix (
      self:
      f self
      // {
        extend = overlay: makeExtensible (extends overlay f);
      }
    );
in
makeExtensible (lib: {
  inherit fix extends;

  inherit (builtins) concatStringsSep functionArgs;

  genAttrs =
    names: f:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = f name;
      }) names
    );

  optional = condition: element: if condition then [ element ] else [ ];

  optionals = condition: elements: if condition then elements else [ ];

  optionalAttrs = condition: attrs: if condition then attrs else { };

  optionalString = condition: string: if condition then string else "";

  # nixpkgs' own version: the one of flake.lock.
  trivial.release = "26.11";

  versionOlder = a: b: builtins.compareVersions b a == 1;

  hasPrefix = prefix: string: builtins.substring 0 (builtins.stringLength prefix) string == prefix;

  hasSuffix =
    suffix: string:
    let
      length = builtins.stringLength string;
      suffixLength = builtins.stringLength suffix;
    in
    length >= suffixLength && builtins.substring (length - suffixLength) suffixLength string == suffix;

  removeSuffix =
    suffix: string:
    if lib.hasSuffix suffix string then
      builtins.substring 0 (builtins.stringLength string - builtins.stringLength suffix) string
    else
      string;

  toLower =
    let
      letters = string: builtins.filter (l: l != "" && l != [ ]) (builtins.split "" string);
    in
    builtins.replaceStrings (letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
      letters "abcdefghijklmnopqrstuvwxyz"
    );

  take = count: list: lib.sublist 0 count list;

  sublist =
    start: count: list:
    let
      left = builtins.length list - start;
      length = if left < count then left else count;
    in
    builtins.genList (n: builtins.elemAt list (start + n)) (if length < 0 then 0 else length);

  isFunction = f: builtins.isFunction f || (f ? __functor && lib.isFunction (f.__functor f));

  fakeHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

  escapeShellArgs =
    arguments:
    builtins.concatStringsSep " " (
      map (argument: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString argument)}'") arguments
    );

  importTOML = path: builtins.fromTOML (builtins.readFile path);

  getExe = package: "${package}/bin/${package.meta.mainProgram}";

  # callPackage gives a function the arguments that it names.
  callPackageWith =
    packages: functionOrPath: arguments:
    let
      f = if builtins.isFunction functionOrPath then functionOrPath else import functionOrPath;
    in
    f (builtins.intersectAttrs (builtins.functionArgs f) packages // arguments);

  # The same, of a function that gives several packages. What it gives can be overridden one by one in
  # nixpkgs.
  callPackagesWith = lib.callPackageWith;

  strings.sanitizeDerivationName =
    name:
    let
      parts = builtins.filter builtins.isString (
        builtins.split "[^[:alnum:]+._?=-]+" (lib.strings.withoutLeadingDots name)
      );
      clean = builtins.concatStringsSep "-" parts;
      excess = builtins.stringLength clean - 207;
      end = builtins.substring (if excess > 0 then excess else 0) (-1) clean;
    in
    if clean == "" then "unknown" else end;

  strings.withoutLeadingDots =
    name: builtins.head (builtins.match "\\.*(.*)" (builtins.unsafeDiscardStringContext name));

  # A file set is the list of its paths here; nixpkgs' is a lazy tree.
  fileset = {
    unions = paths: paths;
    toSource =
      { root, fileset }:
      builtins.path {
        name = "source";
        path = root;
        filter =
          path: _:
          builtins.any (
            wanted: lib.hasPrefix "${toString wanted}/" "${path}/" || lib.hasPrefix "${path}/" (toString wanted)
          ) fileset;
      };
  };

  licenses = {
    mit.spdxId = "MIT";
    asl20.spdxId = "Apache-2.0";
  };

  platforms.unix = [
    "x86_64-linux"
    "aarch64-linux"
    "x86_64-darwin"
    "aarch64-darwin"
  ];
})
