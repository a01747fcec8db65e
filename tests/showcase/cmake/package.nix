{
  stdenv,
  cmake,
  buildproxy,
}:

stdenv.mkDerivation {
  pname = "almanac";
  version = "1.0";

  src = ./src;

  strictDeps = true;
  nativeBuildInputs = [ cmake ];
  prePatch = "source ${buildproxy}";

  configurePhase = "cmake -S . -B build";
  buildPhase = "cmake --build build";
  installPhase = "cmake --install build --prefix $out";
}
