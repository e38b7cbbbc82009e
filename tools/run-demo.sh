#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The demonstration: boots a stock host that runs a protected VM and attacks it (tests/demo), to be
# watched. Exit status 0: all went as it had to. Arguments: more SRC:DEST files for the host.
set -euo pipefail
. "$(dirname "$0")/common.sh"

demo=$BUILD/tests/demo
work=$(mktemp -d "${TMPDIR:-/tmp}/demo.XXXXXX")
trap 'rm -rf "$work"' EXIT

"$TOP/tools/initramfs.sh" -o "$work/host.cpio" -i "$TOP/tests/demo/init" \
	"${MODULE:-$BUILD/module/$HOST/stockade.ko}:/" "${VMM:-$BUILD/vmm/stockade}:/bin/" \
	"$demo/demo:/bin/" "$demo/secret:/bin/" "$demo/peek/$HOST/peek.ko:/" \
	"$BUILD/kernel/$HOST/Image:/guest/" "$demo/guest.cpio:/guest/initrd" "$@"
say run "stock kernel $(cat "$BUILD/kernel/$HOST/release") on ${CPU:-cortex-a72}, in QEMU"
status=0
: > "$work/verdict"
"$TOP/tools/qemu.sh" -i "$work/host.cpio" -a quiet -t "${TIMEOUT:-170}" -2 "$work/verdict" ||
	status=$?
if tr -d '\r' < "$work/verdict" | grep -qx 'demo: success'; then
	exit 0
fi
say run "$(tr -d '\r' < "$work/verdict" | grep '^demo: ' || echo "no result, QEMU's status $status")"
exit 1
