// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ioport.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "attack.h"

#define NR_OWN	  1024u /* singles */
#define NR_POOL	  256u	/* for the hypervisor's pool */
#define NR_BLOCKS 4u	/* of 512 */
#define ORDER	  4u
#define NR_TAKE	  2048u
#define MAX_HYP	  65536u
#define MAX_VICTM 64u

u64 ram_end_pfn;
long (*write_nofault)(void *dst, const void *src, size_t size);

static u64 *own, pool[NR_POOL >> ORDER], block[NR_BLOCKS];
static u64 *hyp, victim[MAX_VICTM], log_page;
static unsigned int nr_hyp, nr_victim;
static atomic_t next_own, next_pool, next_block;
static u64 take_base[NR_TAKE / 512];
static unsigned int taken; /* of take_base's pages; guarded by take_lock */
static DEFINE_SPINLOCK(take_lock);

static u64 get(unsigned int order)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, order);

	return page ? page_to_pfn(page) : 0;
}

/* By way of a probe, since it is not exported. */
static void *find_symbol(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *addr;

	if (register_kprobe(&probe))
		return NULL;
	addr = probe.addr;
	unregister_kprobe(&probe);
	return addr;
}

static int add_ram(struct resource *res, void *unused)
{
	ram_end_pfn = max_t(u64, ram_end_pfn, (res->end + 1) >> PAGE_SHIFT);
	return 0;
}

int pages_init(void)
{
	phys_addr_t (*log)(void) = find_symbol("stockade_log_page");
	unsigned int i;
	u64 pfn = 0;

	own = kvmalloc_array(NR_OWN, sizeof(*own), GFP_KERNEL);
	hyp = kvmalloc_array(MAX_HYP, sizeof(*hyp), GFP_KERNEL);
	if (!own || !hyp)
		return -ENOMEM;
	for (i = 0; i < NR_OWN; i++) {
		if (i % (1 << ORDER) == 0)
			pfn = get(ORDER);
		if (!pfn)
			return -ENOMEM;
		own[i] = pfn + i % (1 << ORDER);
	}
	for (i = 0; i < ARRAY_SIZE(pool); i++) {
		pool[i] = get(ORDER);
		if (!pool[i])
			return -ENOMEM;
	}
	for (i = 0; i < NR_BLOCKS; i++) {
		block[i] = get(9);
		if (!block[i])
			return -ENOMEM;
	}
	for (i = 0; i < ARRAY_SIZE(take_base); i++) {
		take_base[i] = get(9);
		if (!take_base[i])
			return -ENOMEM;
	}
	walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0, -1, NULL,
			    add_ram);
	write_nofault = find_symbol("copy_to_kernel_nofault");
	if (!write_nofault)
		return -ENOENT;
	if (log)
		log_page = log() >> PAGE_SHIFT;
	return 0;
}

u64 own_pfn(struct rnd_state *rnd)
{
	return own[prandom_u32_state(rnd) % NR_OWN];
}

u64 own_next_pfn(void)
{
	return own[(u32)atomic_inc_return(&next_own) % NR_OWN];
}

u64 own_pool_pfn(void)
{
	return pool[(u32)atomic_inc_return(&next_pool) % ARRAY_SIZE(pool)];
}

u64 own_block_pfn(void)
{
	return block[(u32)atomic_inc_return(&next_block) % NR_BLOCKS];
}

u64 take_pfn(unsigned int order)
{
	u64 pfn = 0;

	spin_lock(&take_lock);
	taken = ALIGN(taken, 1 << order);
	if (taken + (1 << order) <= NR_TAKE)
		pfn = take_base[taken / 512] + taken % 512;
	taken += 1 << order;
	spin_unlock(&take_lock);
	return pfn;
}

unsigned int take_mark(void)
{
	return READ_ONCE(taken);
}

void take_back(unsigned int mark)
{
	spin_lock(&take_lock);
	taken = mark;
	spin_unlock(&take_lock);
}

u64 hyp_pfn(struct rnd_state *rnd)
{
	return nr_hyp ? hyp[prandom_u32_state(rnd) % nr_hyp] : 0;
}

u64 victim_pfn(struct rnd_state *rnd)
{
	return nr_victim ? victim[prandom_u32_state(rnd) % nr_victim] : 0;
}

void add_victim_pfn(u64 pfn)
{
	if (nr_victim < MAX_VICTM)
		victim[nr_victim++] = pfn;
}

u64 log_pfn(void)
{
	return log_page;
}

unsigned long own_lost(void)
{
	unsigned long lost = 0, word;
	unsigned int i;

	for (i = 0; i < NR_OWN; i++)
		lost += !!copy_from_kernel_nofault(&word, pfn_to_kaddr(own[i]), sizeof(word));
	for (i = 0; i < NR_BLOCKS * 512; i++)
		lost += !!copy_from_kernel_nofault(&word, pfn_to_kaddr(block[i / 512] + i % 512),
						   sizeof(word));
	return lost;
}

/* To be done while no VM is there: reading a guest's page would take it away. */
int scan_hyp(struct seq_buf *out)
{
	unsigned long scanned = 0, written = 0, data = 0, word;
	u64 pfn;

	nr_hyp = 0;
	for (pfn = 0; pfn < ram_end_pfn; pfn++) {
		if (!pfn_valid(pfn) || !page_is_ram(pfn) || PageReserved(pfn_to_page(pfn)))
			continue;
		scanned++;
		word = 0x5a5a;
		if (!copy_from_kernel_nofault(&word, pfn_to_kaddr(pfn), sizeof(word)))
			continue;
		data += word != 0x5a5a && word;
		written += !write_nofault(pfn_to_kaddr(pfn), &word, sizeof(word));
		if (nr_hyp < MAX_HYP)
			hyp[nr_hyp++] = pfn;
		cond_resched();
	}
	seq_buf_printf(out, "scanned %lu\nfaults %u\nwritten %lu\ndata %lu\n", scanned, nr_hyp,
		       written, data);
	return 0;
}
