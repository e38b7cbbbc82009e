#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetches CBMC, the bounded model checker: Debian trixie's package with every library that it needs, the C
# library and its loader too, unpacked in build/cbmc. build/cbmc/run PROGRAM ARGUMENT... runs one of its programs.
#
# Does nothing when it is there; FORCE=1 looks for a newer version. Exit status 3: it can't be had here,
# and the last line says why.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/apt.sh"

dir=$BUILD/cbmc

cant()
{
	say cbmc "$*"
	exit 3
}

fetch()
{
	local new=$dir.new specs

	# What it is linked with. The preprocessor that it also wants is the build machine's.
	mapfile -t specs < <(apt_closure trixie cbmc:amd64 |
		grep -E '^(cbmc|minisat|libc6|libgcc-s1|libstdc\+\+6|zlib1g):')
	rm -rf "$new"
	apt_unpack "$new" "${specs[@]}"
	[ -x "$new/usr/bin/cbmc" ] || die "no cbmc in ${specs[*]}"
	printf '%s\n' "${specs[@]}" | sed -n 's/^cbmc:amd64=//p' > "$new/version"
	# Beside the machine's own C library, not in its place.
	cat > "$new/run" <<-'SH'
		#!/bin/sh
		here=${0%/*}
		program=$1
		shift
		lib=$here/usr/lib/x86_64-linux-gnu
		exec "$lib/ld-linux-x86-64.so.2" --library-path "$lib:$here/usr/lib" "$here/usr/bin/$program" "$@"
	SH
	chmod +x "$new/run"
	"$new/run" cbmc --version > /dev/null || die "cbmc does not run here"
	rm -rf "$dir"
	mv "$new" "$dir"
}

mkdir -p "$BUILD"
exec 9> "$BUILD/.cbmc.lock"
flock 9
if [ -n "${FORCE:-}" ] || [ ! -x "$dir/run" ]; then
	[ "$(dpkg --print-architecture)" = amd64 ] || cant "CBMC is fetched for amd64 alone"
	APT=$CACHE/apt-cbmc
	(apt_setup trixie) || cant "no package lists of trixie"
	(fetch) || cant "CBMC can't be had from trixie"
	say cbmc "CBMC $(cat "$dir/version")"
fi
