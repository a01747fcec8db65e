# shellcheck shell=bash
# What nixpkgs' gradle has beside the program: a function in its place that adds options, and the phase that
# calls it. Gradle is told of a proxy, and of a trust store with its certificate, by the variables that the
# setup hook of mitm-cache sets; without them it works offline, and never asks anybody.

gradleConfigureHook() {
  export GRADLE_USER_HOME=${GRADLE_USER_HOME:-$(mktemp -d)}
  gradleFlagsArray+=(--no-daemon --console plain)
  if [[ -z ${MITM_CACHE_CA-} ]]; then
    gradleFlagsArray+=(--offline)
    return
  fi
  if [[ -z ${MITM_CACHE_KEYSTORE-} ]]; then
    MITM_CACHE_KEYSTORE=$MITM_CACHE_CERT_DIR/keystore
    MITM_CACHE_KS_PWD=$(od -An -N8 -tx1 /dev/urandom | tr -d ' ')
    keytool -importcert -noprompt -alias alias -file "$MITM_CACHE_CA" \
      -keystore "$MITM_CACHE_KEYSTORE" -storepass "$MITM_CACHE_KS_PWD"
  fi
  local scheme
  for scheme in http https; do
    gradleFlagsArray+=("-D$scheme.proxyHost=$MITM_CACHE_HOST" "-D$scheme.proxyPort=$MITM_CACHE_PORT")
  done
  gradleFlagsArray+=(
    "-Djavax.net.ssl.trustStore=$MITM_CACHE_KEYSTORE"
    "-Djavax.net.ssl.trustStorePassword=$MITM_CACHE_KS_PWD"
  )
}
preConfigureHooks+=(gradleConfigureHook)

gradle() {
  command gradle "${gradleFlagsArray[@]}" "$@"
}

gradleBuildPhase() {
  runHook preBuild
  # shellcheck disable=SC2086
  gradle ${gradleBuildTask:-assemble}
  runHook postBuild
}
if [[ -z ${buildPhase-} ]]; then
  buildPhase=gradleBuildPhase
fi
