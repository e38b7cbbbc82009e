#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Fetches and builds firmware with a secure world, for QEMU's "virt" machine, in build/secure-world:
#
#   optee/flash.bin    TF-A with the SPMD at EL3, OP-TEE as the SPMC at S-EL1: FF-A
#   opteed/flash.bin   TF-A with opteed at EL3, Debian's own binary of OP-TEE: OP-TEE's SMCs, no FF-A
#   root/              arm64 programs for the host: tee-supplicant, xtest, its trusted applications
#
# TF-A and OP-TEE are Debian's source packages, verified by apt: Debian builds TF-A, but not for QEMU,
# and OP-TEE, but not as an SPMC. What is there is not built again; FORCE=1 looks for newer versions.
# Exit status 3: something can't be had here, and the last line says what.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/apt.sh"

here=$(cd "$(dirname "$0")" && pwd)
world=$BUILD/secure-world
sources=$CACHE/sources

# With a python from elsewhere in front, Debian's modules for it are not found.
export PATH=/usr/bin:$PATH
# Both makes would take these for their own.
unset O V T DEBUG MAKEFLAGS MFLAGS MAKELEVEL

cant()
{
	say secure-world "$*"
	exit 3
}

# Programs with their libraries, and OP-TEE's binary.
fetch_root()
{
	local specs=() p

	for p in optee-test-qemu tee-supplicant; do
		mapfile -t -O ${#specs[@]} specs < <(apt_closure sid $p:arm64 |
			grep -E '^(optee|tee|lib|zlib1g).*:arm64=')
	done
	specs+=("optee-os:arm64=$(apt_version optee-os:arm64 sid)")
	rm -rf "$world/root.new"
	apt_unpack "$world/root.new" "${specs[@]}"
}

fetch()
{
	local tfa optee

	APT=$CACHE/apt-secure-world
	(APT_SOURCES=1 apt_setup trixie sid) || cant "no package lists of trixie and sid"
	# The first suite whose source the mirror still has.
	tfa=$(apt_source "$sources" arm-trusted-firmware trixie sid) || cant "no source of TF-A: $tfa"
	optee=$(apt_source "$sources" optee-os sid trixie) || cant "no source of OP-TEE: $optee"
	(fetch_root) || cant "xtest, tee-supplicant or OP-TEE's binary can't be had"
	rm -rf "$world/root"
	mv "$world/root.new" "$world/root"
	printf 'tfa=%q optee=%q\n' "$tfa" "$optee" > "$world/versions.new"
	mv "$world/versions.new" "$world/versions"
}

# unpack DSC DIR
unpack()
{
	rm -rf "$2"
	mkdir -p "${2%/*}"
	dpkg-source --no-check --no-copy -x "$sources/$1" "$2"
}

build_optee()
{
	rm -rf "$world/optee/os"
	unpack "$optee" "$world/src/optee"
	# DEBUG of the core is for its console, the secure serial port.
	CRYPTOGRAPHY_OPENSSL_NO_LEGACY=1 make -C "$world/src/optee" -j"$(nproc)" \
		CROSS_COMPILE="$CROSS_COMPILE" CROSS_COMPILE64="$CROSS_COMPILE" \
		PYTHON3=/usr/bin/python3 PLATFORM=vexpress-qemu_armv8a O="$world/optee/os" DEBUG=0 \
		CFG_ARM64_core=y CFG_USER_TA_TARGETS=ta_arm64 CFG_ARM_GICV3=y \
		CFG_CORE_SEL1_SPMC=y CFG_VIRTUALIZATION=n CFG_TEE_CORE_LOG_LEVEL=2
}

# build_tfa NAME BL32-DIRECTORY OPTION...
build_tfa()
{
	local name=$1 bl32=$2 out=$world/$1/tfa

	shift 2
	rm -rf "$out"
	unpack "$tfa" "$world/src/tfa-$name"
	# No second stage that loads the kernel: what QEMU has put at this address is entered.
	make -C "$world/src/tfa-$name" -j"$(nproc)" CROSS_COMPILE="$CROSS_COMPILE" PLAT=qemu DEBUG=0 \
		BUILD_BASE="$out" QEMU_USE_GIC_DRIVER=QEMU_GICV3 BL32_RAM_LOCATION=tdram \
		BL32="$bl32/tee-header_v2.bin" BL32_EXTRA1="$bl32/tee-pager_v2.bin" \
		BL32_EXTRA2="$bl32/tee-pageable_v2.bin" ARM_LINUX_KERNEL_AS_BL33=1 \
		PRELOADED_BL33_BASE=$FIRMWARE_KERNEL BUILD_STRING="${tfa%.dsc}" "$@" all fip
	cp "$out/qemu/release/bl1.bin" "$world/$name/flash.new"
	dd if="$out/qemu/release/fip.bin" of="$world/$name/flash.new" bs=64k seek=4 status=none
	mv "$world/$name/flash.new" "$world/$name/flash.bin"
}

# step STAMP SECONDS WHAT COMMAND...: runs it, unless it has been run as it now is on what there now is
step()
{
	local stamp=$world/$1/.${4#build_} log=$world/$1/${4#build_}.log key
	local seconds=$2 what=$3 start=$SECONDS

	mkdir -p "$world/$1"
	shift 3
	key=$(declare -f "$1" unpack; echo "$*" "$tfa" "$optee"; cat "$here"/secure-world/*)
	[ "$(cat "$stamp" 2>/dev/null)" != "$key" ] || return 0
	say secure-world "$what (about $seconds s)"
	# Not in a condition: there "set -e" would not count.
	(
		trap '[ $? -eq 0 ] || { tail -n 15 "$log"; echo "${0##*/}: see $log"; } >&3' EXIT
		exec 3>&2 > "$log" 2>&1
		"$@"
	)
	printf '%s\n' "$key" > "$stamp"
	say secure-world "$what: $((SECONDS - start)) s"
}

mkdir -p "$world" "$sources"
exec 9> "$world/.lock"
flock 9

if [ -n "${FORCE:-}" ] || [ ! -e "$world/versions" ]; then
	fetch
fi
# shellcheck source=/dev/null
. "$world/versions"
"$here/deps.sh" secure-world || cant "what OP-TEE's build needs can't be installed"

step optee 150 "OP-TEE ${optee%.dsc} as the SPMC" build_optee
step optee 20 "TF-A ${tfa%.dsc} with SPMD" build_tfa optee "$world/optee/os/core" \
	SPD=spmd SPMD_SPM_AT_SEL2=0 SPMC_OPTEE=1 \
	QEMU_TOS_FW_CONFIG_DTS="$here/secure-world/spmc-manifest.dts"
step opteed 20 "TF-A ${tfa%.dsc} with opteed" build_tfa opteed \
	"$world/root/usr/lib/optee/vexpress-qemu_armv8a" SPD=opteed
