#!/bin/bash
# usage: with-nix-folder.sh FOLDER EMPTY COMMAND [ARG...]
#
# Runs COMMAND where /nix is FOLDER, be there another on this machine or none, and all else is as it is.
# It has to be called with a mount namespace of its own, and the capability to mount: after
# `unshare --mount`, as root or with `--user --map-root-user`. EMPTY is a folder to put the new root on.
set -euo pipefail

nix=$1 root=$2 here=$PWD
shift 2

mount -t tmpfs tmpfs "$root"
for path in /*; do
  if [[ -L $path ]]; then
    cp --no-dereference "$path" "$root"
  elif [[ -d $path && $path != /nix ]]; then
    mkdir "$root$path"
    mount --rbind "$path" "$root$path"
  fi
done
mkdir "$root/nix"
mount --bind "$nix" "$root/nix"

# Not chroot: who is in one can make no user namespace, as Nix's sandbox does.
cd "$root"
PATH=$PATH:/usr/sbin:/sbin pivot_root . .
umount --lazy .
cd "$here"
exec "$@"
