#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boots a host for each way in which a launch can go, wrong or right, and for each way in which a host
# can go down; leaves $LOGDIR/launch.tap and $LOGDIR/launch/CASE.log.
#
#   launch.sh DIR            DIR has what the Makefile built: vm-hold, granule.ko, debug.ko, attack.ko
#
# CASES="NAME..." runs only those; TEST_ALL=1 more CPU models; JOBS=N as many at once (2).
set -euo pipefail
. "$(dirname "$0")/../../tools/common.sh"

built=$1
here=$(dirname "$0")
log=${LOGDIR:?}/launch
module=${MODULE:-$BUILD/module/$HOST/stockade.ko}
usual='console=ttyAMA0 quiet panic=-1'
only=" ${CASES:-} "
tap=$LOGDIR/launch.tap
ran=0
work=$(mktemp -d "${TMPDIR:-/tmp}/launch.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$log"

# initrd NAME MODULE [OPTION]... [SRC:DEST]...
initrd()
{
	local name=$1 module=$2

	shift 2
	"$TOP/tools/initramfs.sh" -o "$work/$name.cpio" -i "$here/init-launch" "$@" \
		"$module:/stockade.ko" "$built/vm-hold:/t/" "$built/vm-secret:/t/" "$built/ko:/t/"
}

chosen()
{
	[ "$only" = "  " ] || [[ $only == *" $1 "* ]]
}

# boot NAME INITRD CASE [OPTION OF qemu.sh]...: in the background, JOBS at once
boot()
{
	local name=$1 initrd=$2 case=$3

	shift 3
	chosen "$name" || return 0
	while [ "$(jobs -rp | wc -l)" -ge "${JOBS:-2}" ]; do
		wait -n || true
	done
	echo "  BOOT $name"
	(
		status=0
		"$TOP/tools/qemu.sh" -i "$work/$initrd.cpio" -a "quiet CASE=$case" -t 150 "$@" \
			> "$log/$name.log" 2>&1 || status=$?
		tr -d '\r' < "$log/$name.log" > "$work/$name"
		echo "QEMU ends with $status" >> "$work/$name"
		# The kernel's own remarks on every foreign module.
		sed -i '/loading out-of-tree module\|module verification failed/d' "$work/$name"
	) &
}

# result STATUS CASE WHAT
result()
{
	ran=$((ran + 1))
	[ "$1" = 0 ] || printf 'not ' >> "$tap"
	printf 'ok %d - %s: %s\n' $ran "$2" "$3" >> "$tap"
	[ "$1" = 0 ] || echo "  FAILED $2: $3 ($log/$2.log)"
}

# sees CASE TEXT [WHAT]: the console says TEXT (a basic regular expression)
sees()
{
	local status=0

	chosen "$1" || return 0
	grep -q -- "$2" "$work/$1" || status=1
	result $status "$1" "${3:-$2}"
}

# sees_times CASE N TEXT WHAT
sees_times()
{
	local n

	chosen "$1" || return 0
	n=$(grep -c -- "$3" "$work/$1") || true
	[ "$n" = "$2" ]
	result $? "$1" "$4"
}

# No oops, no WARN, nothing that died; and QEMU ended by itself.
clean()
{
	local status=0

	chosen "$1" || return 0
	if grep -qE 'WARNING:|Oops|BUG|Call trace|Unable to handle|rcu:.*stall|Killed|panic' \
		"$work/$1"; then
		status=1
	fi
	result $status "$1" "no oops, no warning in the log"
	sees "$1" '^QEMU ends with 0$' "the machine goes down"
}

# kB of MemFree that case $1 has lost in 16 attempts, at the most $2: less than the smallest thing that is
# allocated (a CPU's pages, 12 KiB) would come to with two CPUs
lost_at_most()
{
	local lost

	chosen "$1" || return 0
	lost=$(sed -n 's/.*@ difference of free memory: \(-\?[0-9]*\) kB$/\1/p' "$work/$1")
	[ -n "$lost" ] && [ "$lost" -le "$2" ]
	result $? "$1" "memory is given back ($lost kB less)"
}

# refused CASE TEXT: insmod fails twice, each time with one line and nothing else of ours.
refused()
{
	sees_times "$1" 4 '@ insmod E[A-Z]*$' "insmod fails each time"
	sees_times "$1" 4 "] stockade: .*$2" "one line each time: $2"
	sees_times "$1" 4 '] stockade: ' "and no other"
	sees "$1" '@ /proc/modules: 0$' "the module is not there"
	sees "$1" '@ end$' "the host lives on"
	lost_at_most "$1" 256
	clean "$1"
}

# good CASE CPUS
good()
{
	sees "$1" '@ insmod ok$' "insmod works"
	sees "$1" "@ cpus $2\$" "with CPUs $2"
	sees "$1" '@ vm: is well$' "a protected VM runs"
	sees "$1" '@ vms 0$' "and goes"
	sees "$1" '@ rmmod ok$' "rmmod works"
	sees "$1" '@ end$' "the host lives on"
	clean "$1"
}

# A device tree with a CPU that the machine has not, nor PSCI.
phantom_cpu()
{
	chosen phantom-cpu || return 0
	"$TOP/tools/qemu.sh" -s 3 -M "dumpdtb=$work/phantom.dtb" > "$log/dumpdtb.log" 2>&1
	# As it comes, it is padded to a size that Linux does not take.
	dtc -q -I dtb -O dtb -o "$work/packed.dtb" "$work/phantom.dtb"
}

: > "$tap"
set +e
start=$SECONDS
echo "  INITRD"
initrd usual "$module"
initrd granule "$built/granule.ko"
initrd panic "$built/debug.ko" "$built/attack.ko:/"
initrd attack "$module" "$built/attack.ko:/"
initrd storm "$module" "$built/cpus:/t/"
# As installed: debugging symbols would be read into the memory that is short.
"${CROSS_COMPILE}strip" -g -o "$work/stripped.ko" "$module"
initrd memory "$work/stripped.ko" "$built/attack.ko:/"
! chosen hot-add || initrd hot-add "$module" -m virtio_mem
if chosen kexec || chosen kexec-vm || chosen crash; then
	initrd kexec "$module" -x sbin/kexec:/bin/kexec "$BUILD/kernel/$HOST/Image:/" \
		"$work/usual.cpio:/next.cpio"
fi
phantom_cpu

boot entered-at-el1 usual refused -M virtualization=off
boot kvm-has-el2 usual refused -A "$usual kvm-arm.mode=nvhe"
boot vhe usual refused -c max -A "$usual kvm-arm.mode=none"
boot gicv2 usual refused -g 2
boot granule granule refused
boot phantom-cpu usual refused -- -dtb "$work/packed.dtb"
boot memory memory memory -a LEAVE_KB=4000

boot a72-1cpu-512m usual good -s 1 -m 512M
boot max-4cpu-512m usual good -c max -s 4 -m 512M
boot max-1cpu-1g usual good -c max -s 1 -m 1G
boot a72-4cpu-1g usual good -s 4 -m 1G
boot late-cpu-a72 usual late-cpu -s 4 -m 1G -a maxcpus=1
boot late-cpu-max usual late-cpu -c max -a maxcpus=1
if [ -n "${TEST_ALL:-}" ]; then
	for cpu in cortex-a76 neoverse-n1; do
		boot $cpu-1cpu-512m usual good -c $cpu -s 1 -m 512M
		boot $cpu-4cpu-1g usual good -c $cpu -s 4 -m 1G
		boot late-cpu-$cpu usual late-cpu -c $cpu -a maxcpus=1
	done
fi

boot hot-add hot-add hot-add -m 1G,maxmem=2G -- -object memory-backend-ram,id=more,size=512M \
	-device virtio-mem-pci,memdev=more,requested-size=512M
boot poweroff usual poweroff
boot poweroff-vm usual poweroff -a VM=1
boot reboot usual reboot -c max
boot reboot-vm usual reboot -a VM=1
# With an ITS the stock kernel writes to its predecessor's LPI tables, which may be its own text by now.
boot kexec kexec kexec -M its=off
boot kexec-vm kexec kexec -M its=off -a VM=1
boot panic panic panic
boot storm storm storm -s 4 -m 1G
boot crash kexec crash -M its=off -m 768M -a crashkernel=192M
boot cpu-on attack cpu-on -s 5 -m 1G -a maxcpus=2
boot restart attack restart -m 512M
boot unlaunch attack unlaunch -m 512M
wait

refused entered-at-el1 'the kernel was entered at EL1'
refused kvm-has-el2 'EL2 is taken by KVM; boot with kvm-arm.mode=none'
refused vhe 'the kernel runs at EL2 (VHE); boot with kvm-arm.mode=none id_aa64mmfr1.vh=0'
refused gicv2 'no GICv3'
refused granule 'no 4 KiB granule'
refused phantom-cpu 'CPU 2 (MPIDR 0x2) is neither online nor off'

sees memory '@ insmod ENOMEM$' "insmod fails"
sees_times memory 3 '] stockade: .*too little memory' "one line each time: too little memory"
sees_times memory 2 '@ insmod ok$' "insmod works before and after"
lost_at_most memory 256
sees memory '@ end$' "the host lives on"
clean memory

good a72-1cpu-512m 0
good max-4cpu-512m 0-3
good max-1cpu-1g 0
good a72-4cpu-1g 0-3
if [ -n "${TEST_ALL:-}" ]; then
	for cpu in cortex-a76 neoverse-n1; do
		good $cpu-1cpu-512m 0
		good $cpu-4cpu-1g 0-3
		good late-cpu-$cpu 0-1
	done
fi
good late-cpu-a72 0-3
sees late-cpu-a72 '@ cpus 0$' "launched on one CPU of 4"
sees late-cpu-a72 'EL2 is ours on 1 of 4 CPUs'
good late-cpu-max 0-1
sees late-cpu-max '@ cpus 0$' "launched on one CPU of 2"

sees hot-add '@ vm: runs$' "a VM runs"
sees hot-add 'stockade: memory that is added now is refused' "memory that is added is refused"
sees hot-add '@ vm: is well$' "the VM has not noticed"
sees hot-add '@ memory as before$' "there is no more than before"
sees hot-add '@ more memory$' "after unload there is"
sees hot-add '@ end$' "the host lives on"
clean hot-add

for how in poweroff reboot; do
	for vm in '' -vm; do
		sees $how$vm '@ insmod ok$' "insmod works"
		[ -z "$vm" ] || sees $how$vm '@ vm: runs$' "a VM runs"
		sees $how$vm 'stockade: EL2 is the kernel.s again' "EL2 is given back first"
		clean $how$vm
	done
	sees $how 'reboot: Power down\|reboot: Restarting system' "the kernel does as it was told"
	sees $how-vm 'reboot: Power down\|reboot: Restarting system' "the kernel does as it was told"
done

for vm in '' -vm; do
	[ -z "$vm" ] || sees kexec$vm '@ vm: runs$' "a VM runs"
	sees_times kexec$vm 2 '@ insmod ok$' "insmod works, in the new kernel too"
	sees kexec$vm '@ now: kexec$' "kexec"
	sees_times kexec$vm 2 'stockade: EL2 is the kernel.s again' "EL2 is given back before"
	sees kexec$vm 'new kernel: CPU: All CPU(s) started at EL2' "the new kernel has EL2"
	sees kexec$vm '@ cpus 0-1$' "and all CPUs"
	sees kexec$vm '@ vm: is well$' "a VM runs there"
	sees kexec$vm '@ rmmod ok$' "rmmod works there"
	sees kexec$vm '@ end$' "it lives on"
	clean kexec$vm
done

sees panic '@ vm: runs$' "a VM runs"
sees panic 'stockade: hypervisor: EL2 panic on CPU [0-9]*: asked for by a test' "the log says why"
sees panic 'Kernel panic - not syncing: stockade: the hypervisor has panicked' "the host panics"
sees_times panic 0 'the host lives on\|@ attack' "it does not go on"
sees panic '^QEMU ends with 0$' "the machine reboots"

# seen_nothing CASE: of a VM's secrets nothing is found, where an ordinary process's are.
seen_nothing()
{
	sees "$1" 'found: memory 0 regs 0 ' "no secret of a VM's is found, in memory or registers"
	sees "$1" 'found: .* control [0-9]\{5\}' "what a process had is found"
}

sees storm '@ 1\.\.' "CPUs go and come, 4 of them, and the machine sleeps"
sees_times storm 0 '@ not ok\|@ Bail' "no VM is harmed"
sees storm '@ cpus 0-3$' "all CPUs are there"
sees storm '@ rmmod ok$' "rmmod works"
clean storm

# machine_crash_shutdown() asks nobody; end_all_guests() in hyp/host/restart.c is all there is.
sees crash '@ vm: runs' "a VM runs, with a secret"
sees crash '@ crash kernel 1$' "a crash kernel is loaded"
sees crash 'Kernel panic - not syncing: sysrq triggered crash' "the host crashes"
sees crash '@ new kernel: CPU: All CPU(s) started at EL2' "the crash kernel has EL2"
seen_nothing crash
sees crash '@ end$' "it lives on"

# HVC_SOFT_RESTART by a kernel that has not crashed: end_all_guests() again, and vcpu_wait_for_puts() in it for
# the CPU that lets go of a guest's FP registers later than that.
sees restart '@ vm: runs' "a VM runs, with a secret"
sees restart '@ restart: load 0 exit 3 put 0$' "another CPU has a guest's registers, until later"
sees restart '@ restart: ret 0 level 2 secret 0$' "code at EL2 loads no secret from a guest's page"
sees restart '@ restart: version badca11$' "that CPU's EL2 is the kernel's"
seen_nothing restart
sees restart 'found: .* fp 0 ' "nor FP registers that were let go of late"
sees restart '@ end$' "the host lives on"

# UNLAUNCH by a kernel whose module knows nothing of it: vm_close_table() and unlaunch_cpu().
sees unlaunch '@ vm: runs' "a VM runs, with a secret"
sees unlaunch '@ vms 0$' "and goes"
sees unlaunch '@ unlaunch: ret 0 cpu 0 ' "UNLAUNCH between two VMs, UNLAUNCH_CPU on one CPU"
sees unlaunch '@ unlaunch: late 0 ' "no VM is made after that"
sees unlaunch '@ unlaunch: late [0-9]* odd 0 vms 0 ' "other calls find no VM on the CPU that is still in"
sees unlaunch '@ unlaunch: .* left 0$' "which can leave"
sees unlaunch '@ unlaunch: version badca11$' "EL2 is the kernel's"
seen_nothing unlaunch
sees unlaunch '@ Bail out! ' "a VM fails"
sees unlaunch '@ end$' "the host lives on"

# CPUs that the hypervisor has never met: protected = true in launch_cpu_on().
sees cpu-on '@ vm: runs$' "a VM runs"
sees cpu-on '@ own: ret 0 affinity 1 loaded 1 right 1 ' "a CPU's first instruction loads a page of the host's"
sees cpu-on '@ first: ret 0 affinity 0 loaded 0 right 0 ' "and not a page of the VM's"
sees cpu-on '@ vectors: ret 0 affinity 1 loaded 0 right 0 esr 0x96000021 at 1$' "it faults there"
sees cpu-on '@ guest-jump: ret 0 affinity 1 esr 0x86000021 at 1$' "nor does it run what is there"
sees cpu-on '@ el2-jump: ret 0 affinity 1 esr 0x86000021 at 1$' "or what is the hypervisor's"
sees cpu-on '@ far-jump: ret 0 affinity 1 esr 0x86' "or what is nowhere"
sees cpu-on '@ race: affinity 1 odd 0 missing 0 0$' "two turn it on at once: each success is a start, as asked for"
sees cpu-on '@ mutual: done 0 odd 0 refused 8000$' "two that are on turn each other on: neither starts anew"
sees cpu-on '@ guest-entry: ret 0 affinity [02]$' "a CPU may be told to start in a VM's page"
# suspend() in hyp/host/psci.c: the vCPU is out of the CPU (PUT: ENOENT) before firmware hears of it.
# States that QEMU's own PSCI knows; firmware's are others.
if [ -z "${FIRMWARE:-}" ]; then
	sees cpu-on '@ suspend: standby load 0 ret 0 put -2$' "CPU_SUSPEND, standby"
	sees cpu-on '@ suspend: standby_32 load 0 ret 0 put -2$' "CPU_SUSPEND of 32 bits"
	sees cpu-on '@ suspend: power_down load 0 ret 0 put -2$' "CPU_SUSPEND, power-down"
	sees cpu-on '@ suspend: no_state load 0 ret -2 put -2$' "CPU_SUSPEND to no state is refused by firmware"
fi
sees cpu-on '@ suspend: system load 0 ret -1 put -2$' "SYSTEM_SUSPEND too"
sees cpu-on '@ cpus 0-2$' "the kernel takes a CPU that was turned on before"
sees cpu-on '@ vm: is well$' "the VM has not noticed"
sees cpu-on '@ end$' "the host lives on"
for name in restart unlaunch cpu-on; do
	sees_times $name 0 'WARNING:\|Oops\|BUG\|Call trace\|Unable to handle\|rcu:.*stall' \
		"no oops, no warning in the log"
	sees $name '^QEMU ends with 0$' "the machine goes down"
done
sees crash '^QEMU ends with 0$' "the machine goes down"

echo "1..$ran" >> "$tap"
echo "  launch: $((SECONDS - start)) s"
! grep -q '^not ok' "$tap"
