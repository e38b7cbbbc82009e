/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected VMs for tests: memory with the "agent" guest in it (tests/guests), vCPUs, a vGIC, and
 * kt_call() to have a vCPU do something and tell the result. Whatever should always work ends the
 * test with "Bail out!" if it doesn't; what may fail is returned.
 *
 * The environment variable STOCKADE_VM_TYPE=0 makes ordinary VMs, to try the tests themselves on a
 * stock KVM; kt_protected() is then false.
 */
#ifndef TESTS_KVMTEST_H
#define TESTS_KVMTEST_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../guests/protocol.h"

#ifndef KVM_VM_TYPE_ARM_PROTECTED /* Linux 7.x */
#define KVM_VM_TYPE_ARM_PROTECTED (1ul << 31)
#endif

#define KT_PAGE 4096ul
#define KT_2M	(2ul << 20)

/* How a KVM_RUN, or many of them, ended. */
struct kt_result {
	bool done;     /* the command is done: r, esr, far are valid */
	int err;       /* else: errno of KVM_RUN, and if that is 0: */
	uint32_t exit; /* exit reason; the rest is in vcpu->run */
	uint64_t r[4];
	uint64_t esr, far;
};

struct kt_vcpu {
	struct kt_vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
	size_t run_size;

	uint64_t command, arg[4];   /* what the guest is to do next */
	bool asked;		    /* it has not fetched the command yet */
	struct kt_result result;    /* being put together */
	volatile uint64_t progress; /* last DEV_PROGRESS */
	volatile uint64_t nr_progress;
	volatile uint64_t nr_bad; /* of those, ~0: CMD_STRESS has found wrong data */
	bool stop_at_progress;	  /* kt_call returns (exit MMIO) there */
	pthread_t thread;
	volatile bool thread_done;
};

struct kt_vm {
	int fd, gic;
	uint8_t *mem; /* guest memory in this process */
	uint64_t gpa;
	size_t size;
	unsigned int nr_vcpus;
	struct kt_vcpu vcpu[GUEST_CPUS];
	/* A shared interrupt was taken; may be NULL. */
	void (*irq_taken)(struct kt_vm *vm, uint32_t intid);
	uint32_t nr_irqs_taken;
};

struct kt_config {
	size_t size;	       /* 0: 4 MiB; more than 2 MiB */
	unsigned int nr_vcpus; /* 0: 1 */
	bool gic;
	uint8_t *mem;	   /* memory to use instead of fresh anonymous memory */
	uint64_t ipa_bits; /* 0: 40, or what the machine can */
};

bool kt_protected(void);
bool kt_on_qemu(void);
int kt_open(void);		/* /dev/kvm */
unsigned long kt_vm_type(void); /* argument of KVM_CREATE_VM */
uint8_t *kt_alloc(size_t size); /* anonymous, 2 MiB aligned, no huge pages */

/* A VM whose vCPU 0 will start in the agent; the others wait for CPU_ON. */
void kt_create(struct kt_vm *vm, const struct kt_config *cfg);
/* The same in pieces, for tests of the order. Each returns 0 or an errno. */
int kt_add_slot(struct kt_vm *vm, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
		void *mem);
int kt_add_gic(struct kt_vm *vm, unsigned int nr_irqs);
void kt_add_vcpu(struct kt_vm *vm, unsigned int index);
void kt_load_agent(struct kt_vm *vm);
void kt_close(struct kt_vm *vm);      /* everything, memory mapping too (not cfg.mem) */
void kt_close_keep(struct kt_vm *vm); /* all but the memory mapping */

int kt_set_reg(struct kt_vcpu *vcpu, uint64_t id, uint64_t val); /* 0 or errno */
int kt_get_reg(struct kt_vcpu *vcpu, uint64_t id, uint64_t *val);
#define KT_CORE_REG(reg) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | KVM_REG_ARM_CORE_REG(reg))

/* Have the guest do a command; runs until it is done or something else happens. */
struct kt_result kt_call(struct kt_vcpu *vcpu, enum guest_command cmd, uint64_t a0, uint64_t a1,
			 uint64_t a2, uint64_t a3);
/* Go on with the command at work. */
struct kt_result kt_resume(struct kt_vcpu *vcpu);
/* The same, for what cannot fail: result 0. */
uint64_t kt_do(struct kt_vcpu *vcpu, enum guest_command cmd, uint64_t a0, uint64_t a1, uint64_t a2,
	       uint64_t a3);
/* A guest call; all four results are in .r. */
struct kt_result kt_hvc(struct kt_vcpu *vcpu, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);

/* In a thread of its own. kt_wait returns what kt_call would have. */
void kt_start(struct kt_vcpu *vcpu, enum guest_command cmd, uint64_t a0, uint64_t a1, uint64_t a2,
	      uint64_t a3);
struct kt_result kt_wait(struct kt_vcpu *vcpu);
bool kt_wait_for(volatile bool *what, unsigned int ms);
void kt_kick(struct kt_vcpu *vcpu); /* immediate_exit and a signal: KVM_RUN gives EINTR */

int kt_irq_line(struct kt_vm *vm, uint32_t intid, bool level);

/* Did an access by this process get a signal? Returns it (0: none); si_addr by address. */
int kt_try_load(const volatile void *p, void **addr);
int kt_try_store(volatile void *p, uint8_t val, void **addr);

/* This thread, and those it starts, on that CPU only; -1: on any. 0 or errno. */
int kt_pin(int cpu);
/*
 * From no CPU can this process read the guest's page at GUEST_FREE, which the guest has used: is stage 2 on
 * everywhere? It may be lost to the guest if not. This thread is then free to run on any CPU.
 */
bool kt_out_of_reach(struct kt_vm *vm);

/* A number of /sys/kernel/stockade; -1 if there is none. */
int64_t kt_sysfs(const char *name);
/* A number in kB of /proc/self/status or /proc/meminfo ("VmLck:", "MemAvailable:"). */
int64_t kt_proc_kb(const char *file, const char *key);

#endif
