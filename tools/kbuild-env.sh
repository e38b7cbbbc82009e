#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs a command with the compiler that modules of kernel $HOST want. For most that is the system's.
# For 7.x it is that of the tree that fetch.sh made of trixie's packages: the command runs inside, and
# finds this repository, the build directory and the working directory where they are outside.
#
#   kbuild-env.sh COMMAND [ARGUMENT]...
set -euo pipefail
. "$(dirname "$0")/common.sh"

tree=$BUILD/trixie
case $HOST in
7.x)	[ -e "$tree/compiler" ] || die "no $tree: run 'make fetch HOST=$HOST'" ;;
*)	exec "$@" ;;
esac

# Namespaces of our own: the mounts are gone when the command is, and no root is needed.
own=(--mount)
[ "$(id -u)" -eq 0 ] || own+=(--user --map-root-user)
if [ -z "${STOCKADE_KBUILD_ENV:-}" ]; then
	unshare "${own[@]}" true ||
		die "HOST=$HOST needs to make mounts of its own: run it as root, or allow user namespaces"
	STOCKADE_KBUILD_ENV=1 exec unshare "${own[@]}" "$0" "$@"
fi

kernel=$(readlink -f "$BUILD/kernel")
for dir in /dev /proc "$TOP" "$BUILD" "$kernel" "$PWD"; do
	# The build directory may be in the repository, and downloads be shared by a symbolic link.
	[ ! "$dir" -ef "$tree$dir" ] || continue
	mkdir -p "$tree$dir"
	mount --rbind "$dir" "$tree$dir"
done
# shellcheck disable=SC2016
exec chroot "$tree" /bin/sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
