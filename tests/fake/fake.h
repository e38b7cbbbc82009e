/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The build machine as an arm64 machine, as far as hyp/mem, hyp/vm and hyp/host can tell: the second
 * implementation of hyp/arch/.
 *
 * RAM. One sparse file, whose offsets are physical addresses. Tests see it through fake_ram(). The
 * hypervisor sees it through its own page tables: nothing of EL2's address space is mapped but what a
 * walk of hyp_map finds at the moment of the first access (a SIGSEGV handler is the TLB miss), and it
 * stays so until the hypervisor flushes it. An access that the tables don't allow, or by an entry with
 * attributes that EL2 has no use for, fails the test.
 *
 * Maintenance. hyp/arch/maint.c itself runs here. Every instruction of it is recorded in fake.ops, and judged
 * (maint.h) for the host's stage 2, EL2's stage 1 and every VM's stage 2.
 *
 * Locks. They fail whoever takes one twice, out of order (hyp/lib/lock_order.h), or gives back what is not its
 * own. Hooks let a test run another CPU at a chosen moment.
 *
 * CPUs. One thread, fake_cpu() says which CPU it is. Threads: each calls fake_cpu() once, sets fake_trap, and
 * fake.threads makes them wait for locks rather than fail; record, judge and hooks are off then, and what
 * struct fake says of the last call means nothing.
 *
 * Guests and firmware. guest_run() and SMC call what fake.guest and fake.smc point at.
 *
 * Failures go to fake.failed, which must not return.
 */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include <setjmp.h>

#include <stockade/launch.h>

#include "arch/cpu.h"
#include "arch/host_el1.h"
#include "host/trap.h"
#include "lib/types.h"
#include "mem/pgtable.h"

#define FAKE_RAM_BASE 0x40000000ull
#define FAKE_RAM_END  0x180000000ull
#define FAKE_MAX_CPUS 8
#define FAKE_MAX_OPS  16384
#define FAKE_MAX_SMCS 64
#define FAKE_IMAGE    0x7ff00000ull /* what image_pa() gives */

enum fake_op_kind {
	FAKE_TLBI_VAE2IS,	/* a: VA */
	FAKE_TLBI_IPAS2E1IS,	/* a: VTTBR, b: IPA */
	FAKE_TLBI_VMALLE1IS,	/* a: VTTBR */
	FAKE_TLBI_VMALLE1,	/* a: VTTBR */
	FAKE_TLBI_VMALLS12E1IS, /* a: VTTBR */
	FAKE_VTTBR,		/* a: what is written */
	FAKE_EL1_WALKS,		/* SCTLR_EL1 or TCR_EL1; a: stage 1 is on, and walks are not */
	FAKE_DSB,		/* a: enum fake_dsb */
	FAKE_ISB,
	FAKE_DC_CIVAC, /* a: PA, b: size; adjacent lines are one */
	FAKE_ZERO,     /* DC ZVA or stores; likewise */
	FAKE_IC_IALLUIS,
	FAKE_IC_IALLU,
	FAKE_UNLOCK, /* a: the lock's name, a const char * */
};

struct fake_op {
	enum fake_op_kind kind;
	u64 a, b;
};

/* What the hypervisor is started with; zeros are defaults. */
struct fake_config {
	struct stockade_range ram[8];
	unsigned int nr_ram;
	unsigned int nr_cpus;  /* 4 */
	unsigned int ipa_bits; /* of the host's stage 2; 40 */
	u64 pool_pages;	       /* 64 */
	pa_t pool1;	       /* the pool's second piece is there; behind the first */
	bool no_junk;	       /* leave RAM zero: it is big */
	u32 flags;	       /* STOCKADE_LAUNCH_* */
	void (*smc)(u64 *x);   /* fake.smc, from power-on */
};

struct fake {
	void (*failed)(const char *why); /* does not return */
	bool threads;

	/* The CPU. */
	bool has_fwb, has_pauth, has_random, may_enter;
	u64 random_next;	  /* the next random number */
	unsigned int random_left; /* how often there is entropy */
	unsigned int nr_lrs;
	u64 idreg[8][8]; /* by CRm and op2 */
	u64 ctr, clidr, dczid, midr;
	u64 counter;

	/* Guests: what they do until the next exit; NULL: exits with an interrupt. */
	enum guest_exit_kind (*guest)(struct guest_regs *regs);
	bool timer_level;
	u64 timer_deadline;
	bool fault_ipa_unknown;
	struct guest_entry entry;	  /* the last guest_enter()'s */
	const struct guest_world *world;  /* and its other argument */
	u64 lr_out[STOCKADE_RUN_MAX_LRS]; /* what becomes of list registers */
	struct guest_regs *loaded[FAKE_MAX_CPUS], *entered[FAKE_MAX_CPUS];
	unsigned int nr_entries, nr_fp, nr_pauth, stack_scrubs;

	/* The host's trap, and what it was answered with. */
	u64 host_esr;
	struct host_abort abort;
	u64 text_va, text_size;
	pa_t text_pa; /* where host_translate() leads within the text; else nowhere */
	unsigned int cpu_faults[FAKE_MAX_CPUS][3];
	unsigned int faults[3], undefs, skipped, steps_started, steps, steps_stopped;
	u64 host_entry;
	bool host_fp;			    /* host_use_fp()'s answer */
	int protect_error;		    /* launch_protect_cpu()'s answer */
	unsigned int left;		    /* calls of launch_leave() */
	u64 restart_entry, restart_args[3]; /* launch_restart()'s */

	/* Firmware: is given x0-x17 and changes them. NULL: x0 = 0. */
	void (*smc)(u64 *x);
	u64 smcs[FAKE_MAX_SMCS][18];
	unsigned int nr_smcs;

	struct fake_op ops[FAKE_MAX_OPS];
	unsigned int nr_ops; /* may go beyond FAKE_MAX_OPS */

	/*
	 * Called before a lock is taken, after it is given back; not while one of them is at work. What another CPU does
	 * there must not wait for what this one holds: fake_locks_held().
	 */
	void (*before_lock)(const char *name);
	void (*after_unlock)(const char *name);

	/*
	 * Called at the same moments, and again and again while another CPU holds the lock that is wanted (else
	 * NULL): a scheduler, that lets other CPUs go on, each on a stack of its own.
	 */
	void (*reschedule)(const struct spinlock *wanted);

	/* Called when a CPU asks for another's state: what that one does meanwhile. */
	void (*meanwhile)(unsigned int index);

	struct stockade_launch launch;
};

extern struct fake fake;

/* What a thread that is a CPU traps with, in the place of fake.host_esr and fake.abort. */
struct fake_trap {
	u64 esr;
	struct host_abort abort;
};

extern _Thread_local const struct fake_trap *fake_trap;

/* A new machine: RAM, CPUs, the hypervisor's own data as at power-on; launched; CPU 0. NULL: default. */
void fake_boot(const struct fake_config *config);
/* The same without the launch: for tests of what comes before. EL2's MMU is off. */
void fake_power_on(const struct fake_config *config);
/* Then the steps of launch, apart. */
void fake_plan_launch(u64 pool_pages, pa_t pool1);
/* What RAM is full of when the machine is turned on: each page with another thing. */
void fake_fill_with_junk(const struct stockade_range *ram);
int fake_launch(void);

void fake_cpu(unsigned int index);

/* RAM as a debugger sees it. */
void *fake_ram(pa_t pa);
/* The page array's entry, likewise. NULL: there is none. */
struct page *fake_page(pa_t pa);
const char *fake_state_name(unsigned int state);

/* A walk by a reader of the Arm ARM that has not seen hyp/mem/pgtable.c. */
struct fake_leaf {
	bool valid;
	u64 ia;	 /* of the start of the leaf */
	pa_t pa; /* the translation of the address that was asked for */
	u64 pte; /* the descriptor, also an invalid one */
	unsigned int level;
};

struct fake_leaf fake_walk(const struct pgtable *pt, u64 ia);
/* Every valid leaf in order; and every table, root's pages included, with what it is. */
void fake_each_leaf(const struct pgtable *pt, void (*leaf)(const struct fake_leaf *leaf, void *arg),
		    void *arg);
void fake_each_table(const struct pgtable *pt,
		     void (*table)(pa_t pa, unsigned int level, void *arg), void *arg);

/*
 * Judge the maintenance of a table (maint.h). Watched by themselves: the host's, EL2's, and those of VMs.
 * Unwatching NULL ends all.
 */
void fake_watch(const struct pgtable *pt);
void fake_unwatch(const struct pgtable *pt);

/*
 * All that must hold between two calls of the hypervisor: no lock held, no window open, no stale TLB
 * entry, and page array, tables and pools that agree with each other, for all CPUs and VMs.
 */
void fake_check(void);

/* This CPU has left the hypervisor: it holds no lock. Also while others go on. */
void fake_lock_check_cpu(void);

/* A copy of RAM and of the hypervisor's own data, to see that something has changed nothing. */
struct fake_copy *fake_copy(void);
/* NULL: the same; else what differs first. The copy is gone then. */
const char *fake_differs(struct fake_copy *copy);

/* Where the hypervisor panics if it is expected to; else a panic fails. */
extern jmp_buf fake_panic_jump;
extern bool fake_panic_expected;
extern char fake_panic_text[256];

__attribute__((noreturn, format(printf, 1, 2))) void fake_fail(const char *format, ...);

/* Between the files of this folder. */
void fake_record(enum fake_op_kind kind, u64 a, u64 b);
void fake_tlb_reset(bool empty_ram);
void fake_tlb_check(void);
void fake_tlb_flush(u64 va);
void fake_registers_reset(void);
u64 fake_vttbr(unsigned int cpu);
bool fake_walks_are_off(void);
void fake_set_vttbr(u64 value);
void fake_lock_reset(void);
unsigned int fake_locks_held(void); /* by the CPU that runs */
void fake_lock_check(void);
/* May a lock of that class be taken under one of the other (enum lock_class)? */
bool fake_lock_may(unsigned int class, unsigned int under);
/* This CPU goes through a page: PAGE_WORK of lib/lock_check.h, looked at while running. */
void fake_page_work(void);
pa_t fake_va_to_pa(const void *va);
void fake_arch_reset(void);
unsigned int fake_cpu_index(void);
void fake_add_cpu(struct cpu *cpu);
/* The hypervisor's own data: 0 is zeroed, 1 is initialised. */
struct fake_section {
	char *base;
	size_t size;
};

#define FAKE_SECTIONS 2
struct fake_section fake_section(unsigned int n);
/* Sanitizers have red zones between the variables; they are copied too. */
void fake_copy_raw(char *to, const char *from, size_t size);

#endif
