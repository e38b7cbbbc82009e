// SPDX-License-Identifier: GPL-2.0-only
/*
 * The world switch: a guest's registers in, the host's out, and back.
 */
#include "arch/guest.h"

#include "arch/cache.h"
#include "arch/cpu.h"
#include "arch/exception.h"
#include "arch/host_el2.h"
#include "arch/spec_at.h"
#include "arch/sysreg.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mem/host_map.h"
#include "mem/pte.h"
#include "vm/vcpu.h"

extern const char guest_vectors[];
enum guest_exit_kind guest_switch(struct guest_regs *regs);
void fp_save(struct fp_regs *fp);
void fp_load(const struct fp_regs *fp);
u64 at_translate(u64 va);

/* Traps for a guest: everything that it has no use for, or that the host has live state in. */
#define GUEST_HCR                                                                             \
	(HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_IS | HCR_TWI |    \
	 HCR_TID1 | HCR_TID2 | HCR_TID3 | HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_TSW | HCR_RW | \
	 HCR_TLOR | HCR_TERR)
#define GUEST_CPTR (CPTR_RES1 | CPTR_TZ | CPTR_TSM | CPTR_TTA)
#define GUEST_MDCR                                                                           \
	(MDCR_TPMCR | MDCR_TPM | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA | MDCR_TPMS | MDCR_TTRF | \
	 MDCR_TDCC)

static unsigned int nr_lrs, nr_aprs;
static bool has_pauth, has_pmu, has_fgt, has_fgt2, has_amu, has_hcx, has_sme, has_mte2;
static bool has_spe, has_trf, has_brbe, has_mpam, has_ras;

void guest_arch_init(void)
{
	u64 vtr = read_sysreg_s(SYS_ICH_VTR_EL2);
	u64 isar1 = read_sysreg(id_aa64isar1_el1);
	u64 pmu = FIELD_GET(ID_DFR0_PMU, read_sysreg(id_aa64dfr0_el1));
	u64 fgt = FIELD_GET(ID_MMFR0_FGT, read_sysreg(id_aa64mmfr0_el1));

	nr_lrs = (unsigned int)FIELD_GET(ICH_VTR_LISTREGS, vtr) + 1;
	/* 5, 6 or 7 bits of preemption: 1, 2 or 4 registers (IHI 0069, ICH_AP1R<n>_EL2). */
	nr_aprs = 1u << (FIELD_GET(ICH_VTR_PREBITS, vtr) + 1 - 5);
	has_pauth = (isar1 & (ID_ISAR1_APA | ID_ISAR1_API)) ||
		    FIELD_GET(ID_ISAR2_APA3, read_sysreg_s(SYS_ID_AA64ISAR2_EL1));
	has_pmu = pmu && pmu != 0xf;
	has_fgt = fgt >= 1;
	has_fgt2 = fgt >= 2;
	has_amu = FIELD_GET(ID_PFR0_AMU, read_sysreg(id_aa64pfr0_el1));
	has_hcx = FIELD_GET(ID_MMFR1_HCX, read_sysreg(id_aa64mmfr1_el1));
	has_sme = FIELD_GET(ID_PFR1_SME, read_sysreg(id_aa64pfr1_el1));
	has_mte2 = FIELD_GET(ID_PFR1_MTE, read_sysreg(id_aa64pfr1_el1)) >= 2;
	/* PMBIDR_EL1.P: the buffer is EL3's, and nobody else's. */
	has_spe = FIELD_GET(ID_DFR0_SPE, read_sysreg(id_aa64dfr0_el1)) &&
		  !(read_sysreg_s(SYS_PMBIDR_EL1) & PMBIDR_P);
	has_mpam = FIELD_GET(ID_PFR0_MPAM, read_sysreg(id_aa64pfr0_el1));
	has_ras = FIELD_GET(ID_PFR0_RAS, read_sysreg(id_aa64pfr0_el1));
	has_trf = FIELD_GET(ID_DFR0_TRF, read_sysreg(id_aa64dfr0_el1));
	has_brbe = FIELD_GET(ID_DFR0_BRBE, read_sysreg(id_aa64dfr0_el1));
}

bool arch_has_pauth(void)
{
	return has_pauth;
}

unsigned int arch_nr_lrs(void)
{
	return nr_lrs;
}

u64 arch_counter(void)
{
	isb();
	return read_sysreg(cntpct_el0);
}

/* VTCR_EL2 (Arm ARM D24.2.221): 4 KiB granule, inner shareable write-back walks, 8-bit VMIDs. */
u64 guest_vtcr(unsigned int ipa_bits)
{
	u64 parange = FIELD_GET(ID_MMFR0_PARANGE, read_sysreg(id_aa64mmfr0_el1));
	u64 sl0 = ipa_bits > 43 ? 2 : 1;

	return BIT(31) | min_u64(parange, 5) << 16 | 3ull << 12 | 1ull << 10 | 1ull << 8 |
	       sl0 << 6 | (64 - ipa_bits);
}

void guest_regs_reset(struct guest_regs *regs, unsigned int vcpu_index)
{
	memset(regs, 0, sizeof(*regs));
	regs->pstate = PSR_EL1H | PSR_DAIF;
	regs->el1.sctlr = SCTLR_EL1_RESET;
	/* Affinity as KVM's vGIC has it: 16 vCPUs to a cluster. */
	regs->mpidr = BIT(31) | (vcpu_index & 0xf) | (u64)((vcpu_index >> 4) & 0xff) << 8;
}

/* Without SCTLR_EL1 and TCR_EL1, which turn translation on: last in, see spec_at_enable(). */
#define EL1_SWITCH(op, r)                                                                         \
	op((r)->cpacr, cpacr_el1) op((r)->ttbr0, ttbr0_el1) op((r)->ttbr1, ttbr1_el1) op(         \
		(r)->mair, mair_el1) op((r)->amair, amair_el1) op((r)->vbar, vbar_el1)            \
		op((r)->contextidr, contextidr_el1) op((r)->esr, esr_el1) op((r)->far, far_el1)   \
			op((r)->afsr0, afsr0_el1) op((r)->afsr1, afsr1_el1) op((r)->elr, elr_el1) \
				op((r)->spsr, spsr_el1) op((r)->par, par_el1)                     \
					op((r)->cntkctl, cntkctl_el1) op((r)->sp_el0, sp_el0)     \
						op((r)->sp_el1, sp_el1) op((r)->tpidr_el0,        \
									   tpidr_el0)             \
							op((r)->tpidrro_el0, tpidrro_el0)         \
								op((r)->tpidr_el1, tpidr_el1)
#define SAVE(field, reg) (field) = read_sysreg(reg);
#define LOAD(field, reg) write_sysreg(field, reg);

static void el1_save(struct el1_regs *r)
{
	r->sctlr = read_sysreg(sctlr_el1);
	r->tcr = read_sysreg(tcr_el1);
	EL1_SWITCH(SAVE, r)
}

static void el1_load(const struct el1_regs *r)
{
	EL1_SWITCH(LOAD, r)
}

/* APIA, APIB, APDA, APDB, APGA: Key Lo, Key Hi. */
#define PAUTH_SWITCH(op, p)                                                                       \
	op((p)->key[0], S3_0_C2_C1_0) op((p)->key[1], S3_0_C2_C1_1) op((p)->key[2], S3_0_C2_C1_2) \
		op((p)->key[3], S3_0_C2_C1_3) op((p)->key[4], S3_0_C2_C2_0)                       \
			op((p)->key[5], S3_0_C2_C2_1) op((p)->key[6], S3_0_C2_C2_2)               \
				op((p)->key[7], S3_0_C2_C2_3) op((p)->key[8], S3_0_C2_C3_0)       \
					op((p)->key[9], S3_0_C2_C3_1)

static void pauth_switch(struct pauth_keys *out, const struct pauth_keys *in)
{
	PAUTH_SWITCH(SAVE, out)
	PAUTH_SWITCH(LOAD, in)
}

static u64 guest_hcr(const struct guest_regs *regs)
{
	u64 hcr = GUEST_HCR;

	if (arch_has_fwb())
		hcr |= HCR_FWB;
	if (has_mte2)
		hcr |= HCR_TID5; /* GMID_EL1, which ATA = 0 does not trap */
	if (regs->uses_pauth)
		hcr |= HCR_API | HCR_APK;
	return hcr;
}

static u64 guest_cptr(const struct cpu *cpu)
{
	return GUEST_CPTR | (has_amu ? CPTR_TAM : 0) | (cpu->fp_owner ? 0 : CPTR_TFP);
}

/* A guest's FP/SIMD registers out of the CPU; nothing of them stays. */
static void fp_evict(struct cpu *cpu)
{
	static const struct fp_regs zero;

	if (!cpu->fp_owner)
		return;
	write_sysreg(CPTR_RES1, cptr_el2);
	isb();
	/* When all guests have ended, what is in memory has been scrubbed, or is about to be. */
	if (!vcpu_stopped())
		fp_save(&cpu->fp_owner->fp);
	fp_load(&zero);
	cpu->fp_owner = NULL;
}

void guest_use_fp(struct guest_regs *regs)
{
	struct cpu *cpu = this_cpu();

	write_sysreg(CPTR_RES1, cptr_el2);
	isb();
	/* The host has saved its own before it asked for an entry (vcpu_run.h). */
	fp_load(&regs->fp);
	cpu->fp_owner = regs;
	write_sysreg(guest_cptr(cpu), cptr_el2);
}

/* The host touched FP/SIMD while a guest's registers were in it. False: they were not. */
bool host_use_fp(struct cpu *cpu)
{
	if (!cpu->fp_owner)
		return false;
	fp_evict(cpu);
	write_sysreg(host_el2_cptr(cpu), cptr_el2);
	return true;
}

static void apr_save(struct gic_regs *gic)
{
	switch (nr_aprs) {
	case 4:
		gic->ap0r[3] = read_sysreg_s(SYS_ICH_AP0R3_EL2);
		gic->ap0r[2] = read_sysreg_s(SYS_ICH_AP0R2_EL2);
		gic->ap1r[3] = read_sysreg_s(SYS_ICH_AP1R3_EL2);
		gic->ap1r[2] = read_sysreg_s(SYS_ICH_AP1R2_EL2);
		/* fall through */
	case 2:
		gic->ap0r[1] = read_sysreg_s(SYS_ICH_AP0R1_EL2);
		gic->ap1r[1] = read_sysreg_s(SYS_ICH_AP1R1_EL2);
		/* fall through */
	default:
		gic->ap0r[0] = read_sysreg_s(SYS_ICH_AP0R0_EL2);
		gic->ap1r[0] = read_sysreg_s(SYS_ICH_AP1R0_EL2);
	}
}

static void apr_load(const struct gic_regs *gic)
{
	switch (nr_aprs) {
	case 4:
		write_sysreg_s(gic->ap0r[3], SYS_ICH_AP0R3_EL2);
		write_sysreg_s(gic->ap0r[2], SYS_ICH_AP0R2_EL2);
		write_sysreg_s(gic->ap1r[3], SYS_ICH_AP1R3_EL2);
		write_sysreg_s(gic->ap1r[2], SYS_ICH_AP1R2_EL2);
		/* fall through */
	case 2:
		write_sysreg_s(gic->ap0r[1], SYS_ICH_AP0R1_EL2);
		write_sysreg_s(gic->ap1r[1], SYS_ICH_AP1R1_EL2);
		/* fall through */
	default:
		write_sysreg_s(gic->ap0r[0], SYS_ICH_AP0R0_EL2);
		write_sysreg_s(gic->ap1r[0], SYS_ICH_AP1R0_EL2);
	}
}

void guest_load(struct guest_regs *regs)
{
	this_cpu()->guest = regs;
	write_sysreg_s(regs->gic.vmcr, SYS_ICH_VMCR_EL2);
	apr_load(&regs->gic);
	/* A deferred error that the last guest made up for itself. */
	if (has_ras)
		write_sysreg_s(0, SYS_VDISR_EL2);
}

void guest_put(struct guest_regs *regs)
{
	struct cpu *cpu = this_cpu();

	regs->gic.vmcr = read_sysreg_s(SYS_ICH_VMCR_EL2);
	apr_save(&regs->gic);
	write_sysreg_s(0, SYS_ICH_VMCR_EL2);
	apr_load(&(struct gic_regs){ 0 });
	fp_evict(cpu);
	write_sysreg(host_el2_cptr(cpu), cptr_el2);
	cpu->guest = NULL;
}

bool guest_may_enter(void)
{
	const struct cpu *cpu = this_cpu();

	/*
	 * SVCR.SM or ZA: EL2 would lose it, or leave it where the guest's FP state belongs. A host that
	 * SME traps for has neither; and reading SVCR would trap here too.
	 */
	if (!has_sme || (host_el2_cptr(cpu) & CPTR_TSM))
		return true;
	return !(read_sysreg_s(SYS_SVCR) & 3);
}

#define FOR_EACH_LR(op)                                                                         \
	op(0, S3_4_C12_C12_0) op(1, S3_4_C12_C12_1) op(2, S3_4_C12_C12_2) op(3, S3_4_C12_C12_3) \
		op(4, S3_4_C12_C12_4) op(5, S3_4_C12_C12_5) op(6, S3_4_C12_C12_6)               \
			op(7, S3_4_C12_C12_7) op(8, S3_4_C12_C13_0) op(9, S3_4_C12_C13_1)       \
				op(10, S3_4_C12_C13_2) op(11, S3_4_C12_C13_3)                   \
					op(12, S3_4_C12_C13_4) op(13, S3_4_C12_C13_5)           \
						op(14, S3_4_C12_C13_6) op(15, S3_4_C12_C13_7)

static u64 lr_read(unsigned int n)
{
	switch (n) {
#define READ_LR(i, reg) \
	case i:         \
		return read_sysreg(reg);
		FOR_EACH_LR(READ_LR)
	}
	return 0;
}

static void lr_write(unsigned int n, u64 value)
{
	switch (n) {
#define WRITE_LR(i, reg)                  \
	case i:                           \
		write_sysreg(value, reg); \
		break;
		FOR_EACH_LR(WRITE_LR)
	}
}

void guest_arch_init_cpu(struct cpu *cpu)
{
	for (unsigned int i = 0; i < nr_lrs; i++)
		lr_write(i, 0);
	cpu->lrs_used = 0;
	write_sysreg_s(0, SYS_ICH_HCR_EL2);
	write_sysreg_s(0, SYS_ICH_VMCR_EL2);
	apr_load(&(struct gic_regs){ 0 });
}

static void gic_enter(struct cpu *cpu, const struct guest_entry *entry)
{
	for (unsigned int i = 0; i < entry->nr_lrs; i++)
		lr_write(i, entry->lr[i]);
	for (unsigned int i = entry->nr_lrs; i < cpu->lrs_used; i++)
		lr_write(i, 0);
	cpu->lrs_used = entry->nr_lrs;
	write_sysreg_s((entry->gic ? ICH_HCR_EN : 0) | (entry->gic_more ? ICH_HCR_UIE : 0),
		       SYS_ICH_HCR_EL2);
	/* ICC_SRE_EL1 is fixed for guests. */
	write_sysreg_s(cpu->host_el2.icc_sre & ~ICC_SRE_EL2_ENABLE, SYS_ICC_SRE_EL2);
}

static void gic_leave(struct cpu *cpu, struct guest_entry *entry)
{
	for (unsigned int i = 0; i < entry->nr_lrs; i++)
		entry->lr[i] = lr_read(i);
	write_sysreg_s(0, SYS_ICH_HCR_EL2);
	write_sysreg_s(cpu->host_el2.icc_sre, SYS_ICC_SRE_EL2);
}

/* Fine-grained traps at 0: everything newer than this hypervisor traps (those bits are n-bits). */
static void fgt_enter(void)
{
	if (!has_fgt)
		return;
	write_sysreg_s(0, SYS_HFGRTR_EL2);
	write_sysreg_s(0, SYS_HFGWTR_EL2);
	write_sysreg_s(0, SYS_HFGITR_EL2);
	write_sysreg_s(0, SYS_HDFGRTR_EL2);
	write_sysreg_s(0, SYS_HDFGWTR_EL2);
	if (has_fgt2) {
		write_sysreg_s(0, SYS_HFGRTR2_EL2);
		write_sysreg_s(0, SYS_HFGWTR2_EL2);
		write_sysreg_s(0, SYS_HFGITR2_EL2);
		write_sysreg_s(0, SYS_HDFGRTR2_EL2);
		write_sysreg_s(0, SYS_HDFGWTR2_EL2);
	}
}

/* Cache and bandwidth partitioning is none of a guest's business. */
static void mpam_enter(void)
{
	if (has_mpam)
		write_sysreg_s(this_cpu()->host_el2.mpam2 | MPAM2_TRAPS, SYS_MPAM2_EL2);
}

static void mpam_leave(const struct host_el2 *h)
{
	if (has_mpam)
		write_sysreg_s(h->mpam2, SYS_MPAM2_EL2);
}

static void fgt_leave(const struct host_el2 *h)
{
	if (!has_fgt)
		return;
	write_sysreg_s(h->fgt[0], SYS_HFGRTR_EL2);
	write_sysreg_s(h->fgt[1], SYS_HFGWTR_EL2);
	write_sysreg_s(h->fgt[2], SYS_HFGITR_EL2);
	write_sysreg_s(h->fgt[3], SYS_HDFGRTR_EL2);
	write_sysreg_s(h->fgt[4], SYS_HDFGWTR_EL2);
	if (has_fgt2) {
		write_sysreg_s(h->fgt[6], SYS_HFGRTR2_EL2);
		write_sysreg_s(h->fgt[7], SYS_HFGWTR2_EL2);
		write_sysreg_s(h->fgt[8], SYS_HFGITR2_EL2);
		write_sysreg_s(h->fgt[9], SYS_HDFGRTR2_EL2);
		write_sysreg_s(h->fgt[10], SYS_HDFGWTR2_EL2);
	}
}

/*
 * What would tell the host of the guest's time on the CPU: breakpoints, single-step, counters, statistical
 * profiling, trace, branch records. Buffers are drained first.
 */
static void watch_stop(struct cpu *cpu)
{
	cpu->host_mdscr = read_sysreg(mdscr_el1);
	write_sysreg(0, mdscr_el1);
	if (has_pmu) {
		cpu->host_pmcr = read_sysreg(pmcr_el0);
		write_sysreg(cpu->host_pmcr & ~PMCR_E, pmcr_el0);
	}
	if (has_spe) {
		cpu->host_pmscr = read_sysreg_s(SYS_PMSCR_EL1);
		write_sysreg_s(0, SYS_PMSCR_EL1);
		isb();
		__asm__ volatile("hint #17\n\tdsb nsh" ::: "memory"); /* PSB CSYNC */
	}
	if (has_trf) {
		cpu->host_trfcr = read_sysreg_s(SYS_TRFCR_EL1);
		write_sysreg_s(0, SYS_TRFCR_EL1);
		isb();
		__asm__ volatile("hint #18\n\tdsb nsh" ::: "memory"); /* TSB CSYNC */
	}
	if (has_brbe) {
		cpu->host_brbcr = read_sysreg_s(SYS_BRBCR_EL1);
		write_sysreg_s(0, SYS_BRBCR_EL1);
	}
}

static void watch_resume(const struct cpu *cpu)
{
	write_sysreg(cpu->host_mdscr, mdscr_el1);
	if (has_pmu)
		write_sysreg(cpu->host_pmcr, pmcr_el0);
	if (has_spe)
		write_sysreg_s(cpu->host_pmscr, SYS_PMSCR_EL1);
	if (has_trf)
		write_sysreg_s(cpu->host_trfcr, SYS_TRFCR_EL1);
	if (has_brbe)
		write_sysreg_s(cpu->host_brbcr, SYS_BRBCR_EL1);
}

void guest_enter(struct guest_regs *regs, const struct guest_world *world,
		 const struct guest_entry *entry)
{
	struct cpu *cpu = this_cpu();

	cpu->host_pc = read_sysreg(elr_el2);
	cpu->host_pstate = read_sysreg(spsr_el2);
	/* First: what profiling still has to write goes through the host's own tables. */
	watch_stop(cpu);
	el1_save(&cpu->host_el1);
	spec_at_disable(cpu->host_el1.sctlr, cpu->host_el1.tcr);
	el1_load(&regs->el1);
	if (regs->uses_pauth)
		pauth_switch(&cpu->host_pauth, &regs->pauth);

	gic_enter(cpu, entry);

	write_sysreg(world->cntvoff, cntvoff_el2);
	write_sysreg(CNTHCTL_EL1PCTEN, cnthctl_el2);
	write_sysreg(regs->cntv_cval, cntv_cval_el0);
	isb();
	write_sysreg(regs->cntv_ctl, cntv_ctl_el0);

	write_sysreg(regs->mpidr, vmpidr_el2);
	write_sysreg((cpu->host_el2.mdcr & MDCR_HPMN) | GUEST_MDCR, mdcr_el2);
	if (has_hcx)
		write_sysreg_s(0, SYS_HCRX_EL2);
	fgt_enter();
	mpam_enter();
	write_sysreg(world->vtcr, vtcr_el2);
	write_sysreg(world->vttbr, vttbr_el2);
	write_sysreg(guest_cptr(cpu), cptr_el2);
	write_sysreg(guest_hcr(regs), hcr_el2);
	write_sysreg((u64)guest_vectors, vbar_el2);
	spec_at_enable(regs->el1.sctlr, regs->el1.tcr);
}

enum guest_exit_kind guest_run(struct guest_regs *regs)
{
	enum guest_exit_kind kind;

	/* Not an AArch32 one, whatever was asked for. */
	regs->pstate &= ~PSR_AARCH32;
	kind = guest_switch(regs);
	if (kind == GUEST_EXIT_SYNC) {
		regs->esr = read_sysreg(esr_el2);
		regs->far = read_sysreg(far_el2);
		regs->hpfar = read_sysreg(hpfar_el2);
	}
	return kind;
}

bool guest_leave(struct guest_regs *regs, struct guest_entry *entry)
{
	struct cpu *cpu = this_cpu();
	const struct host_el2 *h = &cpu->host_el2;

	regs->cntv_ctl = read_sysreg(cntv_ctl_el0);
	regs->cntv_cval = read_sysreg(cntv_cval_el0);
	/* The line is low when the host looks: it hears of the timer by the run page. */
	write_sysreg(0, cntv_ctl_el0);
	/* When the guest wants to be woken is its own matter, unless it waits for that. */
	write_sysreg(0, cntv_cval_el0);
	write_sysreg(0, cntvoff_el2);
	write_sysreg(h->cnthctl, cnthctl_el2);

	gic_leave(cpu, entry);

	el1_save(&regs->el1);
	spec_at_disable(regs->el1.sctlr, regs->el1.tcr);
	el1_load(&cpu->host_el1);
	write_sysreg(cpu->host_pc, elr_el2);
	write_sysreg(cpu->host_pstate, spsr_el2);
	if (regs->uses_pauth)
		pauth_switch(&regs->pauth, &cpu->host_pauth);
	write_sysreg(h->vmpidr, vmpidr_el2);
	write_sysreg(h->mdcr, mdcr_el2);
	if (has_hcx)
		write_sysreg_s(h->hcrx, SYS_HCRX_EL2);
	fgt_leave(h);
	mpam_leave(h);
	write_sysreg(guest_vtcr(host_map.ia_bits), vtcr_el2);
	write_sysreg(host_map.vttbr, vttbr_el2);
	write_sysreg(host_el2_cptr(cpu), cptr_el2);
	write_sysreg(h->hcr | HCR_TSC | HCR_VM, hcr_el2);
	write_sysreg((u64)host_vectors, vbar_el2);
	spec_at_enable(cpu->host_el1.sctlr, cpu->host_el1.tcr);
	isb();
	watch_resume(cpu);

	return (regs->cntv_ctl & (CNTV_ENABLE | CNTV_IMASK | CNTV_ISTATUS)) ==
	       (CNTV_ENABLE | CNTV_ISTATUS);
}

/* After guest_enter(), before the first guest_run() or between two. */
void guest_use_pauth(struct guest_regs *regs)
{
	regs->uses_pauth = true;
	pauth_switch(&this_cpu()->host_pauth, &regs->pauth);
	write_sysreg(guest_hcr(regs), hcr_el2);
}

void guest_inject_sync(struct guest_regs *regs, u64 esr, u64 far)
{
	struct exception e =
		exception_entry(regs->pstate, read_sysreg(sctlr_el1), read_sysreg(vbar_el1), esr);

	write_sysreg(regs->pc, elr_el1);
	write_sysreg(regs->pstate, spsr_el1);
	write_sysreg(e.esr, esr_el1);
	write_sysreg(far, far_el1);
	regs->pc = e.pc;
	regs->pstate = e.pstate;
}

bool guest_fault_ipa(const struct guest_regs *regs, u64 *ipa)
{
	u64 fsc = FIELD_GET(ESR_FSC, regs->esr) & FSC_TYPE;
	u64 par, saved;

	if (fsc != FSC_PERMISSION || (regs->esr & ESR_S1PTW)) {
		*ipa = (regs->hpfar & GENMASK(43, 4)) << 8;
		return true;
	}
	/* HPFAR_EL2 is not set by permission faults of stage 2: ask stage 1. */
	saved = read_sysreg(par_el1);
	par = at_translate(regs->far);
	write_sysreg(saved, par_el1);
	if (par & 1)
		return false; /* the guest changed its tables meanwhile */
	*ipa = par & PTE_ADDR;
	return true;
}

u64 guest_timer_deadline(const struct guest_regs *regs, const struct guest_world *world)
{
	if ((regs->cntv_ctl & (CNTV_ENABLE | CNTV_IMASK)) != CNTV_ENABLE)
		return ~0ull;
	return regs->cntv_cval + world->cntvoff;
}
