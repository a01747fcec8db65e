{
  stdenv,
  gradle,
  buildproxy,
}:

stdenv.mkDerivation {
  pname = "herald";
  version = "1.0";

  src = ./src;

  strictDeps = true;
  nativeBuildInputs = [ gradle ];
  prePatch = "source ${buildproxy}";

  gradleBuildTask = "bundle";
  installPhase = "cp -r build/bundle $out";
}
