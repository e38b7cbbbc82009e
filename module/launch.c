// SPDX-License-Identifier: GPL-2.0-only
/*
 * Late launch: the hypervisor under a kernel that is running (docs/architecture.md).
 */
#include "stockade.h"

#include <linux/cpu.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>

#include <asm/barrier.h>
#include <asm/cacheflush.h>

#include <stockade/launch_check.h>

#include "compat.h"
#include "hostcall.h"
#include "launch.h"
#include "timer.h"
#include "vgic.h"

extern const char stockade_hyp_image[], stockade_hyp_image_end[];

/*
 * The first pool: EL2's own tables, the host's stage 2, and some to begin with; more is given when it is
 * asked for.
 */
#define POOL_ORDER 7
/* The largest piece of the page array. */
#define ARRAY_ORDER MAX_PAGE_ORDER

/* Too little memory fails the launch: nothing is killed for it. */
#define HOLD_GFP (GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

#define HVC_GET_ICH_VTR 4

static bool allow_tos;
module_param(allow_tos, bool, 0444);
MODULE_PARM_DESC(
	allow_tos,
	"let calls of trusted-OS, SiP and OEM services pass: VMs' memory is then as safe as "
	"the secure world makes it");

static struct stockade_launch *args;
static void *image;
static u32 image_size;
/* What the hypervisor holds, in whole allocations. */
static LIST_HEAD(held_pages); /* page->lru; page->private is the order */
static DEFINE_SPINLOCK(held_lock);
static bool launched;

bool stockade_launched(void)
{
	return READ_ONCE(launched);
}

void stockade_pool_page_given(struct page *page, unsigned int order)
{
	spin_lock(&held_lock);
	set_page_private(page, order);
	list_add(&page->lru, &held_pages);
	spin_unlock(&held_lock);
}

static void free_held_pages(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &held_pages, lru) {
		unsigned int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		memset(page_address(page), 0, PAGE_SIZE << order);
		__free_pages(page, order);
	}
}

static void clean_to_poc(const void *start, size_t size)
{
	u64 line = 4ull << ((read_sysreg(ctr_el0) >> 16) & 0xf);
	u64 p = (u64)start & ~(line - 1);

	for (; p < (u64)start + size; p += line)
		asm volatile("dc civac, %0" : : "r"(p) : "memory");
	dsb(sy);
}

static int add_ram(struct resource *res, void *unused)
{
	u64 base = ALIGN(res->start, PAGE_SIZE);
	u64 end = ALIGN_DOWN(res->end + 1, PAGE_SIZE);

	if (base >= end)
		return 0;
	if (args->nr_ram == STOCKADE_MAX_RAM) {
		pr_err("RAM is in more than %u pieces\n", STOCKADE_MAX_RAM);
		return -ENODEV;
	}
	if (end > STOCKADE_MAX_PHYS) {
		pr_err("there is RAM above 0x%llx, which is not supported\n", STOCKADE_MAX_PHYS);
		return -ENODEV;
	}
	args->ram[args->nr_ram++] = (struct stockade_range){ base, end - base };
	return 0;
}

static int find_ram(void)
{
	int err = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
				      -1, NULL, add_ram);

	if (!err && !args->nr_ram) {
		pr_err("no RAM is listed in /proc/iomem\n");
		err = -ENODEV;
	}
	return err;
}

static struct page *hold_pages(unsigned int order)
{
	struct page *page = alloc_pages(HOLD_GFP, order);

	if (page)
		stockade_pool_page_given(page, order);
	return page;
}

/* The page array, by the largest pieces that are to be had. */
static int hold_array(void)
{
	unsigned int order = ARRAY_ORDER;
	u64 need = 0;
	u32 i;

	for (i = 0; i < args->nr_ram; i++)
		need += stockade_array_pages(args->ram[i].base, args->ram[i].size);
	while (need) {
		struct page *page;

		while (order && (1ull << order) > need)
			order--;
		page = hold_pages(order);
		if (!page && order) {
			order--;
			continue;
		}
		if (!page || args->nr_array == STOCKADE_MAX_PIECES)
			return -ENOMEM;
		args->array[args->nr_array++] =
			(struct stockade_range){ page_to_phys(page), PAGE_SIZE << order };
		need -= 1ull << order;
	}
	return 0;
}

static int hold_cpus(void)
{
	unsigned int cpu;

	args->nr_cpus = nr_cpu_ids;
	for_each_possible_cpu(cpu) {
		void *pages;
		u64 mpidr;
		int err = stockade_cpu_mpidr(cpu, &mpidr);

		if (err)
			return err;
		args->cpu[cpu].mpidr = mpidr;
		pages = alloc_pages_exact(STOCKADE_CPU_PAGES * PAGE_SIZE, HOLD_GFP);
		if (!pages)
			return -ENOMEM;
		args->cpu[cpu].pages = virt_to_phys(pages);
		clean_to_poc(pages, STOCKADE_CPU_PAGES * PAGE_SIZE);
	}
	return 0;
}

static void free_cpus(void)
{
	unsigned int cpu;

	for (cpu = 0; cpu < args->nr_cpus; cpu++) {
		void *pages = phys_to_virt(args->cpu[cpu].pages);

		if (!args->cpu[cpu].pages)
			continue;
		memset(pages, 0, STOCKADE_CPU_PAGES * PAGE_SIZE);
		free_pages_exact(pages, STOCKADE_CPU_PAGES * PAGE_SIZE);
	}
}

static int hold_pool(void)
{
	struct page *page = hold_pages(POOL_ORDER);

	if (!page)
		return -ENOMEM;
	args->pool[0] = (struct stockade_range){ page_to_phys(page), PAGE_SIZE << POOL_ORDER };
	args->nr_pool = 1;
	clean_to_poc(page_address(page), PAGE_SIZE << POOL_ORDER);
	return 0;
}

static int copy_image(void)
{
	const struct stockade_image *header = (const void *)stockade_hyp_image;

	if (!stockade_image_is_good(header, stockade_hyp_image_end - stockade_hyp_image)) {
		pr_err("the hypervisor in this module is not one of ABI %u\n",
		       STOCKADE_ABI_VERSION);
		return -EINVAL;
	}
	image_size = header->mem_size;
	image = alloc_pages_exact(image_size, HOLD_GFP);
	if (!image)
		return -ENOMEM;
	memcpy(image, stockade_hyp_image, header->file_size);
	clean_to_poc(image, image_size);
	caches_clean_inval_pou((unsigned long)image, (unsigned long)image + image_size);
	args->image = virt_to_phys(image);
	return 0;
}

static void release_all(void)
{
	free_held_pages();
	if (image) {
		memset(image, 0, image_size);
		free_pages_exact(image, image_size);
		image = NULL;
	}
	if (args) {
		free_cpus();
		free_pages_exact(args, sizeof(*args));
		args = NULL;
	}
}

static int hold_all(void)
{
	int err;

	args = alloc_pages_exact(sizeof(*args), HOLD_GFP);
	if (!args)
		return -ENOMEM;
	args->abi_version = STOCKADE_ABI_VERSION;
	args->vtimer_intid = stockade_vtimer_intid;
	args->flags = allow_tos ? STOCKADE_LAUNCH_ALLOW_TOS : 0;
	args->panic_entry = (u64)stockade_el2_panic;
	args->log = stockade_log_page();
	err = find_ram();
	if (err)
		return err;
	err = hold_array();
	if (!err)
		err = hold_pool();
	if (!err)
		err = hold_cpus();
	if (!err)
		err = copy_image();
	if (err == -ENOMEM)
		pr_err("too little memory: about %llu MiB in pieces of up to 4 MiB are needed\n",
		       ((u64)totalram_pages() * 8 >> 20) + 1);
	if (!err)
		clean_to_poc(args, sizeof(*args));
	return err;
}

/* A function for each online CPU in turn, on that CPU, interrupts masked; stops at the first error. */
struct cpu_step {
	int (*step)(void);
	int err;
};

static void run_step(void *data)
{
	struct cpu_step *s = data;
	unsigned long flags;

	local_irq_save(flags);
	s->err = s->step();
	local_irq_restore(flags);
}

static int on_each_online_cpu(int (*step)(void))
{
	struct cpu_step s = { .step = step };
	unsigned int cpu;

	for_each_online_cpu(cpu) {
		int err = smp_call_function_single(cpu, run_step, &s, true);

		if (err || s.err)
			return err ?: s.err;
	}
	return 0;
}

static cpumask_t in_el2;

static int enter_this_cpu(void)
{
	const struct stockade_image *header = image;
	unsigned int cpu = smp_processor_id();
	s64 status = stockade_soft_restart(args->image + header->entry, virt_to_phys(args), cpu);

	if (status)
		return stockade_errno(status);
	cpumask_set_cpu(cpu, &in_el2);
	return 0;
}

static int leave_this_cpu(void)
{
	if (!cpumask_test_and_clear_cpu(smp_processor_id(), &in_el2) && !launched)
		return 0;
	return stockade_hc_unlaunch_cpu();
}

static void read_nr_lrs(void)
{
	register u64 x0 asm("x0") = HVC_GET_ICH_VTR;
	register u64 x1 asm("x1") = 0;

	asm volatile("hvc #0" : "+r"(x0), "+r"(x1) : : "x2", "x3", "memory");
	stockade_nr_lrs = min_t(unsigned int, (x1 & 0x1f) + 1, STOCKADE_RUN_MAX_LRS);
}

static void say_failure(int err)
{
	/* Of sealing alone. */
	if (err == -EAGAIN)
		pr_err("memory may be shared with the secure world: unload the FF-A drivers (optee, ffa-module), load "
		       "them after stockade\n");
	else
		pr_err("the hypervisor did not start (error %d)\n", err);
}

bool stockade_allows_tos(void)
{
	return allow_tos;
}

int stockade_launch(void)
{
	int err;

	/* No CPU comes or goes until all are in. */
	cpus_read_lock();
	err = stockade_check();
	if (!err)
		err = hold_all();
	if (err) {
		release_all();
		cpus_read_unlock();
		return err;
	}
	err = on_each_online_cpu(enter_this_cpu);
	if (!err)
		err = stockade_hc_seal();
	if (!err)
		err = on_each_online_cpu(stockade_hc_protect_cpu);
	if (err) {
		say_failure(err);
		if (!cpumask_empty(&in_el2) && !stockade_hc_unlaunch())
			on_each_online_cpu(leave_this_cpu);
		release_all();
		cpus_read_unlock();
		return err == -EAGAIN ? -EBUSY : err;
	}
	read_nr_lrs();
	WRITE_ONCE(launched, true);
	cpus_read_unlock();

	/* The hypervisor has read them for the last time. */
	stockade_log_flush();
	pr_info("EL2 is ours on %u of %u CPUs\n", num_online_cpus(), num_possible_cpus());
	return 0;
}

int stockade_unload(void)
{
	int err;

	cpus_read_lock();
	err = stockade_launched() ? stockade_hc_unlaunch() : -ENODEV;
	if (!err) {
		stockade_log_flush();
		on_each_online_cpu(leave_this_cpu);
		cpumask_clear(&in_el2);
		WRITE_ONCE(launched, false);
		release_all();
		pr_info("EL2 is the kernel's again\n");
	}
	cpus_read_unlock();
	return err;
}
