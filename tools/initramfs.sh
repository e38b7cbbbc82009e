#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Makes an initramfs (newc) for an arm64 kernel: busybox with its links, an init, and more files.
#
#   initramfs.sh [-z] -o OUT [-i INIT] [-r DIR] [-x PROG:DEST]... [-m MODULE]... [-e] [SRC:DEST]...
#
#   -o OUT        the image
#   -i INIT       script or program that becomes /init (default: a shell on the console)
#   -x PROG:DEST  program from the arm64 sysroot (path inside it), with the libraries it needs
#   -r DIR        another sysroot for all programs of -x
#   -m MODULE     module of the stock kernel by name (virtio_net), with those it depends on, into
#                 /lib/modules/NAME.ko; /lib/modules/load lists them in the order to insert
#   -e            empty: no busybox, only what is named
#   -z            lz4-compressed
#   SRC:DEST      file or directory; DEST ending in / keeps the name. Modes are kept.
#
# The same inputs give the same bytes.
set -euo pipefail
. "$(dirname "$0")/common.sh"

sysroot=$BUILD/sysroot
cross=$CROSS_COMPILE
out='' init='' empty='' compress=''
programs=() modules=() programs_root=$sysroot

while getopts o:i:r:x:m:ez opt; do
	case $opt in
	o) out=$OPTARG ;;
	i) init=$OPTARG ;;
	r) programs_root=$OPTARG ;;
	x) programs+=("$OPTARG") ;;
	m) modules+=("$OPTARG") ;;
	e) empty=1 ;;
	z) compress=1 ;;
	*) die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ -n "$out" ] || die "-o OUT is missing"

root=$(mktemp -d "${TMPDIR:-/tmp}/initramfs.XXXXXX")
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

put()
{
	local src=$1 dest=$2

	[ -e "$src" ] || die "no such file: $src"
	case $dest in
	*/) dest=$dest${src##*/} ;;
	esac
	mkdir -p "$root/$(dirname "$dest")"
	if [ -d "$src" ]; then
		mkdir -p "$root/$dest"
		cp -RL --preserve=mode "$src/." "$root/$dest/"
	else
		cp -L --remove-destination --preserve=mode "$src" "$root/$dest"
	fi
}

find_lib()
{
	local dir

	for dir in lib/aarch64-linux-gnu usr/lib/aarch64-linux-gnu lib usr/lib; do
		if [ -e "$programs_root/$dir/$1" ]; then
			printf '%s\n' "$dir/$1"
			return
		fi
	done
	die "library $1 is not in $programs_root"
}

put_libs()
{
	local lib path dest

	for lib in $("${cross}readelf" -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		path=$(find_lib "$lib")
		dest=$path
		[ "$lib" != ld-linux-aarch64.so.1 ] || dest=lib/$lib
		[ ! -e "$root/$dest" ] || continue
		put "$programs_root/$path" "$dest"
		put_libs "$programs_root/$path"
	done
}

# busybox can't be run here: its applets' names are one sorted block of strings in it.
applets()
{
	python3 - "$sysroot/bin/busybox" <<-'PY'
	import re, sys
	block = open(sys.argv[1], "rb").read().split(b"\0[\0[[\0", 1)[1].split(b"\0")
	print("[\n[[")
	last = b""
	for name in block:
	    if not re.fullmatch(rb"[a-z0-9][a-z0-9_.+-]*", name) or name < last:
	        break
	    if name != b"busybox":
	        print(name.decode())
	    last = name
	PY
}

put_module()
{
	local name=${1//-/_} file dep

	! grep -qx "$name" "$root/lib/modules/load" || return 0
	grep -q "/$name\.ko" <<<"${builtin_modules//-/_}" && return 0
	file=$(find "$BUILD/kernel/$HOST/modules/" -name "${name//_/[-_]}.ko*" | head -n 1)
	[ -n "$file" ] || die "kernel $HOST has no module $name"
	case $file in
	*.xz) xz -dc "$file" > "$root/lib/modules/$name.ko" ;;
	*.zst) zstd -qdc "$file" > "$root/lib/modules/$name.ko" ;;
	*) cp "$file" "$root/lib/modules/$name.ko" ;;
	esac
	for dep in $(modinfo -F depends "$root/lib/modules/$name.ko" | tr , ' '); do
		put_module "$dep"
	done
	printf '%s\n' "$name" >> "$root/lib/modules/load"
}

mkdir -p "$root"/{dev,proc,sys,tmp,run}
if [ -z "$empty" ]; then
	mkdir -p "$root"/{bin,usr,etc,root}
	ln -s bin "$root/sbin"
	ln -s ../bin "$root/usr/bin"
	ln -s ../bin "$root/usr/sbin"
	put "$sysroot/bin/busybox" /bin/busybox
	while read -r applet; do
		ln -s busybox "$root/bin/$applet"
	done < <(applets)
fi
for p in "${programs[@]}"; do
	put "$programs_root/${p%%:*}" "${p#*:}"
	put_libs "$programs_root/${p%%:*}"
done
if [ ${#modules[@]} -gt 0 ]; then
	mkdir -p "$root/lib/modules"
	: > "$root/lib/modules/load"
	builtin_modules=$(cat "$BUILD/kernel/$HOST/modules/modules.builtin")
	for m in "${modules[@]}"; do
		put_module "$m"
	done
fi
for p in "$@"; do
	put "${p%%:*}" "${p#*:}"
done
if [ -n "$init" ]; then
	put "$init" /init
elif [ ! -e "$root/init" ]; then
	put "$(dirname "$0")/init-shell.sh" /init
fi
chmod 755 "$root/init"

mkdir -p "$(dirname "$out")"
pack()
{
	(cd "$root" && find . -exec touch -h -d @0 {} + && find . | LC_ALL=C sort |
		cpio -o -H newc -R 0:0 --reproducible --quiet)
}
if [ -n "$compress" ]; then
	pack | lz4 -l -9 -q -c > "$out.tmp"
else
	pack > "$out.tmp"
fi
mv "$out.tmp" "$out"
