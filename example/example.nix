{
  stdenv,
  curl,
  buildproxy,
}:

stdenv.mkDerivation {
  pname = "buildproxy-example";
  version = "1.0";

  src = ./src;

  strictDeps = true;
  nativeBuildInputs = [ curl ];

  # From here on, curl gets from proxy_content.nix what the sandbox would not let it fetch.
  prePatch = "source ${buildproxy}";

  # Darwin's sandbox has no loopback otherwise.
  __darwinAllowLocalNetworking = true;

  makeFlags = [ "PREFIX=${placeholder "out"}" ];
}
