// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN: device accesses of every size come out and go back in exactly, signals interrupt, the
 * guest keeps its registers over exits, and the run page holds nothing that the exit does not need.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvmtest.h"
#include "tap.h"

#define DEVICE 0x0b000000ull
#define NO_RAM 0x50000000ull

#define VALUE 0x8182838485868788ull
#define JUNK  0x1111111111111111ull

static uint64_t low_bytes(uint64_t v, unsigned int size)
{
	return size == 8 ? v : v & ((1ull << size * 8) - 1);
}

static void test_stores(struct kt_vcpu *cpu)
{
	unsigned int size;

	for (size = 1; size <= 8; size *= 2) {
		struct kt_result r = kt_call(cpu, CMD_STORE, DEVICE + 16 + size, size, VALUE, 0);
		uint64_t data = 0;

		ok(!r.done && !r.err && r.exit == KVM_EXIT_MMIO, "a %u-byte store exits", size);
		memcpy(&data, cpu->run->mmio.data, 8);
		ok(cpu->run->mmio.is_write && cpu->run->mmio.len == size &&
			   cpu->run->mmio.phys_addr == DEVICE + 16 + size,
		   "with its address, size and direction");
		is_hex(low_bytes(data, size), low_bytes(VALUE, size), "and its value");
		r = kt_resume(cpu);
		ok(r.done && !r.esr, "and is done after that");
	}
}

/* The whole of data is filled: the guest must only get as much as it loads. */
static void load_device(struct kt_vcpu *cpu, enum guest_command cmd, unsigned int size,
			unsigned int to, uint64_t want)
{
	struct kt_result r = kt_call(cpu, cmd, DEVICE, size, to, 0);
	uint64_t data = VALUE;

	ok(!r.done && !r.err && r.exit == KVM_EXIT_MMIO && !cpu->run->mmio.is_write &&
		   cpu->run->mmio.len == size && cpu->run->mmio.phys_addr == DEVICE,
	   "a %u-byte %sload exits", size, to ? "signed " : "");
	memcpy(cpu->run->mmio.data, &data, 8);
	r = kt_resume(cpu);
	/* QEMU 10 forgets ESR_EL2.SSE, so no hypervisor can know that a load is a signed one. */
	if (to && r.r[0] == low_bytes(VALUE, size) && kt_on_qemu())
		skip("QEMU does not tell that the load is signed", "extended to %u bits", to);
	else
		is_hex(r.r[0], want, "and gets the value, extended to %u bits", to ? to : 64);
}

static void test_loads(struct kt_vcpu *cpu)
{
	unsigned int size;

	for (size = 1; size <= 8; size *= 2)
		load_device(cpu, CMD_LOAD, size, 0, low_bytes(VALUE, size));
	load_device(cpu, CMD_LOAD_SIGNED, 1, 32, 0xffffff88);
	load_device(cpu, CMD_LOAD_SIGNED, 1, 64, 0xffffffffffffff88);
	load_device(cpu, CMD_LOAD_SIGNED, 2, 32, 0xffff8788);
	load_device(cpu, CMD_LOAD_SIGNED, 2, 64, 0xffffffffffff8788);
	load_device(cpu, CMD_LOAD_SIGNED, 4, 64, 0xffffffff85868788);
}

static void test_strange(struct kt_vcpu *cpu)
{
	struct kt_result r;
	uint64_t v = 0x77;

	r = kt_call(cpu, CMD_LOAD, NO_RAM, 8, 0, 0);
	ok(!r.done && !r.err && r.exit == KVM_EXIT_MMIO && cpu->run->mmio.phys_addr == NO_RAM,
	   "a load where no memory is exits as a device access");
	memcpy(cpu->run->mmio.data, &v, 8);
	is_hex(kt_resume(cpu).r[0], 0x77, "and gets a value");

	r = kt_call(cpu, CMD_EXEC, 0xd61f0000, NO_RAM, 0, 0); /* br x0 */
	ok(r.done && r.esr >> 26 == 0x21, "a fetch where no memory is aborts in the guest");
	if (!kt_protected()) {
		skip("not a protected VM", "access without syndrome");
		return;
	}
	r = kt_call(cpu, CMD_EXEC, 0xa9400400, DEVICE, 0, 0); /* ldp x0, x1, [x0] */
	if (!ok(r.done && (r.esr & 0xfc00003f) == 0x94000010,
		"a load pair from a device is an external abort in the guest"))
		diag("done %d, err %d, exit %u, ESR %#llx", r.done, r.err, r.exit,
		     (unsigned long long)r.esr);
}

static void test_interrupt(struct kt_vcpu *cpu)
{
	struct kt_result r;
	uint64_t v = 0x1234;
	int i;

	cpu->run->immediate_exit = 1;
	r = kt_call(cpu, CMD_NOP, 5, 0, 0, 0);
	is_errno(r.err, EINTR, "immediate_exit: KVM_RUN says EINTR");
	ok(cpu->asked, "before the guest did anything");
	cpu->run->immediate_exit = 0;
	r = kt_resume(cpu);
	ok(r.done && r.r[0] == 5, "and goes on afterwards");

	kt_call(cpu, CMD_LOAD, DEVICE, 8, 0, 0);
	memcpy(cpu->run->mmio.data, &v, 8);
	cpu->run->immediate_exit = 1;
	r = kt_resume(cpu);
	is_errno(r.err, EINTR, "immediate_exit with a device load to complete: EINTR");
	v = JUNK;
	memcpy(cpu->run->mmio.data, &v, 8);
	cpu->run->immediate_exit = 0;
	is_hex(kt_resume(cpu).r[0], 0x1234, "the load was completed by the first of the two");

	kt_start(cpu, CMD_SPIN, 0, 0, 0, 0);
	while (cpu->asked)
		usleep(1000);
	for (i = 0; i < 3; i++)
		usleep(10000);
	ok(!cpu->thread_done, "a guest that loops stays in KVM_RUN");
	kt_kick(cpu);
	is_errno(kt_wait(cpu).err, EINTR, "a signal gets it out: EINTR");
	cpu->run->immediate_exit = 0;
}

/* Does the run page contain any of the patterns [from, to)? */
static unsigned int count_patterns(const struct kt_vcpu *cpu, uint64_t from, uint64_t to)
{
	const uint8_t *p = (const uint8_t *)cpu->run;
	unsigned int found = 0;
	size_t i;

	for (i = 0; i + 8 <= cpu->run_size; i++) {
		uint64_t v;

		memcpy(&v, p + i, 8);
		found += v >= from && v < to;
	}
	return found;
}

static void test_registers(struct kt_vcpu *cpu)
{
	const uint64_t seed = 0x5ec4e75ec4e70000;
	struct kt_result r;

	cpu->stop_at_progress = true;
	r = kt_call(cpu, CMD_REGS, seed, 0, 0, 0);
	cpu->stop_at_progress = false;
	ok(!r.done && !r.err && r.exit == KVM_EXIT_MMIO, "the guest exits with full registers");
	is_hex(cpu->progress, REGS_X(seed, 1), "the host sees the one it stores");
	if (kt_protected())
		is(count_patterns(cpu, REGS_X(seed, 2), REGS_V(seed, 32)), 0,
		   "and no other in the run page");
	/* Whatever the host does with its own registers meanwhile must not matter. */
	asm volatile("movi v0.16b, #0xee; movi v8.16b, #0xee; movi v31.16b, #0xee" ::
			     : "v0", "v8", "v31");
	r = kt_resume(cpu);
	ok(r.done, "it goes on");
	is((int64_t)r.r[0], 0, "with every register as it was");
}

/* And the other way round: the guest must not change or see the host's. */
static void test_host_registers(struct kt_vcpu *cpu)
{
	unsigned int i, bad = 0;

	for (i = 0; i < 100; i++) {
		register double d8 asm("d8") = 1234.5 + i;
		double after;

		asm volatile("" : "+w"(d8));
		kt_do(cpu, CMD_REGS, 0x6060606060600000, 0, 0, 0);
		asm volatile("" : "+w"(d8));
		after = d8;
		bad += after != 1234.5 + i;
	}
	is(bad, 0, "100 times: the host's FP register survives the guest's use of it");
}

int main(void)
{
	struct kt_vm vm;
	struct kt_vcpu *cpu = &vm.vcpu[0];

	tap_begin(60);
	kt_create(&vm, &(struct kt_config){ 0 });
	is_hex(kt_do(cpu, CMD_NOP, 0x4711, 0, 0, 0), 0x4711, "a guest runs and answers");
	test_stores(cpu);
	test_loads(cpu);
	test_strange(cpu);
	test_registers(cpu);
	test_host_registers(cpu);
	test_interrupt(cpu);
	kt_close(&vm);
	return tap_end();
}
