// SPDX-License-Identifier: GPL-2.0-only
/*
 * For scripts: a protected VM that has the secrets of lib/secret.h in its memory and in a vCPU's registers,
 * and runs; this process has the control in its own memory.
 *
 *   vm-secret -c         has the control only, and goes on for ever
 *   vm-secret            prints "vm: runs, frame PFN", that of a page of the guest's, and goes on for ever
 *   vm-secret -s FILE    looks for all of them in a file, such as /proc/vmcore
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../include/stockade/guestcall.h"
#include "kvmtest.h"
#include "secret.h"
#include "tap.h"

#define BUSY (GUEST_FREE + KT_2M) /* where the other vCPU works */

static uint64_t frame_of(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (pread(fd, &entry, 8, (off_t)((uintptr_t)p / KT_PAGE * 8)) != 8)
		bail("pagemap: %s", strerror(errno));
	close(fd);
	return entry & ~(~(uint64_t)0 << 55);
}

static void plant_control(void)
{
	uint64_t *control = aligned_alloc(KT_PAGE, SECRET_SIZE), offset;

	if (!control)
		bail("no memory");
	for (offset = 0; offset < SECRET_SIZE; offset += 8)
		((volatile uint64_t *)control)[offset / 8] = SECRET_CONTROL ^
							     (SECRET_START + offset);
}

static void run_vm(void)
{
	uint64_t entry;
	/* The vCPU's thread has it for ever. */
	static struct kt_vm vm;

	kt_create(&vm, &(struct kt_config){ .size = 4 * KT_2M, .nr_vcpus = 2, .gic = true });
	kt_do(&vm.vcpu[0], CMD_FILL, SECRET_START, SECRET_SIZE, SECRET_MEMORY, 0);
	entry = kt_do(&vm.vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
	if (kt_hvc(&vm.vcpu[0], PSCI_CPU_ON_64, 1, entry, 0).r[0])
		bail("CPU_ON");
	/* It stays where all its registers are full. */
	vm.vcpu[1].stop_at_progress = true;
	kt_call(&vm.vcpu[1], CMD_REGS, SECRET_REGS, 0, 0, 0);
	if (vm.vcpu[1].nr_progress != 1)
		bail("CMD_REGS");
	kt_start(&vm.vcpu[0], CMD_STRESS, BUSY, 16 * KT_PAGE, 0, 0);
	while (vm.vcpu[0].nr_progress < 2)
		usleep(1000);
	printf("vm: runs, frame %" PRIx64 "\n", frame_of(vm.mem + (SECRET_START - GUEST_RAM)));
}

static int look(const char *path)
{
	static uint64_t buffer[1 << 16];
	uint64_t found[NR_SECRETS] = { 0 }, words = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, i;

	while (fd >= 0 && (n = read(fd, buffer, sizeof(buffer))) > 0)
		for (i = 0; i < n / 8; i++, words++)
			found[secret_kind(buffer[i])]++;
	if (fd < 0 || n < 0) {
		printf("%s: %s\n", path, strerror(errno));
		return 1;
	}
	printf("found: memory %" PRIu64 " regs %" PRIu64 " control %" PRIu64 " in %" PRIu64
	       " MiB\n",
	       found[SECRET_IN_MEMORY], found[SECRET_IN_REGS], found[SECRET_IN_CONTROL],
	       words >> 17);
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	_Static_assert(SECRET_START == GUEST_FREE, "what a guest has for tests");
	if (argc == 3 && !strcmp(argv[1], "-s"))
		return look(argv[2]);
	plant_control();
	if (argc == 1)
		run_vm();
	for (;;)
		pause();
}
