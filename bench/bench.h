/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's host side. It speaks KVM's ioctls and nothing else, so that one program measures
 * the kernel's own KVM and Stockade. Time is CLOCK_MONOTONIC here and CNTVCT_EL0 in the guest: under
 * QEMU's -icount shift=0 both count executed instructions.
 *
 * Whatever goes wrong ends the program: a row that is not printed was not measured.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest/command.h"

#ifndef KVM_VM_TYPE_ARM_PROTECTED /* Linux 7.x */
#define KVM_VM_TYPE_ARM_PROTECTED (1ul << 31)
#endif

#define PAGE	  4096ul
#define SZ_2M	  (2ul << 20)
#define MAX_VCPUS 8

#define MEM_SHARE   0xc6000003u
#define MEM_UNSHARE 0xc6000004u

struct vcpu {
	struct vm *vm;
	int fd;
	struct kvm_run *run;
	size_t run_size;
	uint64_t command[5]; /* and its arguments */
};

struct vm {
	int fd, gic;
	uint8_t *mem; /* at GUEST_RAM */
	size_t size;
	unsigned int nr_vcpus;
	struct vcpu vcpu[MAX_VCPUS];
};

struct answer {
	uint64_t r[3];
};

extern bool protected_vms;

void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
uint64_t now(void); /* ns */
/* For rows that the host measures: a time to be given to end_measure(), which returns how long it was. */
uint64_t begin_measure(void);
uint64_t end_measure(uint64_t start);
/* ns, since some moment, in which the only CPU had nothing to do: time that passed, but no instructions. */
uint64_t idle_time(void);
/* Until what the host has put off since the last row is done: it is not the next one's, and that may be short. */
void settle(void);
void guest_row(const char *name, double value);	  /* the guest has measured it */
void derived_row(const char *name, double value); /* it is no measurement of its own */
void row(const char *name, double value);

/* Anonymous memory, aligned to 2 MiB, all of it present: in huge pages or in none. */
uint8_t *alloc_memory(size_t size, bool huge);

int open_kvm(void);
int create_vm(int kvm);
/* A VM with a GICv3 that starts in the guest (guest/guest.c); mem has room for it. */
void vm_create(struct vm *vm, int kvm, uint8_t *mem, size_t size, unsigned int nr_vcpus);
void vm_close(struct vm *vm); /* all but the memory */
/* vCPU 0 does a command. */
struct answer vm_do(struct vm *vm, enum bench_command cmd, uint64_t a0, uint64_t a1, uint64_t a2,
		    uint64_t a3);
/* Until a command is done, or a secondary vCPU says that it is on. */
void vcpu_run(struct vcpu *vcpu, struct answer *answer);
/* Turns another vCPU on and runs it for a moment. */
void vm_run_secondary(struct vm *vm, unsigned int i);
/* Runs another vCPU for ever; in a thread of its own, on the CPU of that number. */
void *vcpu_thread(void *vcpu);

void pin(int cpu); /* this thread */

/* Groups of rows. */
void rows_exits(void); /* calls and accesses that leave the guest */
void rows_timer(void);
void rows_ipi(void);
void rows_memory(void); /* first touch, the life of a VM */
void rows_share(void);
void rows_create(void); /* VMs that never run */
void rows_bytes(void);	/* memory that VMs take of the host */
void rows_host(void);	/* no VM at all */

/* How costs grow: bench/grow. */
void rows_grow_memory(void);
void rows_grow_vms(void);
void rows_grow_split(void);
void rows_grow_vcpus(void);

#endif
