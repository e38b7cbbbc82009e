/* SPDX-License-Identifier: GPL-2.0-only */
/* A virtual machine, by way of /dev/kvm: its memory, interrupt controller and vCPUs. */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "image.h"
#include "layout.h"

/* Why a VM stopped. The first reason wins. */
enum vm_end {
	VM_RUNNING = 0,
	VM_POWERED_OFF,
	VM_RESET,
	VM_FAILED,
	VM_QUIT, /* asked for from outside: vm_stop() */
};

struct vm_vcpu {
	struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started;
};

struct vm {
	int kvm, fd, gic;
	int end_event; /* eventfd, readable once the VM has ended */
	size_t run_size;
	struct guest_ram ram;
	unsigned int nr_cpus;
	struct vm_vcpu cpu[MAX_CPUS];

	/* The guest's access to an address that is not RAM; a load returns the value. Any thread. */
	uint64_t (*mmio)(void *ctx, uint64_t gpa, unsigned int size, bool write, uint64_t val);
	void *mmio_ctx;

	pthread_mutex_t lock; /* guards end, and stopping against starting */
	enum vm_end end;
};

/*
 * All return 0, or -1 after having said what is wrong; then vm_destroy. vm_create makes a protected
 * VM with memory and interrupt controller, ready to have its memory filled.
 */
int vm_create(struct vm *vm, uint64_t ram_size, unsigned int nr_cpus);
int vm_set_boot(struct vm *vm, uint64_t pc, uint64_t x0);
int vm_start(struct vm *vm);

void vm_stop(struct vm *vm, enum vm_end why);
/* Wait until no vCPU runs any more (after vm_stop, or the guest's own end). */
enum vm_end vm_join(struct vm *vm);
void vm_destroy(struct vm *vm);

void vm_set_spi(struct vm *vm, unsigned int spi, bool level);

#endif
