#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An interactive shell on the host, with the module loaded and a guest ready to run. Options are those
# of qemu.sh; EXTRA is a list of more SRC:DEST files for the host.
set -euo pipefail
. "$(dirname "$0")/common.sh"

files=()
module=${MODULE:-$BUILD/module/$HOST/stockade.ko}
vmm=${VMM:-$BUILD/vmm/stockade}
[ ! -e "$module" ] || files+=("$module:/")
[ ! -e "$vmm" ] || files+=("$vmm:/bin/")
guest=$BUILD/tests/demo/guest.cpio
[ ! -e "$guest" ] || files+=("$guest:/guest/initrd" "$BUILD/kernel/$HOST/Image:/guest/")
read -ra extra <<<"${EXTRA:-}"
"$TOP/tools/initramfs.sh" -o "$BUILD/shell.cpio" -i "$TOP/tools/init-shell.sh" \
	-x sbin/kexec:/sbin/kexec "${files[@]}" "${extra[@]}"
exec "$TOP/tools/qemu.sh" -i "$BUILD/shell.cpio" -a quiet "$@"
