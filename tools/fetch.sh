#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetches what is not ours, as Debian packages, and unpacks it under the build directory:
#
#   kernel/$HOST/{Image,config,modules,headers}   stock arm64 kernel and its module build tree
#   trixie/                                       for HOST=7.x: the compiler its modules want, with
#                                                 all it needs to be entered (kbuild-env.sh)
#   sysroot/                                      arm64 programs and libraries: busybox, libfdt, kexec
#   qemu/                                         QEMU 10 or later for the build machine
#
# Does nothing when all is there; FORCE=1 looks for newer versions.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/apt.sh"

case $HOST in
6.1)	kernel_suite=bookworm kernel_name='6.1.*' ;;
6.12)	kernel_suite=bookworm-backports kernel_name='6.12.*' ;;
7.x)	kernel_suite=trixie-backports kernel_name='[7-9].*' ;;
*)	die "HOST=$HOST: known are 6.1, 6.12 and 7.x" ;;
esac

tools_stamp=$BUILD/.fetched-tools
kernel_stamp=$BUILD/kernel/$HOST/.fetched

# The names in a package's Depends that match a pattern.
depends()
{
	apt_field "$1" "$2" Depends | grep -oE "(^| )$3" | tr -d ' ' | sort -u
}

fetch_kernel()
{
	local dir=$BUILD/kernel/$HOST new=$BUILD/kernel/$HOST.new
	local metaver image ver common kbuild flavour p specs=()

	metaver=$(apt_version linux-image-arm64:arm64 $kernel_suite)
	[ -n "$metaver" ] || die "no linux-image-arm64 in $kernel_suite: is the mirror reachable, and does it have that?"
	image=$(depends linux-image-arm64:arm64 "$metaver" 'linux-image-[^ ,]*')
	flavour=${image#linux-image-}
	# shellcheck disable=SC2254 # a pattern
	case $flavour in
	$kernel_name) ;;
	*) die "$kernel_suite has $flavour, wanted $HOST" ;;
	esac
	ver=$(apt_version "$image:arm64" $kernel_suite)

	common=$(depends "linux-headers-$flavour:arm64" "$ver" 'linux-headers-[^ ,]*-common')
	kbuild=$(depends "linux-headers-$flavour:arm64" "$ver" 'linux-kbuild-[^ ,]*')
	# Newer ones come in pieces.
	for p in $(depends "$image:arm64" "$ver" 'linux-(base|binary|modules)-[^ ,]*-arm64'); do
		specs+=("$p:arm64=$ver")
	done
	rm -rf "$new"
	apt_unpack "$new/root" "$image:arm64=$ver" "linux-headers-$flavour:arm64=$ver" \
		"$common:amd64=$ver" "$kbuild:amd64=$ver" "${specs[@]}"

	# The packages name each other by absolute paths: point them at where they now are.
	local src=$new/root/usr/src final=$dir/root/usr
	grep -rlE '/usr/(src|lib)/linux-' --include='Makefile*' --include='*.mk' \
		--include='.kernelvariables' "$src" | while read -r p; do
		sed -i -E "s,/usr/(src|lib)/(linux-),$final/\\1/\\2,g" "$p"
	done
	# Else kbuild wants pahole, of the version that built the kernel, for BTF of modules.
	mv "$src/linux-headers-$flavour/vmlinux" "$new/vmlinux.btf" 2>/dev/null || true

	# /boot's files are with the modules in newer ones.
	for p in root/{usr/,}lib/modules/"$flavour"; do
		[ ! -d "$new/$p/kernel" ] || ln -s "$p" "$new/modules"
	done
	for p in vmlinuz config; do
		if [ -e "$new/root/boot/$p-$flavour" ]; then
			ln -s "root/boot/$p-$flavour" "$new/$p"
		else
			ln -s "modules/$p" "$new/$p"
		fi
	done
	ln -s "root/usr/src/linux-headers-$flavour" "$new/headers"
	printf '%s\n' "$flavour" > "$new/release"
	depends "linux-headers-$flavour:arm64" "$ver" 'gcc-[0-9]+' > "$new/compiler" || true
	unpack_image "$new/vmlinuz" "$new/Image"

	rm -rf "$dir"
	mv "$new" "$dir"
	say fetch "kernel $flavour ($ver)"
}

# Some kernels are packed as a compressed EFI program ("zimg") or gzip; QEMU is quickest with a
# plain Image.
unpack_image()
{
	python3 - "$1" "$2" <<-'PY'
	import struct, subprocess, sys
	data = open(sys.argv[1], "rb").read()
	if data[:2] == b"MZ" and data[4:8] == b"zimg":
	    off, size = struct.unpack_from("<II", data, 8)
	    kind = data[24:56].split(b"\0")[0].decode()
	    tool = {"gzip": "gzip", "zstd": "zstd", "zstd22": "zstd", "xzkern": "xz", "lz4": "lz4"}[kind]
	    data = subprocess.run([tool, "-dc"], input=data[off:off + size],
	                          stdout=subprocess.PIPE).stdout
	elif data[:2] == b"\x1f\x8b":
	    data = subprocess.run(["gzip", "-dc"], input=data, check=True,
	                          stdout=subprocess.PIPE).stdout
	if data[56:60] != b"ARMd":
	    sys.exit("not an arm64 kernel image: " + sys.argv[1])
	open(sys.argv[2], "wb").write(data)
	PY
}

fetch_sysroot()
{
	local new=$BUILD/sysroot.new p specs=()

	for p in busybox-static libfdt-dev libfdt1; do
		specs+=("$p:arm64=$(apt_version $p:arm64 bookworm)")
	done
	# kexec, and what it is linked with.
	mapfile -t -O ${#specs[@]} specs < <(apt_closure bookworm kexec-tools:arm64 |
		grep -E '^(kexec-tools|lib.*|zlib1g):arm64=')
	rm -rf "$new"
	apt_unpack "$new" "${specs[@]}"
	[ -e "$new/sbin/kexec" ] || die "cannot resolve kexec-tools"
	rm -rf "$BUILD/sysroot"
	mv "$new" "$BUILD/sysroot"
	say fetch "sysroot"
}

# QEMU with every library it needs except the C library, none of it on the system's paths.
fetch_qemu()
{
	local new=$BUILD/qemu.new specs

	mapfile -t specs < <(apt_closure bookworm-backports qemu-system-arm:amd64 |
		grep -E '^(lib|zlib1g|qemu|seabios|ipxe)' | grep -vE '^(libc6|libc-bin|libpam.*):')
	rm -rf "$new"
	apt_unpack "$new" "${specs[@]}"
	[ -e "$new/usr/bin/qemu-system-aarch64" ] || die "cannot resolve qemu-system-arm"
	rm -rf "$BUILD/qemu"
	mv "$new" "$BUILD/qemu"
	say fetch "$(printf '%s\n' "${specs[@]}" | grep '^qemu-system-arm:')"
}

# What a newer kernel's modules are built with. Unpacked as any user, nothing of it configured: that
# is enough for make, a shell and a compiler.
fetch_trixie()
{
	local new=$BUILD/trixie.new p specs=()

	for p in "$compiler-aarch64-linux-gnu" base-files bash coreutils dash findutils grep \
		libelf1t64 make mawk pahole sed; do
		mapfile -t -O ${#specs[@]} specs < <(apt_closure trixie "$p:amd64")
	done
	rm -rf "$new"
	apt_unpack "$new" "${specs[@]}"
	ln -s mawk "$new/usr/bin/awk"
	for p in gcc cpp; do
		ln -s "aarch64-linux-gnu-$p-${compiler#gcc-}" "$new/usr/bin/aarch64-linux-gnu-$p"
	done
	mkdir -p "$new"/{dev,proc,tmp}
	printf '%s\n' "$compiler" > "$new/compiler"
	rm -rf "$BUILD/trixie"
	mv "$new" "$BUILD/trixie"
	say fetch "trixie's $compiler"
}

if [ -n "${FORCE:-}" ]; then
	rm -f "$tools_stamp" "$kernel_stamp"
fi
if [ -e "$tools_stamp" ] && [ -e "$kernel_stamp" ]; then
	exit 0
fi
mkdir -p "$BUILD"
exec 9> "$BUILD/.fetch.lock"
flock 9

if [ ! -e "$tools_stamp" ]; then
	apt_setup bookworm-backports
	fetch_sysroot
	fetch_qemu
	touch "$tools_stamp"
fi
if [ ! -e "$kernel_stamp" ]; then
	# Apart: what is newer is not to be chosen for bookworm.
	case $kernel_suite in
	trixie*)
		APT=$APT-trixie
		apt_setup trixie "$kernel_suite"
		;;
	*)	apt_setup bookworm-backports ;;
	esac
	fetch_kernel
	compiler=$(cat "$BUILD/kernel/$HOST/compiler")
	case $kernel_suite in
	trixie*) [ "$(cat "$BUILD/trixie/compiler" 2>/dev/null)" = "$compiler" ] || fetch_trixie ;;
	esac
	touch "$kernel_stamp"
fi
