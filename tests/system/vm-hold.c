// SPDX-License-Identifier: GPL-2.0-only
/*
 * For scripts: a protected VM with two vCPUs that fill and check their memory for ever.
 *
 *   vm-hold [SECONDS]
 *
 * Prints "vm: runs" when it does and ends, with "vm: unharmed" and status 0, after so many seconds
 * (none: never); "vm: HARMED" and status 1 as soon as a vCPU has lost data or stopped. With each
 * SIGUSR2 it prints the frame numbers of some guest pages, in hexadecimal.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "tap.h"

#define AREA (64 * KT_PAGE)

static volatile sig_atomic_t asked;

static void ask(int sig)
{
	(void)sig;
	asked = 1;
}

static void print_frames(const struct kt_vm *vm)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	unsigned int i;

	printf("frames:");
	for (i = 0; i < 16; i++) {
		uintptr_t va = (uintptr_t)vm->mem + (GUEST_FREE - GUEST_RAM) + i * KT_PAGE;
		uint64_t entry = 0;

		if (pread(fd, &entry, 8, (off_t)(va / KT_PAGE * 8)) == 8)
			printf(" %" PRIx64, entry & ~(~(uint64_t)0 << 55));
	}
	printf("\n");
	close(fd);
}

int main(int argc, char **argv)
{
	time_t end = argc > 1 ? time(NULL) + atoi(argv[1]) : 0;
	struct kt_vm vm;
	uint64_t entry;
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGUSR2, ask);
	/* The other CPUs shall be under stage 2 without having run a VM. */
	kt_pin(0);
	kt_create(&vm, &(struct kt_config){ .size = 4 * KT_2M, .nr_vcpus = 2, .gic = true });
	kt_do(&vm.vcpu[0], CMD_FILL, GUEST_FREE, AREA, 0, 0);
	if (!kt_out_of_reach(&vm)) {
		printf("vm: HARMED, the host reads it\n");
		return 1;
	}
	entry = kt_do(&vm.vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
	if (kt_hvc(&vm.vcpu[0], PSCI_CPU_ON_64, 1, entry, 0).r[0])
		bail("CPU_ON");
	for (i = 0; i < 2; i++)
		kt_start(&vm.vcpu[i], CMD_STRESS, GUEST_FREE + i * KT_2M, AREA, 0, 0);
	for (i = 0; i < 2; i++)
		while (vm.vcpu[i].nr_progress < 2 && !vm.vcpu[i].thread_done)
			usleep(1000);
	printf("vm: runs\n");

	while (!end || time(NULL) < end) {
		uint64_t before[2] = { vm.vcpu[0].nr_progress, vm.vcpu[1].nr_progress };

		usleep(200000);
		if (asked) {
			asked = 0;
			print_frames(&vm);
		}
		for (i = 0; i < 2; i++) {
			struct kt_vcpu *cpu = &vm.vcpu[i];
			unsigned int ms;

			/* The host may be busy with worse. */
			for (ms = 0; ms < 20000 && cpu->nr_progress == before[i]; ms++)
				usleep(1000);
			if (cpu->thread_done || cpu->nr_bad || cpu->nr_progress == before[i]) {
				printf("vm: HARMED, vCPU %u: %s\n", i,
				       cpu->nr_bad	? "wrong data" :
				       cpu->thread_done ? strerror(cpu->result.err) :
							  "no progress");
				return 1;
			}
		}
	}
	for (i = 0; i < 2; i++) {
		kt_kick(&vm.vcpu[i]);
		kt_wait(&vm.vcpu[i]);
	}
	kt_close(&vm);
	printf("vm: unharmed\n");
	return 0;
}
