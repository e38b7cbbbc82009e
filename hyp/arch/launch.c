// SPDX-License-Identifier: GPL-2.0-only
#include "arch/launch.h"

#include <stockade/launch_check.h>

#include "arch/cache.h"
#include "arch/host_el2.h"
#include "arch/layout.h"
#include "arch/sysreg.h"
#include "arch/tlb.h"
#include "host/psci.h"
#include "host/smc.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mem/host_map.h"
#include "mem/hyp_map.h"
#include "mem/page.h"
#include "vm/gic.h"

/* MAIR_EL2: index 0 normal, inner and outer write-back, read- and write-allocate. */
#define MAIR_NORMAL 0xffull
/* SCTLR_EL2: RES1 bits of Armv8.0; M, C, SA, I, WXN. */
#define SCTLR_EL2_RES1 0x30c50830ull
#define SCTLR_EL2_ON   (SCTLR_EL2_RES1 | BIT(0) | BIT(2) | BIT(3) | BIT(12) | BIT(19))
/* TCR_EL2 (E2H = 0): RES1, 4 KiB granule, inner shareable, write-back walks. */
#define TCR_EL2_RES1 (BIT(31) | BIT(23))
#define TCR_EL2_SH   (3ull << 12)
#define TCR_EL2_WB   (1ull << 10 | 1ull << 8)

extern const char image_start[], launch_page_end[], text_end[], rodata_end[], image_end[];

u64 hyp_linear_base;
struct boot_params boot_params;
struct stockade_launch *launch_args;
unsigned int cpu_count;

static struct cpu *cpus[STOCKADE_MAX_CPUS];
static pa_t image_base;
static unsigned int phys_bits;

struct cpu *cpu_get(unsigned int index)
{
	return cpus[index];
}

struct stockade_range launch_image(void)
{
	return (struct stockade_range){ image_base, (u64)image_end - (u64)image_start };
}

unsigned int launch_phys_bits(void)
{
	return phys_bits;
}

pa_t image_pa(const void *in_image)
{
	return image_base + ((u64)in_image - HYP_IMAGE_BASE);
}

static unsigned int pa_bits(void)
{
	static const u8 bits[] = { 32, 36, 40, 42, 44, 48, 48 };
	u64 range = FIELD_GET(ID_MMFR0_PARANGE, read_sysreg(id_aa64mmfr0_el1));

	/* 52 bits take another descriptor format; RAM above 48 was refused. */
	return range < ARRAY_SIZE(bits) ? bits[range] : 48;
}

/*
 * Where the image lies, with the MMU off: the code is position-independent. To the compiler the address is a
 * constant. clang, which sees no other value stored in image_base, takes the address anew where that is read,
 * with the MMU on. So the compiler must not know where the value is from.
 */
static pa_t image_is_at(void)
{
	pa_t here = (u64)image_start;

	__asm__("" : "+r"(here));
	return here;
}

/*
 * The first CPU, MMU off, running where the image lies: build EL2's tables. Memory is uncached, and
 * exclusives don't work: no locks.
 */
int launch_early(struct stockade_launch *launch) NO_LOCK_CHECK
{
	pa_t here = image_is_at();
	struct hyp_image image = {
		.pa = here,
		.text_end = (u64)text_end - here,
		.rodata_end = (u64)rodata_end - here,
		.end = (u64)image_end - here,
	};
	pa_t pool_used;
	int ret;

	if (!stockade_launch_is_good(launch) || (u64)launch_page_end - here > PAGE_SIZE)
		return STOCKADE_EINVAL;
	ret = hyp_map_init(launch, &image);
	if (ret)
		return ret;
	/* The arguments are read once more, with the MMU on; unmapped by host_seal(). */
	if (!pgtable_map(&hyp_map, HYP_LINEAR_BASE + (u64)launch, (u64)launch,
			 ALIGN_UP(sizeof(*launch), PAGE_SIZE), HYP_RO))
		return STOCKADE_ENOMEM;

	image_base = here;
	phys_bits = pa_bits();
	hyp_linear_base = HYP_LINEAR_BASE;

	boot_params.mair = MAIR_NORMAL;
	boot_params.tcr = TCR_EL2_RES1 | TCR_EL2_SH | TCR_EL2_WB | (64 - HYP_VA_BITS) |
			  min_u64(FIELD_GET(ID_MMFR0_PARANGE, read_sysreg(id_aa64mmfr0_el1)), 5)
				  << 16;
	boot_params.sctlr = SCTLR_EL2_ON;
	boot_params.ttbr = hyp_map.root;

	/* Caches may hold older lines of what was just written past them. */
	pool_used = launch->pool[0].base;
	dcache_clean_inval_poc((void *)pool_used, hyp_pool.next - pool_used);
	dcache_clean_inval_poc((void *)here, image.end);
	return STOCKADE_OK;
}

/* The first CPU, still alone. */
static void init_once(const struct stockade_launch *launch) NO_LOCK_CHECK
{
	hyp_map_mmu_is_on();
	launch_args = hyp_va((u64)launch);
	log_init(hyp_va(launch_args->log));
	page_init(launch_args->ram, launch_args->nr_ram);
	cpu_count = launch_args->nr_cpus;
	for (unsigned int i = 0; i < cpu_count; i++) {
		struct cpu *cpu = hyp_va(launch_args->cpu[i].pages);

		clear_page(cpu);
		cpu->index = i;
		cpu->mpidr = launch_args->cpu[i].mpidr;
		cpu->power = CPU_OFF;
		cpus[i] = cpu;
	}
	panic_init(launch_args->panic_entry);
	guest_arch_init();
	vm_gic_init(launch_args->vtimer_intid);
}

/* Each CPU, MMU on, one after the other; the module sees to it that none is turned on or off meanwhile. */
int launch_cpu(const struct stockade_launch *launch, unsigned int index, u64 stub_vbar,
	       u64 stub_sctlr) NO_LOCK_CHECK
{
	struct cpu *cpu;

	if (!launch_args)
		init_once(launch);
	if (!host_el2_matches()) {
		log_line("CPU %u has other features than the first", index);
		return STOCKADE_EINVAL;
	}
	cpu = cpu_get(index);
	cpu->stub_vbar = stub_vbar;
	cpu->stub_sctlr = stub_sctlr;
	cpu->power = CPU_ON;
	cpu->launched = true;
	write_sysreg((u64)cpu, tpidr_el2);
	host_el2_capture(cpu);
	host_el2_enter(cpu);
	guest_arch_init_cpu(cpu);
	isb();
	return STOCKADE_OK;
}

int launch_protect_cpu(void)
{
	struct cpu *cpu = this_cpu();

	if (!host_map.root)
		return STOCKADE_EINVAL;
	smc_stop_sdei();
	cpu->protected = true;
	host_el2_enter(cpu);
	isb();
	/* What was cached without stage 2 carries the same VMID. */
	tlb_flush_s2_all(host_map.vttbr);
	return STOCKADE_OK;
}

void launch_cpu_on(struct cpu *cpu, struct host_regs *regs)
{
	const struct cpu *first = cpu_get(0);

	write_sysreg((u64)cpu, tpidr_el2);
	/* The stub is the same on every CPU, and so is what the kernel sets EL2 to. */
	for (unsigned int i = 0; i < cpu_count && !first->launched; i++)
		first = cpu_get(i);
	cpu->stub_vbar = first->stub_vbar;
	cpu->stub_sctlr = first->stub_sctlr;
	cpu->host_el2 = first->host_el2;
	cpu->host_el2.vmpidr = read_sysreg(mpidr_el1);
	cpu->host_el2.vpidr = read_sysreg(midr_el1);
	cpu->launched = true;
	cpu->protected = true;
	host_el2_enter(cpu);
	guest_arch_init_cpu(cpu);
	host_el2_reset_el1();
	/* TLBs are unknown out of reset. */
	__asm__ volatile("tlbi alle1\n\tdsb nsh\n\tisb" ::: "memory");
	psci_cpu_is_on(cpu, regs);
}

void launch_unload_cpu(void)
{
	struct cpu *cpu = this_cpu();

	cpu->protected = false;
	cpu->launched = false;
	host_el2_restore(cpu);
	isb();
	tlb_flush_s2_all(0);
}
