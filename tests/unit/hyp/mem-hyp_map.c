// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"

static void read_through(const volatile u64 *p)
{
	(void)*p;
}

/* EL2 maps its image W^X, each CPU's page and stack, with nothing on either side of the stacks. */
static void launch_maps_what_it_should(void)
{
	struct fake_leaf leaf;

	leaf = fake_walk(&hyp_map, HYP_IMAGE_BASE);
	assert_int_equal(leaf.pte, pte_leaf(fake.launch.image, 3, HYP_RX));
	leaf = fake_walk(&hyp_map, HYP_IMAGE_BASE + 3 * PAGE_SIZE);
	assert_int_equal(leaf.pte & ~PTE_ADDR, pte_leaf(0, 3, HYP_RO));
	leaf = fake_walk(&hyp_map, HYP_IMAGE_BASE + 4 * PAGE_SIZE);
	assert_int_equal(leaf.pte & ~PTE_ADDR, pte_leaf(0, 3, HYP_RW));
	leaf = fake_walk(&hyp_map, HYP_IMAGE_BASE + 6 * PAGE_SIZE);
	assert_false(leaf.valid);
	/* The page that turns the MMU on. */
	leaf = fake_walk(&hyp_map, fake.launch.image);
	assert_int_equal(leaf.pte, pte_leaf(fake.launch.image, 3, HYP_RX));
	assert_false(fake_walk(&hyp_map, fake.launch.image + PAGE_SIZE).valid);

	for (unsigned int i = 0; i < fake.launch.nr_cpus; i++) {
		u64 slot = HYP_STACK_BASE + i * HYP_STACK_SLOT;

		assert_false(fake_walk(&hyp_map, slot).valid);
		assert_int_equal(fake_walk(&hyp_map, slot + PAGE_SIZE).pa,
				 fake.launch.cpu[i].pages + PAGE_SIZE);
		assert_int_equal(fake_walk(&hyp_map, slot + 2 * PAGE_SIZE).pa,
				 fake.launch.cpu[i].pages + 2 * PAGE_SIZE);
		assert_false(fake_walk(&hyp_map, slot + 3 * PAGE_SIZE).valid);
		assert_true(fake_walk(&hyp_map, HYP_LINEAR_BASE + fake.launch.cpu[i].pages).valid);
		assert_false(
			fake_walk(&hyp_map, HYP_LINEAR_BASE + fake.launch.cpu[i].pages + PAGE_SIZE)
				.valid);
	}
}

/* Nothing of the host's is mapped at EL2, but the log. */
static void the_hosts_ram_is_not_mapped(void)
{
	u64 mapped = 0;

	for (pa_t pa = 0x40000000; pa < 0x42000000; pa += PAGE_SIZE) {
		const struct page *page = fake_page(pa);

		if (!page || !fake_walk(&hyp_map, HYP_LINEAR_BASE + pa).valid)
			continue;
		mapped++;
		if (page->state != PAGE_HYP)
			assert_int_equal(pa, fake.launch.log);
	}
	assert_int_equal(mapped, 4 + 64 + 8 + 1);
}

/*
 * An array that the pieces don't cover is refused. (Two ranges share a page of it, so that the loader's
 * sum is one page more than it takes.)
 */
static void too_small_an_array_is_refused(void)
{
	fake_power_on(NULL);
	fake.launch.nr_array -= 2;
	assert_ret(fake_launch(), STOCKADE_ENOMEM);
	fake_power_on(NULL);
	fake.launch.nr_array = 0;
	assert_ret(fake_launch(), STOCKADE_ENOMEM);
}

/* The array is one, in the order of RAM: its pieces' pages follow one another, and a shared page is used once. */
static void the_array_is_stitched_in_order(void)
{
	const struct stockade_launch *launch = &fake.launch;
	unsigned int piece = 0;
	u64 used = 0, last = 0;

	for (unsigned int i = 0; i < launch->nr_ram; i++) {
		for (pa_t pa = launch->ram[i].base; pa < launch->ram[i].base + launch->ram[i].size;
		     pa += PAGE_SIZE) {
			u64 va = (u64)hyp_array_va(pa) & PAGE_MASK;

			if (va == last)
				continue;
			last = va;
			assert_int_equal(fake_walk(&hyp_map, va).pa,
					 launch->array[piece].base + used);
			used += PAGE_SIZE;
			if (used == launch->array[piece].size) {
				piece++;
				used = 0;
			}
		}
	}
	/* One page is left, that of the entries that two ranges share. */
	assert_int_equal(piece, launch->nr_array - 1);
	assert_int_equal(launch->array[piece].size - used, PAGE_SIZE);
}

/* What is handed over ends where it says: what is written behind is not looked at. */
static void lists_end_where_they_say(void)
{
	const struct stockade_range junk = { 0x60000000, 8 * PAGE_SIZE };
	struct stockade_launch *launch = &fake.launch;
	u64 nr_hyp;

	fake_boot(NULL);
	nr_hyp = page_nr_hyp;
	fake_power_on(NULL);
	launch->ram[launch->nr_ram] = junk;
	launch->array[launch->nr_array] = junk;
	launch->pool[launch->nr_pool] = junk;
	launch->cpu[launch->nr_cpus].pages = junk.base;
	assert_ret(fake_launch(), 0);
	assert_int_equal(page_nr_hyp, nr_hyp);
	assert_false(fake_walk(&hyp_map, HYP_LINEAR_BASE + junk.base).valid);
	assert_false(fake_walk(&hyp_map, (u64)hyp_array_va(junk.base)).valid);
	assert_false(fake_walk(&hyp_map, HYP_STACK_BASE + 4 * HYP_STACK_SLOT + PAGE_SIZE).valid);
	fake_check();
}

/* A window shows the page while it is open, on this CPU, and nobody afterwards. */
static void a_window_shows_one_page(void)
{
	pa_t a = host_page(), b = host_page();
	volatile u64 *first, *second;

	*(u64 *)fake_ram(a) = 0xaaaa;
	*(u64 *)fake_ram(b) = 0xbbbb;
	fake.nr_ops = 0;
	first = window_open(a);
	/* A walk that begins now sees the entry. */
	assert_int_equal(fake.ops[0].kind, FAKE_DSB);
	assert_int_equal(fake.ops[0].a, FAKE_DSB_ishst);
	assert_int_equal(*first, 0xaaaa);
	fake_cpu(1);
	second = window_open(b);
	assert_ptr_not_equal(first, second);
	assert_int_equal(*second, 0xbbbb);
	assert_int_equal(*first, 0xaaaa);
	window_close();
	assert_complains(read_through(second));
	assert_int_equal(*first, 0xaaaa);
	fake_cpu(0);
	window_close();
	assert_complains(read_through(first));
	/* The next one does not see the last one's page. */
	first = window_open(b);
	assert_int_equal(*first, 0xbbbb);
	window_close();
}

/* One at a time: a second one is our own mistake. */
static void a_second_window_panics(void)
{
	window_open(host_page());
	assert_panics(window_open(host_page()));
	window_close();
}

/* A page is mapped and unmapped at EL2 with its tables, which go back to the pool. */
static void pages_come_and_go(void)
{
	pa_t far = 0x90000000; /* another GiB: two tables */
	u64 before = hyp_pool.free;

	spin_lock(&mem_lock);
	assert_int_equal(hyp_map_missing(far), 2);
	hyp_map_page(far);
	assert_int_equal(hyp_pool.free, before - 2);
	assert_int_equal(hyp_map_missing(far + PAGE_SIZE), 0);
	assert_int_equal(fake_walk(&hyp_map, HYP_LINEAR_BASE + far).pte, pte_leaf(far, 3, HYP_RW));
	hyp_map_page(far + PAGE_SIZE);
	hyp_unmap_page(far);
	assert_int_equal(hyp_pool.free, before - 2);
	assert_false(fake_walk(&hyp_map, HYP_LINEAR_BASE + far).valid);
	hyp_unmap_page(far + PAGE_SIZE);
	assert_int_equal(hyp_pool.free, before);
	spin_unlock(&mem_lock);
}

/*
 * However few pages there are for tables: launch is refused, wherever they run out. All is far apart here, so
 * that each thing that is mapped takes a table.
 */
static void too_small_a_pool_is_refused(void)
{
	const struct hyp_image image = {
		.pa = FAKE_IMAGE + PAGE_SIZE,
		.text_end = BLOCK,
		.rodata_end = 2 * BLOCK,
		.end = 3 * BLOCK,
	};
	s64 ret = STOCKADE_ENOMEM;
	u64 pages;

	for (pages = 0; ret && pages < 64; pages++) {
		fake_power_on(NULL);
		fake.launch.pool[0].size = pages * PAGE_SIZE;
		fake.launch.pool[1].base = 0xc0000000;
		fake.launch.log = 0x100000000;
		ret = hyp_map_init(&fake.launch, &image);
		if (ret)
			assert_ret(ret, STOCKADE_ENOMEM);
	}
	assert_in_range(pages, 10, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(launch_maps_what_it_should),	  hyp_test(the_hosts_ram_is_not_mapped),
		bare_test(too_small_an_array_is_refused), hyp_test(a_window_shows_one_page),
		hyp_test(the_array_is_stitched_in_order), bare_test(lists_end_where_they_say),
		hyp_test(a_second_window_panics),	  hyp_test(pages_come_and_go),
		bare_test(too_small_a_pool_is_refused),
	};

	return RUN("hyp-mem-hyp_map", tests);
}
