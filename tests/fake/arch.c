// SPDX-License-Identifier: GPL-2.0-only
/* What hyp/arch/ does with instructions: here it is recorded, or asked of the test. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/esr.h"
#include "arch/exception.h"
#include "arch/guest.h"
#include "arch/host_el2.h"
#include "arch/idreg.h"
#include "arch/launch.h"
#include "arch/layout.h"
#include "arch/random.h"
#include "arch/smc.h"
#include "fake.h"
#include "lib/panic.h"
#include "maint.h"
#include "mem/host_map.h"
#include "vm/exit.h"

static void print_and_abort(const char *why)
{
	fprintf(stderr, "%s\n", why);
	abort();
}

struct fake fake = { .failed = print_and_abort };

bool hyp_panicked;
unsigned int cpu_count;

jmp_buf fake_panic_jump;
bool fake_panic_expected;
char fake_panic_text[256];

static _Thread_local unsigned int cpu_index;
_Thread_local const struct fake_trap *fake_trap;
static struct cpu *cpus[FAKE_MAX_CPUS];

void fake_fail(const char *format, ...)
{
	static char why[512];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	fake.failed(why);
	abort();
}

void hyp_panic(const char *file, unsigned int line, const char *what)
{
	snprintf(fake_panic_text, sizeof(fake_panic_text), "%s:%u: %s", file, line, what);
	if (fake_panic_expected) {
		fake_panic_expected = false;
		longjmp(fake_panic_jump, 1);
	}
	fake_fail("EL2 panics at %s", fake_panic_text);
}

void panic_init(uint64_t entry)
{
	(void)entry;
}

void fake_record(enum fake_op_kind kind, u64 a, u64 b)
{
	if (fake.threads)
		return;
	if (fake.nr_ops < FAKE_MAX_OPS)
		fake.ops[fake.nr_ops] = (struct fake_op){ kind, a, b };
	fake.nr_ops++;
}

/* --- CPUs --- */

void fake_cpu(unsigned int index)
{
	cpu_index = index;
}

unsigned int fake_cpu_index(void)
{
	return cpu_index;
}

struct cpu *this_cpu(void)
{
	return cpus[cpu_index];
}

struct cpu *cpu_get(unsigned int index)
{
	if (fake.meanwhile)
		fake.meanwhile(index);
	return cpus[index];
}

u64 arch_idreg(unsigned int crm, unsigned int op2)
{
	return fake.idreg[crm][op2];
}

u64 arch_ctr(void)
{
	return fake.ctr;
}

u64 arch_clidr(void)
{
	return fake.clidr;
}

u64 arch_ccsidr(u64 csselr)
{
	return 0xcc51d000 + csselr;
}

u64 arch_counter(void)
{
	return fake.counter;
}

bool arch_has_pauth(void)
{
	return fake.has_pauth;
}

unsigned int arch_nr_lrs(void)
{
	return fake.nr_lrs;
}

bool arch_has_random(void)
{
	return fake.has_random;
}

bool arch_random(u64 *value)
{
	*value = fake.random_next;
	fake.random_next = fake.random_next * 6364136223846793005ull + 1442695040888963407ull;
	return fake.random_left && fake.random_left--;
}

void arch_scrub_stack(void)
{
	fake.stack_scrubs++;
}

/* --- guests --- */

void guest_arch_init(void)
{
}

void guest_regs_reset(struct guest_regs *regs, unsigned int vcpu_index)
{
	*regs = (struct guest_regs){ .pstate = PSR_EL1H | PSR_DAIF };
	regs->el1.sctlr = 0x30d00800;
	regs->mpidr = BIT(31) | (vcpu_index & 0xf) | (u64)(vcpu_index >> 4) << 8;
}

u64 guest_vtcr(unsigned int ipa_bits)
{
	return 64 - ipa_bits;
}

bool guest_may_enter(void)
{
	return fake.may_enter;
}

static void demand(bool ok, const char *what)
{
	if (!ok)
		fake_fail("%s", what);
}

void guest_load(struct guest_regs *regs)
{
	demand(!fake.loaded[cpu_index], "guest_load() over another");
	fake.loaded[cpu_index] = regs;
	maint_load(regs);
}

void guest_put(struct guest_regs *regs)
{
	demand(fake.loaded[cpu_index] == regs, "guest_put() of what is not loaded");
	demand(!fake.entered[cpu_index], "guest_put() while entered");
	fake.loaded[cpu_index] = NULL;
}

void guest_enter(struct guest_regs *regs, const struct guest_world *world,
		 const struct guest_entry *entry)
{
	demand(fake.loaded[cpu_index] == regs, "guest_enter() of what is not loaded");
	demand(!fake.entered[cpu_index], "guest_enter() twice");
	demand(entry->nr_lrs <= fake.nr_lrs, "more list registers than there are");
	fake.entered[cpu_index] = regs;
	if (!fake.threads)
		fake.entry = *entry;
	fake.world = world;
	fake.nr_entries++;
	fake_set_vttbr(world->vttbr);
}

enum guest_exit_kind guest_run(struct guest_regs *regs)
{
	enum guest_exit_kind kind;

	demand(fake.entered[cpu_index] == regs, "guest_run() of what is not entered");
	do {
		kind = fake.guest ? fake.guest(regs) : GUEST_EXIT_IRQ;
	} while (kind == GUEST_EXIT_SYNC && FIELD_GET(ESR_EC, regs->esr) == EC_HVC64 &&
		 vcpu_fast_call());
	return kind;
}

bool guest_leave(struct guest_regs *regs, struct guest_entry *entry)
{
	demand(fake.entered[cpu_index] == regs, "guest_leave() of what is not entered");
	fake.entered[cpu_index] = NULL;
	fake_set_vttbr(host_map.vttbr);
	for (u32 i = 0; i < entry->nr_lrs; i++)
		entry->lr[i] = fake.lr_out[i];
	return fake.timer_level;
}

void guest_use_fp(struct guest_regs *regs)
{
	demand(fake.entered[cpu_index] == regs, "guest_use_fp() of what is not entered");
	fake.nr_fp++;
}

void guest_use_pauth(struct guest_regs *regs)
{
	demand(fake.entered[cpu_index] == regs, "guest_use_pauth() of what is not entered");
	regs->uses_pauth = true;
	fake.nr_pauth++;
}

void guest_inject_sync(struct guest_regs *regs, u64 esr, u64 far)
{
	struct exception e = exception_entry(regs->pstate, regs->el1.sctlr, regs->el1.vbar, esr);

	demand(fake.entered[cpu_index] == regs, "guest_inject_sync() of what is not entered");
	regs->el1.elr = regs->pc;
	regs->el1.spsr = regs->pstate;
	regs->el1.esr = e.esr;
	regs->el1.far = far;
	regs->pc = e.pc;
	regs->pstate = e.pstate;
}

bool guest_fault_ipa(const struct guest_regs *regs, u64 *ipa)
{
	*ipa = (regs->hpfar & GENMASK(43, 4)) << 8;
	return !fake.fault_ipa_unknown;
}

u64 guest_timer_deadline(const struct guest_regs *regs, const struct guest_world *world)
{
	(void)regs;
	(void)world;
	return fake.timer_deadline;
}

/* --- the host --- */

u64 host_trap_esr(void)
{
	return fake_trap ? fake_trap->esr : fake.host_esr;
}

void host_abort_read(struct host_abort *abort)
{
	*abort = fake_trap ? fake_trap->abort : fake.abort;
}

void host_inject_fault(enum host_fault_kind kind)
{
	fake.faults[kind]++;
	fake.cpu_faults[cpu_index][kind]++;
}

void host_inject_undef(void)
{
	fake.undefs++;
}

void host_skip_instruction(void)
{
	fake.skipped++;
}

bool host_translate(u64 va, pa_t *pa)
{
	*pa = fake.text_pa + (va - fake.text_va);
	return va >= fake.text_va && va - fake.text_va < fake.text_size;
}

void host_set_entry(u64 pc)
{
	fake.host_entry = pc;
}

void host_step_start(void)
{
	fake.steps_started++;
}

void host_step_next(void)
{
	fake.steps++;
}

void host_step_stop(u64 mdcr)
{
	(void)mdcr;
	fake.steps_stopped++;
}

u64 host_ich_vtr(void)
{
	return 0x90180003;
}

bool host_use_fp(struct cpu *cpu)
{
	demand(cpu == this_cpu(), "host_use_fp() of another CPU");
	return fake.host_fp;
}

/* --- firmware --- */

void smc_forward(u64 *x)
{
	if (!fake.threads && fake.nr_smcs < FAKE_MAX_SMCS)
		memcpy(fake.smcs[fake.nr_smcs], x, sizeof(fake.smcs[0]));
	fake.nr_smcs++;
	if (fake.smc)
		fake.smc(x);
	else
		x[0] = 0;
}

/* --- launch --- */

const char launch_left[1], launch_restarted[1];

void launch_cpu_on_entry(void)
{
}

pa_t image_pa(const void *in_image)
{
	if (in_image == launch_cpu_on_entry)
		return FAKE_IMAGE;
	if (in_image == launch_left || in_image == launch_restarted)
		return in_image == launch_left ? FAKE_IMAGE + 0x100 : FAKE_IMAGE + 0x200;
	/* Data: the build machine's address will do. */
	return (pa_t)in_image;
}

void launch_unload_cpu(void)
{
	this_cpu()->protected = false;
	this_cpu()->launched = false;
}

/* They don't return: as an expected panic. */
__attribute__((noreturn)) static void leave(const char *how)
{
	demand(fake_panic_expected, how);
	fake_panic_expected = false;
	snprintf(fake_panic_text, sizeof(fake_panic_text), "%s", how);
	longjmp(fake_panic_jump, 1);
}

void launch_leave(const struct host_regs *regs, u64 stub_vbar, u64 stub_sctlr, pa_t code)
{
	(void)regs;
	(void)stub_vbar;
	(void)stub_sctlr;
	demand(code == FAKE_IMAGE + 0x100, "launch_leave() by way of other code");
	fake.left++;
	leave("launch_leave()");
}

void launch_restart(u64 stub_sctlr, u64 stub_vbar, pa_t entry, const u64 *args, pa_t code)
{
	(void)stub_sctlr;
	(void)stub_vbar;
	demand(code == FAKE_IMAGE + 0x200, "launch_restart() by way of other code");
	fake.restart_entry = entry;
	memcpy(fake.restart_args, args, sizeof(fake.restart_args));
	leave("launch_restart()");
}

int launch_protect_cpu(void)
{
	if (fake.protect_error)
		return fake.protect_error;
	this_cpu()->protected = true;
	fake_set_vttbr(host_map.vttbr);
	return STOCKADE_OK;
}

void fake_arch_reset(void)
{
	void (*failed)(const char *why) = fake.failed;

	memset(&fake, 0, sizeof(fake));
	fake.failed = failed;
	fake.may_enter = true;
	fake.has_pauth = true;
	fake.nr_lrs = 4;
	fake.ctr = 0xb444c004;
	fake.dczid = 4;
	fake.midr = 0x410fd0c1;
	fake.clidr = 0x0a200023;
	fake.counter = 0x123456789;
	fake.timer_deadline = ~0ull;
	hyp_panicked = false;
	cpu_count = 0;
	fake_panic_expected = false;
	memset(cpus, 0, sizeof(cpus));
	cpu_index = 0;
	fake_registers_reset();
}

void fake_add_cpu(struct cpu *cpu)
{
	cpus[cpu->index] = cpu;
}
