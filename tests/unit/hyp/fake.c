// SPDX-License-Identifier: GPL-2.0-only
/* The build machine's arch itself: does it notice what it is there to notice? */
#include <pthread.h>
#include <unistd.h>

#include "arch/cache.h"
#include "arch/table.h"
#include "arch/tlb.h"
#include "hyptest.h"

/* The launched machine is consistent: every page, table and pool. */
static void launch_leaves_a_consistent_machine(void)
{
	fake_check();
	assert_state(fake.launch.pool[0].base, PAGE_HYP);
	assert_state(fake.launch.log, PAGE_HOST_SHARED);
	assert_host_lost(fake.launch.image);
	assert_host_has(fake.launch.log);
}

static void touch(pa_t pa)
{
	*(volatile u64 *)hyp_va(pa);
}

/* EL2 can't touch what its own tables don't map. */
static void unmapped_access_is_noticed(void)
{
	touch(fake.launch.pool[0].base);
	assert_complains(touch(host_page()));
}

static void write_to(const void *va)
{
	*(volatile u64 *)va = 1;
}

/* EL2 can't write where its tables say read-only. */
static void read_only_is_read_only(void)
{
	pa_t pa = host_page();
	struct want want;
	unsigned int level;
	u64 *entry;

	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	entry = pgtable_find(&hyp_map, HYP_LINEAR_BASE + pa, &level);
	pgtable_set(&hyp_map, entry, HYP_LINEAR_BASE + pa, pte_leaf(pa, 3, HYP_RO));
	touch(pa);
	assert_complains(write_to(hyp_va(pa)));
	pgtable_set(&hyp_map, entry, HYP_LINEAR_BASE + pa, pte_leaf(pa, 3, HYP_RW));
	hyp_donate_host(pa);
}

/* A forgotten flush at EL2 shows. */
static void stale_hyp_tlb_is_noticed(void)
{
	pa_t pa = host_page();
	struct want want;
	unsigned int level;
	u64 *entry, old;

	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	touch(pa);
	entry = pgtable_find(&hyp_map, HYP_LINEAR_BASE + pa, &level);
	old = *entry;
	table_write(entry, 0);
	touch(pa); /* still there */
	assert_complains(fake_tlb_check());
	tlb_flush_hyp(HYP_LINEAR_BASE + pa);
	assert_complains(touch(pa));
	table_write(entry, old);
	hyp_table_write_barrier();
	hyp_donate_host(pa);
}

/* Locks as hyp/lib/lock_order.h has them, without the rest of the machine. */
static struct {
	struct vm_lock vm;
	struct guest_mem_lock guest_mem;
	struct ffa_lock ffa;
	struct mem_lock mem;
	struct log_lock log;
	struct table_lock table;
	struct psci_lock psci;
	struct smc_lock smc;
} locks;

static void take(enum lock_class wanted)
{
	switch (wanted) {
	case LOCK_vm:
		spin_lock(&locks.vm);
		break;
	case LOCK_guest_mem:
		spin_lock(&locks.guest_mem);
		break;
	case LOCK_ffa:
		spin_lock(&locks.ffa);
		break;
	case LOCK_mem:
		spin_lock(&locks.mem);
		break;
	case LOCK_log:
		spin_lock(&locks.log);
		break;
	case LOCK_table:
		spin_lock(&locks.table);
		break;
	case LOCK_psci:
		spin_lock(&locks.psci);
		break;
	case LOCK_smc:
		spin_lock(&locks.smc);
		break;
	case NR_LOCK_CLASSES:
		fail();
	}
}

static void all_free(void)
{
	memset(&locks, 0, sizeof(locks));
	mem_lock = (struct mem_lock){ 0 };
	fake_lock_reset();
}

static void take_twice(void)
{
	spin_lock(&mem_lock);
	spin_lock(&mem_lock);
}

static void take_two_of_a_class(void)
{
	struct vm_lock another = { 0 };

	spin_lock(&locks.vm);
	spin_lock(&another);
}

/* A lock is taken once, and one of a class. */
static void double_taking_is_noticed(void)
{
	assert_complains(take_twice());
	assert_complains(fake_check());
	all_free();
	assert_complains(take_two_of_a_class());
	all_free();
}

static void try_under(enum lock_class held, enum lock_class wanted, bool may)
{
	take(held);
	if (may)
		take(wanted);
	else
		assert_complains(take(wanted));
	all_free();
}

/* Under each lock only those can be taken that docs/architecture.md has further in. */
static void lock_order_is_kept(void)
{
	/* By the class that is held. */
	static const u32 allowed[NR_LOCK_CLASSES] = {
		[LOCK_vm] = 1u << LOCK_guest_mem | 1u << LOCK_mem | 1u << LOCK_log,
		[LOCK_guest_mem] = 1u << LOCK_mem | 1u << LOCK_log,
		[LOCK_ffa] = 1u << LOCK_mem | 1u << LOCK_log,
		[LOCK_mem] = 1u << LOCK_log,
		[LOCK_table] = 1u << LOCK_log,
		[LOCK_psci] = 1u << LOCK_log,
		[LOCK_smc] = 1u << LOCK_log,
	};

	for (unsigned int held = 0; held < NR_LOCK_CLASSES; held++)
		for (unsigned int wanted = 0; wanted < NR_LOCK_CLASSES; wanted++)
			try_under(held, wanted, allowed[held] & 1u << wanted);
}

/* No page is zeroed or cleaned under a lock that everybody needs. */
static void page_work_under_a_lock_is_noticed(void)
{
	static const bool may[NR_LOCK_CLASSES] = {
		[LOCK_vm] = true, [LOCK_guest_mem] = true, [LOCK_ffa] = true
	};
	struct want want;
	pa_t pa = host_page();

	assert_ret(host_donate_hyp(pa, 1, &want), 0);
	for (unsigned int held = 0; held < NR_LOCK_CLASSES; held++) {
		take(held);
		if (may[held]) {
			clear_and_clean_page(hyp_va(pa));
		} else {
			assert_complains(clear_page(hyp_va(pa)));
			assert_complains(dcache_clean_inval_poc(hyp_va(pa), PAGE_SIZE));
		}
		all_free();
	}
	hyp_donate_host(pa);
}

static void give_back_in_the_order_of_taking(void)
{
	spin_lock(&locks.guest_mem);
	spin_lock(&locks.mem);
	spin_unlock(&locks.guest_mem);
}

/* Only what is held can be given back, and by who holds it; the last one first. */
static void wrong_unlock_is_noticed(void)
{
	assert_complains(spin_unlock(&locks.mem));
	spin_lock(&locks.mem);
	fake_cpu(1);
	assert_complains(spin_unlock(&locks.mem));
	fake_cpu(0);
	spin_unlock(&locks.mem);
	assert_complains(spin_unlock(&locks.mem));
	assert_complains(give_back_in_the_order_of_taking());
	all_free();
}

/* No lock is held when a call is over. */
static void lock_held_at_the_end_is_noticed(void)
{
	spin_lock(&locks.vm);
	assert_complains(fake_check());
	assert_complains(fake_lock_check_cpu());
	fake_cpu(1);
	fake_lock_check_cpu();
	assert_complains(fake_lock_check());
	fake_cpu(0);
	spin_unlock(&locks.vm);
	fake_lock_check();
}

static bool noticed_by_thread[3];

static void *misuse_as_cpu_1(void *arg)
{
	(void)arg;
	fake_cpu(1);
	/* Waits for CPU 0. */
	spin_lock(&locks.mem);
	complaint_expected = true;
	if (setjmp(complaint_jump))
		noticed_by_thread[0] = true;
	else
		spin_lock(&locks.mem);
	complaint_expected = true;
	if (setjmp(complaint_jump))
		noticed_by_thread[1] = true;
	else
		spin_lock(&locks.guest_mem);
	complaint_expected = true;
	if (setjmp(complaint_jump))
		noticed_by_thread[2] = true;
	else
		fake_lock_check_cpu();
	complaint_expected = false;
	spin_unlock(&locks.mem);
	return NULL;
}

/* The same with CPUs that are threads: a taken lock is waited for, and misuse is noticed. */
static void lock_misuse_by_threads_is_noticed(void)
{
	pthread_t thread;

	fake.threads = true;
	spin_lock(&locks.mem);
	assert_int_equal(pthread_create(&thread, NULL, misuse_as_cpu_1, NULL), 0);
	usleep(20000);
	/* It has not got it. */
	assert_int_equal(locks.mem.spin.holder, 1);
	spin_unlock(&locks.mem);
	assert_int_equal(pthread_join(thread, NULL), 0);
	fake.threads = false;
	for (unsigned int i = 0; i < ARRAY_SIZE(noticed_by_thread); i++)
		assert_true(noticed_by_thread[i]);
	fake_lock_check();
}

/* A page that two claim, or that is mapped for whom it does not belong to, shows. */
static void inconsistency_is_noticed(void)
{
	pa_t pa = host_page();

	fake_page(pa)->state = PAGE_HYP;
	assert_complains(fake_check());
	fake_page(pa)->state = PAGE_HOST;
	fake_page(pa)->gfn = 1;
	assert_complains(fake_check());
	fake_page(pa)->gfn = 0;
	hyp_pool.free++;
	assert_complains(fake_check());
	hyp_pool.free--;
	page_nr_hyp--;
	assert_complains(fake_check());
	page_nr_hyp++;
}

/* A copy sees a change of one byte, in RAM or in the hypervisor's own variables. */
static void copies_notice_changes(void)
{
	struct fake_copy *copy = fake_copy();

	assert_null(fake_differs(copy));
	copy = fake_copy();
	*(u8 *)fake_ram(0x41403fff - 0x1000) ^= 1;
	assert_non_null(fake_differs(copy));
#ifndef FAKE_COVERAGE
	copy = fake_copy();
	page_nr_hyp ^= 1;
	assert_non_null(fake_differs(copy));
	page_nr_hyp ^= 1;
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(launch_leaves_a_consistent_machine),
		hyp_test(unmapped_access_is_noticed),
		hyp_test(read_only_is_read_only),
		hyp_test(stale_hyp_tlb_is_noticed),
		hyp_test(double_taking_is_noticed),
		hyp_test(lock_order_is_kept),
		hyp_test(page_work_under_a_lock_is_noticed),
		hyp_test(wrong_unlock_is_noticed),
		hyp_test(lock_held_at_the_end_is_noticed),
		hyp_test(lock_misuse_by_threads_is_noticed),
		hyp_test(inconsistency_is_noticed),
		hyp_test(copies_notice_changes),
	};

	return RUN("hyp-fake", tests);
}
