// SPDX-License-Identifier: GPL-2.0-only
/* Rows that are measured by the guest itself: ways out of it and back, interrupts. */
#include <pthread.h>
#include <unistd.h>

#include "bench.h"

#define HYP_MEMINFO  0xc6000002u
#define PSCI_VERSION 0x84000000u

#define GICD_TYPER (GUEST_GICD + 4)

#define CALLS 1000

static void start(struct vm *vm, unsigned int nr_vcpus)
{
	size_t size = 2 * SZ_2M;

	vm_create(vm, open_kvm(), alloc_memory(size, false), size, nr_vcpus);
	/* Ticks are printed as they are. */
	if (vm_do(vm, GUEST_READY, 0, 0, 0, 0).r[0] != 1000000000)
		die("the counter does not count nanoseconds");
}

/* The first round is to warm up; a call that fails has not been measured, so it is not printed. */
static void call_row(struct vm *vm, const char *name, uint64_t function)
{
	struct answer a;

	vm_do(vm, GUEST_CALL, function, 0, 0, CALLS / 10);
	settle();
	a = vm_do(vm, GUEST_CALL, function, 0, 0, CALLS);
	if (!a.r[2])
		guest_row(name, (double)a.r[0] / CALLS);
}

static void access_row(struct vm *vm, const char *name, enum bench_command cmd, uint64_t addr)
{
	vm_do(vm, cmd, addr, CALLS / 10, 0, 0);
	settle();
	guest_row(name, (double)vm_do(vm, cmd, addr, CALLS, 0, 0).r[0] / CALLS);
}

void rows_exits(void)
{
	struct vm vm;

	start(&vm, 1);
	call_row(&vm, "meminfo", HYP_MEMINFO);
	call_row(&vm, "psci_version", PSCI_VERSION);
	access_row(&vm, "vgic_load", GUEST_LOAD, GICD_TYPER);
	access_row(&vm, "mmio_load", GUEST_LOAD, BENCH_DEV_ECHO);
	access_row(&vm, "mmio_store", GUEST_STORE, BENCH_DEV_ECHO);
	vm_close(&vm);
}

void rows_timer(void)
{
	const uint64_t n = 50, ticks = 5000000, few = 100000;
	struct vm vm;

	start(&vm, 1);
	vm_do(&vm, GUEST_GIC, 0, 0, 0, 0);
	vm_do(&vm, GUEST_TIMER_WFI, ticks, n / 10, 0, 0);
	guest_row("timer_wfi",
		  (double)vm_do(&vm, GUEST_TIMER_WFI, ticks, n, 0, 0).r[0] / (double)n);
	vm_do(&vm, GUEST_TIMER_RUN, few, n / 10, 0, 0);
	guest_row("timer_run", (double)vm_do(&vm, GUEST_TIMER_RUN, few, n, 0, 0).r[0] / (double)n);
	vm_close(&vm);
}

/* Two CPUs, a vCPU on each. The program's end ends the second one. */
void rows_ipi(void)
{
	const uint64_t n = 500;
	pthread_t thread;
	struct answer a;
	struct vm vm;

	pin(0);
	start(&vm, 2);
	vm_do(&vm, GUEST_GIC, 0, 0, 0, 0);
	vm_run_secondary(&vm, 1);
	if (pthread_create(&thread, NULL, vcpu_thread, &vm.vcpu[1]))
		die("cannot start a thread");
	usleep(1000);
	vm_do(&vm, GUEST_IPI, 1, n / 10, 0, 0);
	a = vm_do(&vm, GUEST_IPI, 1, n, 0, 0);
	guest_row("ipi", (double)a.r[0] / (double)n);
	derived_row("ipi_send", (double)a.r[1] / (double)n);
}
