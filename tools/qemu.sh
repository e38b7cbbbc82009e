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
#   -2 FILE       second serial port (ttyAMA1) to a file
#   -l FILE       console to this file too
#   -n            say what would be run, and stop
#
# The same by environment: INITRD KERNEL CPU SMP MEM GIC MACHINE APPEND CMDLINE TIMEOUT SERIAL2 LOG.
# QEMU=PATH runs another QEMU. Exit status: QEMU's.
set -euo pipefail
. "$(dirname "$0")/common.sh"

INITRD=${INITRD:-} KERNEL=${KERNEL:-$BUILD/kernel/$HOST/Image} CPU=${CPU:-cortex-a72}
SMP=${SMP:-2} MEM=${MEM:-2G} GIC=${GIC:-3} MACHINE=${MACHINE:-} APPEND=${APPEND:-}
CMDLINE=${CMDLINE:-console=ttyAMA0 kvm-arm.mode=none id_aa64mmfr1.vh=0 panic=-1}
TIMEOUT=${TIMEOUT:-} SERIAL2=${SERIAL2:-} LOG=${LOG:-} dry= input=

while getopts i:k:c:s:m:g:M:a:A:t:2:l:nI opt; do
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
	l) LOG=$OPTARG ;;
	n) dry=1 ;;
	I) input=1 ;;
	*) die "see the head of $0" ;;
	esac
done
shift $((OPTIND - 1))
[ "${1:-}" != -- ] || shift

# The emulated default of the pointer authentication algorithm takes half of the boot time.
case $CPU in
max) CPU=max,pauth-impdef=on ;;
max,*pauth*) ;;
max,*) CPU=$CPU,pauth-impdef=on ;;
esac

QEMU=${QEMU:-$(dirname "$0")/qemu-system-aarch64}
cmd=("$QEMU"
	-M "virt,virtualization=on,gic-version=$GIC${MACHINE:+,$MACHINE}"
	-accel tcg,thread=multi -cpu "$CPU" -smp "$SMP" -m "$MEM"
	-global fw_cfg_mem.dma_enabled=off
	-nographic -no-reboot -net none
	-kernel "$KERNEL" -append "$CMDLINE${APPEND:+ $APPEND}")
[ -z "$INITRD" ] || cmd+=(-initrd "$INITRD")
cmd+=(-chardev "stdio,id=console,mux=on,signal=off${LOG:+,logfile=$LOG}"
	-serial chardev:console -mon chardev=console,mode=readline)
[ -z "$SERIAL2" ] || cmd+=(-serial "file:$SERIAL2")
cmd+=("$@")

if [ -n "$dry" ]; then
	printf '%q ' "${cmd[@]}"
	echo
	exit 0
fi
[ -e "$KERNEL" ] || die "no kernel $KERNEL: run 'make fetch'"
if [ -n "$TIMEOUT" ]; then
	[ -n "$input" ] || exec < /dev/null
	exec timeout --foreground -k 5 "$TIMEOUT" "${cmd[@]}"
fi
exec "${cmd[@]}"
