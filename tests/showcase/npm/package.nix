{
  stdenv,
  nodejs,
  buildproxy,
}:

stdenv.mkDerivation {
  pname = "player";
  version = "1.0.0";

  src = ./src;

  strictDeps = true;
  nativeBuildInputs = [
    nodejs
    buildproxy
  ];

  buildPhase = "HOME=$TMPDIR npm install";
  installPhase = "cp -r . $out";
}
