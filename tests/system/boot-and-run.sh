#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots the host on one CPU model, runs TAP programs in it, leaves $LOGDIR/CPU/NAME.tap for each and
# console.log.
#
#   boot-and-run.sh CPU SECONDS PROGRAM...
#
# WITH=FILES are put beside the programs. STOCK=1: on the kernel's own KVM with ordinary VMs instead of our module, to try the tests.
set -euo pipefail
. "$(dirname "$0")/../../tools/common.sh"

cpu=$1 limit=$2
shift 2
log=${LOGDIR:?}/$cpu
here=$(dirname "$0")
module=${MODULE:-$BUILD/module/$HOST/stockade.ko}
mkdir -p "$log"
work=$(mktemp -d "${TMPDIR:-/tmp}/system.XXXXXX")
trap 'rm -rf "$work"' EXIT

has_module()
{
	[ -n "$(find "$BUILD/kernel/$HOST/modules/" -name "$1.ko*" -print -quit)" ]
}

mkdir "$work/t"
# shellcheck disable=SC2086
cp "$@" ${WITH:-} "$work/t/"
printf '%s\n' "${@##*/}" > "$work/t/list"
files=("$work/t:/t")
options=(-a quiet)
if [ -n "${STOCK:-}" ]; then
	options=(-A 'console=ttyAMA0 quiet panic=-1 kvm-arm.mode=nvhe STOCKADE_VM_TYPE=0')
else
	files+=("$module:/")
fi
# Two disks: swap space, and a file system that is not in memory.
modules=()
for m in virtio_pci virtio_blk crc32c_generic crc32c-cryptoapi ext4; do
	! has_module $m || modules+=(-m "$m")
done
truncate -s 192M "$work/swap.img" "$work/ext4.img"
/sbin/mkswap -q "$work/swap.img"
/sbin/mkfs.ext4 -q -E lazy_itable_init=1 "$work/ext4.img"
"$TOP/tools/initramfs.sh" -o "$work/host.cpio" -i "$here/init" "${modules[@]}" "${files[@]}"
status=0
"$TOP/tools/qemu.sh" -i "$work/host.cpio" -c "$cpu" -t "$limit" -2 "$work/tap" "${options[@]}" -- \
	-drive "file=$work/swap.img,format=raw,if=none,id=swap,cache=unsafe" \
	-device virtio-blk-pci,drive=swap,serial=swap \
	-drive "file=$work/ext4.img,format=raw,if=none,id=ext4,cache=unsafe" \
	-device virtio-blk-pci,drive=ext4,serial=ext4 \
	< /dev/null > "$log/console.log" 2>&1 || status=$?

# What is on the swap disk: see pressure.c.
case " ${*##*/} " in
*" pressure "*) [ -n "${STOCK:-}" ] || "$here/swapped.py" "$work/swap.img" > "$log/pressure-disk.tap" ;;
esac

# What did not run, or has no end, must fail.
python3 - "$work/tap" "$log" "$status" "${@##*/}" <<'EOF'
import os, re, sys
tap, log, status, names = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
text = open(tap, errors="replace").read().replace("\r", "") if os.path.exists(tap) else ""
parts = re.split(r"^=== (.*)\n", text, flags=re.M)
ran = dict(zip(parts[1::2], parts[2::2]))
why = (re.findall(r"^Bail out!.*", parts[0], flags=re.M) or
       ["Bail out! did not run (QEMU's status %s, see console.log)" % status])[0]
for name in names:
    with open(os.path.join(log, name + ".tap"), "w") as f:
        f.write(ran.get(name, why + "\n"))
sys.exit(0 if "end" in ran else 1)
EOF
