// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of exit of a guest that has all registers full of known values: what of them is in the CPU and
 * in the run page when the host runs again; and does either side find a register of its own changed?
 */
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/uaccess.h>

#include <asm/sysreg.h>

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#include "attack.h"
#include "compat.h"
#include "protocol.h"

#define RAM_SIZE  (4ull << 20)
#define MAX_STEPS 2000
#define MARK	  0x5a00 /* see raw.S */
#define LOADED	  0x1122334455667788ull

/* Registers of the host at EL1. The first few are free for values of ours while interrupts are off. */
#define FOR_EACH_FREE(op)                                                                 \
	op(SYS_FAR_EL1) op(SYS_PAR_EL1) op(SYS_ESR_EL1) op(SYS_ELR_EL1) op(SYS_TPIDR_EL0) \
		op(SYS_TPIDRRO_EL0) op(SYS_CONTEXTIDR_EL1) op(SYS_DBGBVRn_EL1(0))         \
			op(SYS_AFSR0_EL1) op(SYS_AFSR1_EL1)
#define NR_FREE 10
/* A watchpoint of the host's, on what is the first of its fresh pages to the guest. */
#define FOR_EACH_WATCH(op) op(SYS_DBGWVRn_EL1(0)) op(SYS_DBGWCRn_EL1(0)) op(SYS_MDSCR_EL1)
#define NR_WATCH	   3
#define WATCH_EL1	   0x1ffb /* 8 bytes, loads and stores, EL1, on */
#define WATCH_ON	   0xa000 /* MDSCR_EL1.MDE, KDE */
#define FOR_EACH_OTHER(op)                                                                       \
	op(SYS_SCTLR_EL1) op(SYS_CPACR_EL1) op(SYS_TTBR0_EL1) op(SYS_TTBR1_EL1) op(SYS_TCR_EL1)  \
		op(SYS_MAIR_EL1) op(SYS_AMAIR_EL1) op(SYS_VBAR_EL1) op(SYS_TPIDR_EL1)            \
			op(SYS_SP_EL0) op(SYS_CNTKCTL_EL1) op(SYS_ACTLR_EL1) op(SYS_CSSELR_EL1)  \
				op(SYS_OSLSR_EL1) op(SYS_DBGBCRn_EL1(0)) op(SYS_MPIDR_EL1)       \
					op(SYS_MIDR_EL1) op(SYS_PMCR_EL0) op(SYS_PMCNTENSET_EL0) \
						op(SYS_PMUSERENR_EL0) op(SYS_PMINTENSET_EL1) op( \
							SYS_ICC_PMR_EL1) op(SYS_ICC_BPR1_EL1)    \
							op(SYS_ICC_CTLR_EL1) op(SYS_ICC_SRE_EL1) \
								op(SYS_ICC_IGRPEN1_EL1)
/* Theirs while there is a guest: the host's own timer is the physical one. */
#define FOR_EACH_VTIMER(op) op(SYS_CNTV_CVAL_EL0) op(SYS_CNTV_CTL_EL0)
#define FOR_EACH_KEY(op)                                                                        \
	op(SYS_APIAKEYLO_EL1) op(SYS_APIAKEYHI_EL1) op(SYS_APIBKEYLO_EL1) op(SYS_APIBKEYHI_EL1) \
		op(SYS_APDAKEYLO_EL1) op(SYS_APDAKEYHI_EL1) op(SYS_APDBKEYLO_EL1)               \
			op(SYS_APDBKEYHI_EL1) op(SYS_APGAKEYLO_EL1) op(SYS_APGAKEYHI_EL1)
#define NR_MAX 64

struct host_regs {
	u64 value[NR_MAX];
	unsigned int nr; /* of those, that are to come back unchanged */
	unsigned int all;
};

#ifndef SYS_SP_EL0
#define SYS_SP_EL0 sys_reg(3, 0, 4, 1, 0)
#endif

static bool has_keys(void)
{
	return (read_sysreg_s(SYS_ID_AA64ISAR1_EL1) & 0xff000ff0) ||
	       (read_sysreg_s(SYS_ID_AA64ISAR2_EL1) & 0xff00);
}

static void host_read(struct host_regs *host)
{
	unsigned int n = 0;

#define READ_REG(reg) host->value[n++] = read_sysreg_s(reg);
	FOR_EACH_FREE(READ_REG)
	FOR_EACH_WATCH(READ_REG)
	FOR_EACH_OTHER(READ_REG)
	if (has_keys()) {
		FOR_EACH_KEY(READ_REG)
	}
	host->nr = n;
	FOR_EACH_VTIMER(READ_REG)
	host->all = n;
}

static void host_write_free(const u64 *value)
{
	unsigned int n = 0;

#define WRITE_REG(reg) write_sysreg_s(value[n++], reg);
	FOR_EACH_FREE(WRITE_REG)
	FOR_EACH_WATCH(WRITE_REG)
	isb();
}

/* The agent and what became of it. */
struct agent {
	struct raw_vm vm;
	u64 seed;
	u64 command, arg[4], result[4];
	bool done, want_irq;
	u32 exits; /* reasons, one bit each */
	u32 steps;
	/* Values of the guest's that were found: in the host's registers of each kind, in the run page. */
	u32 in_x, in_v, in_sys, in_run;
	u32 host_changed; /* registers of the host's */
	u64 stored, last_given, esr;
	struct host_regs before, after;
};

static struct agent agent;

static void nothing(struct irq_work *work)
{
}

static DEFINE_IRQ_WORK(interrupt, nothing);

static void look(struct agent *a, const struct capture *c, u64 host_seed)
{
	const struct host_regs *before = &a->before, *after = &a->after;
	unsigned int i;

	a->in_x += count_planted(c->x, sizeof(c->x), a->seed);
	a->in_v += count_planted(c->v, sizeof(c->v), a->seed);
	a->in_v += c->fpsr == PLANT_FPSR;
	a->in_v += c->fpcr == PLANT_FPCR;
	a->in_sys += count_planted(after->value, after->all * sizeof(u64), a->seed);
	a->in_run += count_planted(pfn_to_kaddr(a->vm.run[0]), PAGE_SIZE, a->seed);
	for (i = 4; i < 29; i++)
		if (i != 18)
			a->host_changed += c->x[i] != MARK + i;
	for (i = 0; i < before->nr; i++) {
		if (after->value[i] == before->value[i])
			continue;
		a->host_changed++;
		pr_info("attack: register %u of the host's was 0x%llx, is 0x%llx\n", i,
			before->value[i], after->value[i]);
	}
	/* Ours, if the guest has not used its own; else none. */
	for (i = 0; i < 64; i++)
		a->host_changed += c->v[i] && c->v[i] != PLANT(host_seed, i);
}

/* A hostcall, all registers that may be free full of our own values. */
static s64 watched_call(struct agent *a, u64 function, u64 *x1)
{
	const u64 host_seed = ~a->seed;
	struct capture c = { .x = { function, 0, 0, 0, MARK + 4, MARK + 5 } };
	u64 mine[NR_FREE + NR_WATCH], planted[NR_FREE + NR_WATCH];
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < 64; i++)
		c.v[i] = PLANT(host_seed, i);
	for (i = 0; i < NR_FREE; i++)
		planted[i] = PLANT(host_seed, 64 + i);
	planted[NR_FREE] = GUEST_FREE;
	planted[NR_FREE + 1] = WATCH_EL1;
	local_irq_save(flags);
	if (a->want_irq)
		irq_work_queue(&interrupt);
	host_read(&a->before);
	memcpy(mine, a->before.value, sizeof(mine));
	planted[NR_FREE + 2] = mine[NR_FREE + 2] | WATCH_ON;
	host_write_free(planted);
	host_read(&a->before);
	attack_capture(&c);
	host_read(&a->after);
	host_write_free(mine);
	local_irq_restore(flags);
	look(a, &c, host_seed);
	*x1 = c.x[1];
	return (s64)c.x[0];
}

static bool give_page(struct agent *a, u64 ipa)
{
	u64 offset = (ipa & PAGE_MASK) - GUEST_ENTRY;
	u64 size = attack_agent_end - attack_agent, pfn = take_pfn(0);

	if (!pfn)
		return false;
	memset(pfn_to_kaddr(pfn), 0, PAGE_SIZE);
	if (offset < size)
		memcpy(pfn_to_kaddr(pfn), attack_agent + offset, min(size - offset, PAGE_SIZE));
	a->last_given = pfn;
	return !raw_call(STOCKADE_HC_HOST_DONATE_GUEST, a->vm.handle, pfn, ipa >> PAGE_SHIFT, 1,
			 NULL);
}

static u64 device_load(struct agent *a, u64 offset)
{
	switch (offset) {
	case DEV_COMMAND:
		return a->command;
	case DEV_ARG ... DEV_ARG + 24:
		return a->arg[(offset - DEV_ARG) / 8];
	default:
		return LOADED;
	}
}

static void device_store(struct agent *a, u64 offset, u64 value)
{
	switch (offset) {
	case DEV_RESULT:
		a->result[0] = value;
		a->done = true;
		break;
	case DEV_ARG ... DEV_ARG + 16:
		a->result[1 + (offset - DEV_ARG) / 8] = value;
		break;
	case DEV_ESR:
		a->esr = value;
		break;
	default:
		a->stored = value;
	}
}

static bool handle_abort(struct agent *a)
{
	struct stockade_run *run = pfn_to_kaddr(a->vm.run[0]);
	u64 ipa = run->abort_ipa, value;

	if (ipa >= GUEST_RAM && ipa < GUEST_RAM + RAM_SIZE)
		return give_page(a, ipa);
	if (!(run->abort_flags & STOCKADE_ABORT_SYNDROME))
		return false;
	if (run->abort_flags & STOCKADE_ABORT_WRITE) {
		if (raw_call(STOCKADE_HC_VCPU_MMIO_VALUE, 0, 0, 0, 0, &value))
			return false;
		device_store(a, ipa - TEST_DEV, value);
	} else {
		run->mmio_data = device_load(a, ipa - TEST_DEV);
	}
	run->entry_flags |= STOCKADE_ENTRY_MMIO;
	return true;
}

/* False: it is over. */
static bool step(struct agent *a)
{
	struct stockade_run *run = pfn_to_kaddr(a->vm.run[0]);
	u64 exit;

	run->entry_flags |= STOCKADE_ENTRY_NO_GIC;
	if (watched_call(a, STOCKADE_HC_VCPU_RUN, &exit))
		return false;
	a->exits |= 1u << exit;
	a->want_irq = false;
	switch (exit) {
	case STOCKADE_EXIT_ABORT:
		return handle_abort(a);
	case STOCKADE_EXIT_WFI:
		/* Then an interrupt finds the guest before its next instruction. */
		a->want_irq = true;
		return true;
	case STOCKADE_EXIT_TOPUP:
		return !raw_topup(STOCKADE_POOL_VM, a->vm.handle);
	case STOCKADE_EXIT_IRQ:
	case STOCKADE_EXIT_SGI:
	case STOCKADE_EXIT_CPU_ON:
	case STOCKADE_EXIT_RELINQUISH:
		return true;
	default:
		return false;
	}
}

static void run_agent(struct agent *a)
{
	struct user_fpsimd_state fp;
	u64 x1;

	a->done = false;
	stockade_fp_begin(&fp);
	preempt_disable();
	if (!raw_call(STOCKADE_HC_VCPU_LOAD, a->vm.handle, 0, 0, 0, NULL)) {
		for (a->steps = 0; !a->done && a->steps < MAX_STEPS && step(a);)
			a->steps++;
		watched_call(a, STOCKADE_HC_VCPU_PUT, &x1);
	}
	preempt_enable();
	stockade_fp_end(&fp);
}

static void command(struct agent *a, u64 cmd, u64 a0, u64 a1, u64 a2, u64 a3)
{
	a->command = cmd;
	a->arg[0] = a0;
	a->arg[1] = a1;
	a->arg[2] = a2;
	a->arg[3] = a3;
	run_agent(a);
}

int agent_begin(u64 seed)
{
	memset(&agent, 0, sizeof(agent));
	agent.seed = seed;
	return raw_create_bare(&agent.vm, NULL) ? 0 : -EIO;
}

int agent_plant(u32 insn, u64 x1, u64 function, struct seq_buf *out)
{
	struct agent *a = &agent;

	a->exits = a->in_x = a->in_v = a->in_sys = a->in_run = a->host_changed = 0;
	a->stored = 0;
	a->esr = 0;
	command(a, CMD_PLANT, insn, a->seed, x1, function);
	seq_buf_printf(
		out,
		"done %d\nguest_changed %lld\nesr 0x%llx\nloaded %llu\nresult %lld\nexits %u\n"
		"stored %lld\nin_x %u\nin_v %u\nin_sys %u\nin_run %u\nhost_changed %u\n",
		a->done, a->done ? a->result[0] : 0, a->esr, a->result[1], (s64)(s32)a->result[2],
		a->exits, a->stored, a->in_x, a->in_v, a->in_sys, a->in_run, a->host_changed);
	return 0;
}

int agent_lose(u64 ipa)
{
	unsigned long word = ~0ul;

	command(&agent, CMD_STORE, ipa, 8, 1, 0);
	if (!agent.done ||
	    copy_from_kernel_nofault(&word, pfn_to_kaddr(agent.last_given), sizeof(word)))
		return -EIO;
	return 0;
}

int agent_end(struct seq_buf *out)
{
	seq_buf_printf(out, "destroyed %d\n", raw_destroy(agent.vm.handle));
	return 0;
}

/* As the CPU has them. */
int print_id_registers(struct seq_buf *out)
{
#define PRINT(name) seq_buf_printf(out, #name " 0x%llx\n", read_sysreg_s(SYS_##name));
	PRINT(ID_AA64PFR0_EL1)
	PRINT(ID_AA64PFR1_EL1)
	PRINT(ID_AA64DFR0_EL1)
	PRINT(ID_AA64ISAR0_EL1)
	PRINT(ID_AA64ISAR1_EL1)
	PRINT(ID_AA64ISAR2_EL1)
	PRINT(ID_AA64MMFR0_EL1)
	PRINT(ID_AA64MMFR1_EL1)
	PRINT(ID_AA64MMFR2_EL1)
	return 0;
}
