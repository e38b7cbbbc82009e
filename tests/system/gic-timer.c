// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts: between vCPUs, from the VMM by KVM_IRQ_LINE (edge and level), from the virtual timer;
 * each arrives, as often as it should, at the CPU it is for; WFI sleeps and wakes.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "kvmtest.h"
#include "tap.h"

#define SPI_EDGE  33u
#define SPI_LEVEL 34u
#define SPI_CPU1  35u

#define PSCI_CPU_ON 0xc4000003

static uint32_t lower_after;

static void on_irq(struct kt_vm *vm, uint32_t intid)
{
	if (intid == SPI_LEVEL && __atomic_sub_fetch(&lower_after, 1, __ATOMIC_SEQ_CST) == 0)
		kt_irq_line(vm, intid, false);
}

static uint64_t taken(struct kt_vcpu *cpu, uint32_t intid)
{
	return kt_do(cpu, CMD_IRQ_COUNT, intid, 0, 0, 0);
}

static void start_cpu1(struct kt_vm *vm)
{
	uint64_t entry = kt_do(&vm->vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);

	kt_start(&vm->vcpu[1], CMD_GIC_INIT, 0, 0, 0, 0);
	if (kt_hvc(&vm->vcpu[0], PSCI_CPU_ON, 1, entry, 0).r[0])
		bail("CPU_ON failed");
	ok(kt_wait(&vm->vcpu[1]).done, "both CPUs have their interrupt controller set up");
}

static void test_sgi(struct kt_vm *vm)
{
	struct kt_vcpu *cpu0 = &vm->vcpu[0], *cpu1 = &vm->vcpu[1];
	struct kt_result r;
	unsigned int i;

	kt_do(cpu0, CMD_SGI, 5ull << 24 | 1, 0, 0, 0);
	is((int64_t)kt_do(cpu0, CMD_WAIT_IRQ, 5, 1, 0, 0), 1, "an SGI to oneself arrives");

	kt_start(cpu1, CMD_WAIT_IRQ, 15, 1, 0, 0);
	usleep(50000);
	ok(!cpu1->thread_done, "CPU 1 sleeps in WFI");
	kt_do(cpu0, CMD_SGI, 15ull << 24 | 2, 0, 0, 0);
	r = kt_wait(cpu1);
	ok(r.done && r.r[0] == 1, "SGI 15 to CPU 1 wakes it");
	is((int64_t)taken(cpu0, 15), 0, "and does not arrive at CPU 0");

	for (i = 2; i <= 50; i++) {
		kt_start(cpu1, CMD_WAIT_IRQ, 15, i, 0, 0);
		kt_do(cpu0, CMD_SGI, 15ull << 24 | 2, 0, 0, 0);
		if (!kt_wait(cpu1).done)
			break;
	}
	is(i, 51, "49 more, each waited for");

	kt_start(cpu1, CMD_WAIT_IRQ, 7, 1, 0, 0);
	kt_do(cpu0, CMD_SGI, 1ull << 40 | 7ull << 24, 0, 0, 0);
	r = kt_wait(cpu1);
	ok(r.done && r.r[0] == 1, "an SGI to all the others arrives");
	is((int64_t)taken(cpu0, 7), 0, "but not at the sender");
}

static void test_spi(struct kt_vm *vm)
{
	struct kt_vcpu *cpu0 = &vm->vcpu[0], *cpu1 = &vm->vcpu[1];
	struct kt_result r;
	unsigned int i;

	is_errno(kt_irq_line(vm, 31, true), EINVAL, "KVM_IRQ_LINE: 31 is no shared interrupt");
	is_errno(kt_irq_line(vm, 64, true), EINVAL, "KVM_IRQ_LINE: 64 is beyond the last");

	kt_do(cpu0, CMD_GIC_ENABLE, SPI_EDGE, true, 0, 0);
	for (i = 1; i <= 20; i++) {
		kt_irq_line(vm, SPI_EDGE, true);
		kt_irq_line(vm, SPI_EDGE, false);
		if (kt_do(cpu0, CMD_WAIT_IRQ, SPI_EDGE, i, 0, 0) != i)
			break;
	}
	is(i, 21, "20 edges are 20 interrupts");
	kt_irq_line(vm, SPI_EDGE, true);
	kt_do(cpu0, CMD_WAIT_IRQ, SPI_EDGE, 21, 0, 0);
	kt_do(cpu0, CMD_NOP, 0, 0, 0, 0);
	is((int64_t)taken(cpu0, SPI_EDGE), 21, "an edge that stays high is one interrupt");
	kt_irq_line(vm, SPI_EDGE, false);

	kt_do(cpu0, CMD_GIC_ENABLE, SPI_LEVEL, false, 0, 0);
	lower_after = 3;
	kt_irq_line(vm, SPI_LEVEL, true);
	is((int64_t)kt_do(cpu0, CMD_WAIT_IRQ, SPI_LEVEL, 3, 0, 0), 3,
	   "a level that stays high interrupts again and again");
	kt_do(cpu0, CMD_NOP, 0, 0, 0, 0);
	is((int64_t)taken(cpu0, SPI_LEVEL), 3, "until it is lowered");

	kt_irq_line(vm, SPI_CPU1, true);
	kt_do(cpu0, CMD_NOP, 0, 0, 0, 0);
	is((int64_t)taken(cpu0, SPI_CPU1), 0, "an interrupt that is not enabled does not arrive");
	kt_irq_line(vm, SPI_CPU1, false);
	kt_do(cpu0, CMD_GIC_ENABLE, SPI_CPU1, true, 1, 0);
	kt_start(cpu1, CMD_WAIT_IRQ, SPI_CPU1, 1, 0, 0);
	usleep(20000);
	kt_irq_line(vm, SPI_CPU1, true);
	kt_irq_line(vm, SPI_CPU1, false);
	r = kt_wait(cpu1);
	ok(r.done && r.r[0] >= 1, "one that is routed to CPU 1 wakes CPU 1");
	is((int64_t)taken(cpu0, SPI_CPU1), 0, "and does not arrive at CPU 0");
	r = kt_call(cpu0, CMD_IRQ_COUNT, 0, 0, 0, 0);
	is((int64_t)r.r[2], 0, "CPU 0 took no spurious interrupt");
}

static uint64_t cntfrq(void)
{
	uint64_t f;

	asm volatile("mrs %0, cntfrq_el0" : "=r"(f));
	return f;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void test_timer(struct kt_vm *vm)
{
	struct kt_vcpu *cpu0 = &vm->vcpu[0], *cpu1 = &vm->vcpu[1];
	uint64_t hz = cntfrq(), ticks;
	struct kt_result r, s;
	double used;
	unsigned int i, good = 0;

	kt_do(cpu0, CMD_GIC_ENABLE, 27, false, 0, 0);
	kt_do(cpu1, CMD_GIC_ENABLE, 27, false, 0, 0);
	for (i = 0; i < 10; i++) {
		r = kt_call(cpu0, CMD_TIMER, hz / 200, 0, 0, 0);
		good += r.done && r.r[1] == 1 && r.r[0] >= hz / 200;
	}
	is(good, 10, "10 times: 5 ms later there is one timer interrupt, not before");
	r = kt_call(cpu0, CMD_TIMER, 0, 0, 0, 0);
	ok(r.done && r.r[1] == 1, "a timer that has passed already interrupts at once");

	used = cpu_seconds();
	ticks = kt_do(cpu0, CMD_TIMER, hz, 0, 0, 0);
	used = cpu_seconds() - used;
	ok(ticks >= hz, "WFI for a second takes a second");
	if (!ok(used < 0.5, "and leaves the CPU to others meanwhile"))
		diag("it used %.3f s", used);
	ok(ticks < 3 * hz, "and is not much too late");

	kt_start(cpu1, CMD_TIMER, hz / 50, 0, 0, 0);
	s = kt_call(cpu0, CMD_TIMER, hz / 100, 0, 0, 0);
	r = kt_wait(cpu1);
	ok(r.done && r.r[1] == 1 && s.done && s.r[1] == 1, "two CPUs have a timer each");
}

/* Interrupts reach a CPU that is busy in the guest, too. */
static void test_busy(struct kt_vm *vm)
{
	struct kt_vcpu *cpu1 = &vm->vcpu[1];
	uint32_t before = vm->nr_irqs_taken;
	unsigned int i;

	kt_start(cpu1, CMD_SPIN, 0, 0, 0, 0);
	while (cpu1->asked)
		usleep(1000);
	usleep(20000);
	kt_irq_line(vm, SPI_CPU1, true);
	kt_irq_line(vm, SPI_CPU1, false);
	for (i = 0; i < 5000 && vm->nr_irqs_taken == before; i++)
		usleep(1000);
	ok(vm->nr_irqs_taken == before + 1, "an interrupt reaches a CPU that loops in the guest");
	kt_kick(cpu1);
	is_errno(kt_wait(cpu1).err, EINTR, "a kick gets it out");
	cpu1->run->immediate_exit = 0;
}

int main(void)
{
	struct kt_vm vm;

	tap_begin(120);
	kt_create(&vm, &(struct kt_config){ .nr_vcpus = 2, .gic = true });
	vm.irq_taken = on_irq;
	kt_do(&vm.vcpu[0], CMD_GIC_INIT, 0, 0, 0, 0);
	start_cpu1(&vm);
	test_sgi(&vm);
	test_spi(&vm);
	test_timer(&vm);
	test_busy(&vm);
	kt_close(&vm);
	return tap_end();
}
