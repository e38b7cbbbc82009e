# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the other tools: where things are, and how to speak.
# shellcheck shell=bash disable=SC2034 # what is not used here

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
CACHE=$BUILD/cache
HOST=${HOST:-6.12}
CROSS_COMPILE=${CROSS_COMPILE:-aarch64-linux-gnu-}
# Where firmware of our own making (FIRMWARE=...) finds the kernel: above it are 128 MiB for that.
FIRMWARE_KERNEL=0x44000000

say()
{
	local tag=$1

	shift
	printf '[%s] %s\n' "$tag" "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}
