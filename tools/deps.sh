#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Installs what the build machine (Debian 12) needs. Nothing to do: returns at once.
#
#   deps.sh [secure-world]      secure-world: what building OP-TEE (secure-world.sh) needs
set -euo pipefail
. "$(dirname "$0")/common.sh"

packages=(
	bc binutils-aarch64-linux-gnu bison ca-certificates clang clang-format clang-tidy cpio cppcheck
	debian-archive-keyring device-tree-compiler dpkg-dev e2fsprogs flex gcc gcc-aarch64-linux-gnu
	gdb-multiarch kmod libc6-dev libc6-dev-arm64-cross libclang-rt-14-dev libcmocka-dev
	libelf-dev libssl-dev lz4 make pkg-config python3 rsync shellcheck socat sparse xz-utils zstd
)

stamp=$BUILD/.deps
case ${1:-} in
secure-world)
	packages=(device-tree-compiler libssl-dev python3-cryptography python3-pyelftools)
	stamp=$stamp-$1
	;;
esac
if [ "$stamp" -nt "$0" ]; then
	exit 0
fi

missing=()
for p in "${packages[@]}"; do
	status=$(dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null || true)
	grep -qx installed <<<"$status" || missing+=("$p")
done

if [ ${#missing[@]} -gt 0 ]; then
	root=()
	[ "$(id -u)" -eq 0 ] || root=(sudo)
	say deps "installing ${missing[*]}"
	"${root[@]}" apt-get -qq update
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq install --no-install-recommends -y "${missing[@]}" >&2
fi
mkdir -p "$BUILD"
touch "$stamp"
