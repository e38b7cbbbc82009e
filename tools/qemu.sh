#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots a host in QEMU with EL2; the console is on standard output.
#
#   qemu.sh [OPTION]... [-- QEMU-ARGUMENT...]
#
#   -i INITRD     initramfs (none by default)
#   -k IMAGE      kernel (build/kernel/$HOST/Image)
#   -c CPU        cortex-a72 (default), max, ... ; max gets pauth-impdef=on
#   -s N          CPUs (2)
#   -m MEM        memory (2G)
#   -g 2|3        GIC version (3)
#   -M OPTS       more machine options; the last one counts: -M virtualization=off,its=off
#   -a WORDS      appended to the kernel's command line
#   -A LINE       whole command line instead of the usual one
#   -t SECONDS    time limit; then exit status 124. Standard input is then /dev/null, unless:
#   -I            standard input is the console's even so
#   -2 FILE       second serial port to a file: ttyAMA1, with -f ttyS0
#   -f FIRMWARE   boots through firmware with a secure world, optee or opteed (secure-world.sh)
#   -S FILE       with -f: the secure world's serial port to a file
#   -l FILE       console to this file too
#   -d            deterministic: one thread for all CPUs, one instruction is one nanosecond, idle time
#                 is skipped (on models other than max with cntfrq=1000000000, to see each of them)
#   -n            say what would be run, and stop
#
# The same by environment: INITRD KERNEL CPU SMP MEM GIC MACHINE APPEND CMDLINE TIMEOUT SERIAL2 LOG
# FIRMWARE SECURE_LOG DETERMINISTIC.
# QEMU=PATH runs another QEMU. Exit status: QEMU's.
# The commas in arrays are QEMU's.
# shellcheck disable=SC2054
set -euo pipefail
. "$(dirname "$0")/common.sh"

INITRD=${INITRD:-} KERNEL=${KERNEL:-$BUILD/kernel/$HOST/Image} CPU=${CPU:-cortex-a72}
SMP=${SMP:-2} MEM=${MEM:-2G} GIC=${GIC:-3} MACHINE=${MACHINE:-} APPEND=${APPEND:-}
CMDLINE=${CMDLINE:-console=ttyAMA0 kvm-arm.mode=none id_aa64mmfr1.vh=0 panic=-1}
TIMEOUT=${TIMEOUT:-} SERIAL2=${SERIAL2:-} LOG=${LOG:-} dry='' input=''
FIRMWARE=${FIRMWARE:-} SECURE_LOG=${SECURE_LOG:-} DETERMINISTIC=${DETERMINISTIC:-}

while getopts i:k:c:s:m:g:M:a:A:t:2:f:S:l:dnI opt; do
	case $opt in
	i) INITRD=$OPTARG ;;
	k) KERNEL=$OPTARG ;;
	c) CPU=$OPTARG ;;
	s) SMP=$OPTARG ;;
	m) MEM=$OPTARG ;;
	g) GIC=$OPTARG ;;
	M) MACHINE=${MACHINE:+$MACHINE,}$OPTARG ;;
	a) APPEND="${APPEND:+$APPEND }$OPTARG" ;;
	A) CMDLINE=$OPTARG ;;
	t) TIMEOUT=$OPTARG ;;
	2) SERIAL2=$OPTARG ;;
	f) FIRMWARE=$OPTARG ;;
	S) SECURE_LOG=$OPTARG ;;
	l) LOG=$OPTARG ;;
	d) DETERMINISTIC=1 ;;
	n) dry=1 ;;
	I) input=1 ;;
	*) die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ "${1:-}" != -- ] || shift

[ -n "$dry" ] || [ -e "$KERNEL" ] || die "no kernel $KERNEL: run 'make fetch'"

# The emulated default of the pointer authentication algorithm takes half of the boot time.
case $CPU in
max) CPU=max,pauth-impdef=on ;;
max,*pauth*) ;;
max,*) CPU=$CPU,pauth-impdef=on ;;
esac

QEMU=${QEMU:-$(dirname "$0")/qemu-system-aarch64}
console=(-chardev "stdio,id=console,mux=on,signal=off${LOG:+,logfile=$LOG}"
	-serial chardev:console -mon chardev=console,mode=readline)
CMDLINE=$CMDLINE${APPEND:+ $APPEND}
machine=virt,virtualization=on,gic-version=$GIC
[ -z "$FIRMWARE" ] || machine=$machine,secure=on
thread=multi
[ -z "$DETERMINISTIC" ] || thread=single
cmd=("$QEMU"
	-M "$machine${MACHINE:+,$MACHINE}"
	-accel "tcg,thread=$thread" -cpu "$CPU" -smp "$SMP" -m "$MEM"
	-global fw_cfg_mem.dma_enabled=off
	-nographic -no-reboot -net none)
[ -z "$DETERMINISTIC" ] || cmd+=(-icount "shift=0,sleep=off")

# What QEMU does for a kernel that it boots itself: the device tree, the command line, the initramfs.
firmware_args()
{
	local flash=$BUILD/secure-world/$FIRMWARE/flash.bin initrd end

	[ -e "$flash" ] || die "no $flash: run 'make secure-world'"
	initrd=$((FIRMWARE_KERNEL + 0x8000000))
	dtb=$(mktemp "${TMPDIR:-/tmp}/dtb.XXXXXX")
	cmd+=(-bios "$flash") # it makes other devices
	"${cmd[@]}" "$@" -M "dumpdtb=$dtb" < /dev/null > /dev/null 2>&1 || true
	fdtput -t s "$dtb" /chosen bootargs "$CMDLINE"
	cmd+=(-device "loader,file=$KERNEL,addr=$FIRMWARE_KERNEL,force-raw=on")
	if [ -n "$INITRD" ]; then
		end=$((initrd + $(stat -L -c %s "$INITRD")))
		fdtput -t x "$dtb" /chosen linux,initrd-start 0 "$(printf %x $initrd)"
		fdtput -t x "$dtb" /chosen linux,initrd-end 0 "$(printf %x $end)"
		cmd+=(-device "loader,file=$INITRD,addr=$initrd,force-raw=on")
	fi
	if [ -z "$dry" ]; then
		exec 9< "$dtb"
		rm "$dtb"
		dtb=/dev/fd/9
	fi
	cmd+=(-dtb "$dtb" "${console[@]}")
	# The machine's second serial port is the secure world's.
	cmd+=(-serial "${SECURE_LOG:+file:}${SECURE_LOG:-null}")
	[ -z "$SERIAL2" ] ||
		cmd+=(-chardev "file,id=serial2,path=$SERIAL2" -device pci-serial,chardev=serial2)
}

if [ -n "$FIRMWARE" ]; then
	firmware_args "$@"
else
	cmd+=(-kernel "$KERNEL" -append "$CMDLINE")
	[ -z "$INITRD" ] || cmd+=(-initrd "$INITRD")
	cmd+=("${console[@]}")
	[ -z "$SERIAL2" ] || cmd+=(-serial "file:$SERIAL2")
fi
cmd+=("$@")

if [ -n "$dry" ]; then
	printf '%q ' "${cmd[@]}"
	echo
	exit 0
fi
if [ -n "$TIMEOUT" ]; then
	[ -n "$input" ] || exec < /dev/null
	exec timeout --foreground -k 5 "$TIMEOUT" "${cmd[@]}"
fi
exec "${cmd[@]}"
