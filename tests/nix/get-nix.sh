#!/bin/bash
# usage: get-nix.sh SUITE DEST
#
# Unpacks SUITE's nix-bin under DEST with all that it needs, libc included, so that it runs beside the
# host's packages and changes none. Prints the path of the program; does no more where DEST has it.
#
# SUITE is one of the distribution that this machine runs (Debian: trixie, forky; Ubuntu: plucky), and
# the archive is the one that its apt uses. Needs apt, dpkg-deb and patchelf, and no privileges.
set -euo pipefail

fail() {
  echo "get-nix.sh: $1" >&2
  exit 1
}

[[ $# == 2 ]] || fail "usage: get-nix.sh SUITE DEST"
suite=$1
dest=$(realpath -m "$2")
nix=$dest/usr/bin/nix
stamp=$dest/.suite

if [[ -e $stamp ]]; then
  [[ $(<"$stamp") == "$suite" ]] || fail "$dest has the Nix of $(<"$stamp"); take another folder for $suite's"
  echo "$nix"
  exit
fi
[[ ! -e $dest ]] || fail "$dest exists and was not made by this script; remove it, or take another folder"
for tool in apt-get dpkg-deb patchelf; do
  command -v "$tool" >/dev/null || fail "$tool is missing; this needs a Debian or Ubuntu with apt, dpkg and patchelf"
done

# shellcheck source=/dev/null
. /etc/os-release

# Of the sources of apt, in either of their two formats, the distribution's own: others may have the same
# release and component. The security and update suites go by other names.
archive=$(
  apt-get indextargets --format '$(ORIGIN)|$(COMPONENT)|$(RELEASE)|$(REPO_URI)' 'Created-By: Packages' |
    awk -F'|' -v id="$ID" -v release="^(${VERSION_CODENAME-}|stable|testing|unstable|sid)$" \
      'tolower($1) == id && $2 == "main" && $3 ~ release && !found { print $4; found = 1 }'
)
[[ -n $archive ]] ||
  fail "apt knows no source with the component main of $ID ${VERSION_CODENAME-}; run apt-get update, and see apt-get indextargets"

# The distribution's keyring knows the keys of newer suites before apt trusts them for this one.
signed_by=
for keyring in /usr/share/keyrings/"$ID"-archive-keyring.{gpg,pgp}; do
  if [[ -e $keyring ]]; then signed_by="[signed-by=$keyring]"; fi
done

work=$(mktemp -d)
part=$dest.part
trap 'rm -rf "$work" "$part"' EXIT
mkdir -p "$work"/lists/partial "$work"/archives/partial "$work"/preferences.d
: >"$work/status"
echo "deb $signed_by $archive $suite main" >"$work/sources.list"

# A state of its own for apt, with nothing installed: so that it fetches every dependency. The rest of
# its configuration (proxies, credentials, trusted keys) is the machine's, but for its hooks.
cat >"$work/apt.conf" <<EOF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State "$work";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Etc::SourceList "$work/sources.list";
Dir::Etc::SourceParts "-";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$work/preferences.d";
APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
EOF
apt-get -qq -c "$work/apt.conf" update >&2 ||
  fail "the archive of this machine's apt has no suite $suite of $ID, or cannot be reached"
apt-get -qq -c "$work/apt.conf" --yes --download-only install nix-bin </dev/null >&2 ||
  fail "$suite has no nix-bin, or it could not be downloaded"

rm -rf "$part"
mkdir -p "$part"
for package in "$work"/archives/*.deb; do
  case ${package##*/} in
  # What nix-bin's maintainer scripts want, and Nix does not.
  adduser_* | debconf_* | dpkg_* | libpam* | login* | passwd_* | perl* | libperl* | tar_*) ;;
  *) dpkg-deb --extract "$package" "$part" ;;
  esac
done

# Its own loader and libraries, found where they will be. The loader stands in /lib or in /usr/lib.
in_part() {
  local path
  for path in "$part/usr$1" "$part$1"; do
    if [[ -e $path ]]; then echo "$dest${path#"$part"}" && return; fi
  done
  fail "$suite's packages have no $1"
}
loader=$(in_part "$(patchelf --print-interpreter "$part/usr/bin/nix")")
libraries=$(cd "$part" && find . -name libc.so.6 -o -name libnixstore.so -o -name 'libsodium.so.*' | sed "s|^\.|$dest|; s|/[^/]*$||" | sort -u | paste -sd:)
patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$libraries" "$part/usr/bin/nix"

echo "$suite" >"$part/.suite"
mv "$part" "$dest"
"$nix" --version >&2 || {
  rm "$stamp"
  fail "$nix was unpacked, but does not run here"
}
echo "$nix"
