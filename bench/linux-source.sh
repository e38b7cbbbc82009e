#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetches Debian's source package of the very kernel that is measured (HOST=7.x), and keeps of it what
# runs at EL2, to be counted: build/linux-source/. Exit status 3: it can't be had, and the last line says
# why.
set -euo pipefail
. "$(dirname "$0")/../tools/common.sh"
. "$TOP/tools/apt.sh"

release=$(cat "$BUILD/kernel/$HOST/release")
dir=$BUILD/linux-source
package=linux-source-$(cut -d. -f1,2 <<<"$release")

[ "$(cat "$dir/release" 2> /dev/null)" != "$release" ] || exit 0

cant()
{
	say bench "$*"
	exit 3
}

APT=$APT-trixie
(apt_setup trixie trixie-backports) || cant "no package lists of trixie-backports"
version=$(basename "$(find "$DEBS" -name "linux-binary-$release"_\*.deb | head -n 1)" | cut -d_ -f2)
[ -n "$version" ] || cant "which version of $release is used cannot be told from $DEBS"
grep -qF " $version " <<<"$(apt_do cache madison "$package")" ||
	cant "the mirror has no $package of version $version"
rm -rf "$dir.new"
(apt_unpack "$dir.new/package" "$package:amd64=$version") || cant "$package cannot be fetched"
tar -xf "$dir.new"/package/usr/src/linux-source-*.tar.xz -C "$dir.new" --strip-components=1 --wildcards \
	'*/arch/arm64/kvm/hyp' '*/arch/arm64/lib' '*/arch/arm64/kernel/smccc-call.S' '*/lib/list_debug.c'
rm -rf "$dir.new/package" "$dir"
printf '%s\n' "$release" > "$dir.new/release"
mv "$dir.new" "$dir"
