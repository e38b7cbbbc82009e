#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots a stock host that runs tests/demo/init. Arguments: more SRC:DEST files for the host.
set -euo pipefail
. "$(dirname "$0")/common.sh"

init=$TOP/tests/demo/init
[ -e "$init" ] || die "no tests/demo/init"
files=()
for f in "${MODULE:-$BUILD/module/$HOST/stockade.ko}:/" "${VMM:-$BUILD/vmm/stockade}:/bin/"; do
	[ ! -e "${f%:*}" ] || files+=("$f")
done
"$TOP/tools/initramfs.sh" -o "$BUILD/demo.cpio" -i "$init" "${files[@]}" "$@"
say run "stock kernel $(cat "$BUILD/kernel/$HOST/release") on ${CPU:-cortex-a72}"
exec "$TOP/tools/qemu.sh" -i "$BUILD/demo.cpio" -a quiet -t "${TIMEOUT:-120}"
