#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetches what is not ours, as Debian packages, and unpacks it under the build directory:
#
#   kernel/$HOST/{Image,config,modules,headers}   stock arm64 kernel and its module build tree
#   sysroot/                                      arm64 programs and libraries: busybox, libfdt, kexec
#   qemu/                                         QEMU 10 or later for the build machine
#
# Does nothing when all is there; FORCE=1 looks for newer versions.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/apt.sh"

case $HOST in
6.1)	kernel_suite=bookworm ;;
6.12)	kernel_suite=bookworm-backports ;;
*)	die "HOST=$HOST: known are 6.1 and 6.12" ;;
esac

tools_stamp=$BUILD/.fetched-tools
kernel_stamp=$BUILD/kernel/$HOST/.fetched

fetch_kernel()
{
	local dir=$BUILD/kernel/$HOST new=$BUILD/kernel/$HOST.new
	local metaver image ver common kbuild flavour p

	metaver=$(apt_version linux-image-arm64:arm64 $kernel_suite)
	[ -n "$metaver" ] || die "no linux-image-arm64 in $kernel_suite"
	image=$(apt_field linux-image-arm64:arm64 "$metaver" Depends | sed 's/[ ,(].*//')
	flavour=${image#linux-image-}
	case $flavour in
	"$HOST".*) ;;
	*) die "$kernel_suite has $flavour, wanted $HOST" ;;
	esac
	ver=$(apt_version "$image:arm64" $kernel_suite)

	common=$(apt_field "linux-headers-$flavour:arm64" "$ver" Depends |
		grep -o 'linux-headers-[^ ,]*-common')
	kbuild=$(apt_field "linux-headers-$flavour:arm64" "$ver" Depends |
		grep -o 'linux-kbuild-[^ ,]*')
	rm -rf "$new"
	apt_unpack "$new/root" "$image:arm64=$ver" "linux-headers-$flavour:arm64=$ver" \
		"$common:amd64=$ver" "$kbuild:amd64=$ver"

	# The packages name each other by absolute paths: point them at where they now are.
	local src=$new/root/usr/src final=$dir/root/usr
	grep -rlE '/usr/(src|lib)/linux-' --include='Makefile*' --include='*.mk' \
		--include='.kernelvariables' "$src" | while read -r p; do
		sed -i -E "s,/usr/(src|lib)/(linux-),$final/\\1/\\2,g" "$p"
	done
	# Else kbuild wants pahole, of the version that built the kernel, for BTF of modules.
	mv "$src/linux-headers-$flavour/vmlinux" "$new/vmlinux.btf" 2>/dev/null || true

	ln -s "root/boot/vmlinuz-$flavour" "$new/vmlinuz"
	ln -s "root/boot/config-$flavour" "$new/config"
	ln -s "root/lib/modules/$flavour" "$new/modules"
	ln -s "root/usr/src/linux-headers-$flavour" "$new/headers"
	printf '%s\n' "$flavour" > "$new/release"
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

if [ -n "${FORCE:-}" ]; then
	rm -f "$tools_stamp" "$kernel_stamp"
fi
if [ -e "$tools_stamp" ] && [ -e "$kernel_stamp" ]; then
	exit 0
fi
mkdir -p "$BUILD"
exec 9> "$BUILD/.fetch.lock"
flock 9

if [ ! -e "$tools_stamp" ] || [ ! -e "$kernel_stamp" ]; then
	apt_setup bookworm-backports
fi
if [ ! -e "$kernel_stamp" ]; then
	fetch_kernel
	touch "$kernel_stamp"
fi
if [ ! -e "$tools_stamp" ]; then
	fetch_sysroot
	fetch_qemu
	touch "$tools_stamp"
fi
