// SPDX-License-Identifier: GPL-2.0-only
/* Sharing with the secure world in fragments, firmware that refuses, races: hyp/host/ffa_mem.c. */
#include "host/ffa_mem.h"

#include "ffatest.h"

#define SHARE_32 SPMC_MEM_SHARE
#define SHARE_64 (SPMC_MEM_SHARE | SPMC_64)
#define LEND_32	 SPMC_MEM_LEND
#define LEND_64	 (SPMC_MEM_LEND | SPMC_64)

static const u32 calls[] = { SHARE_32, SHARE_64, LEND_32, LEND_64 };

static struct test_vm vm;

/* --- fragments --- */

/* Sends ranges in fragments: the first has `first` of them, the others `each`; 0: no others. */
static s32 send_fragments(const struct ffa_test_range *ranges, u32 nr, u32 first, u32 each)
{
	u32 length = ffa_ranges_at(V1_1) + nr * 16, sent = first;
	u64 pages = 0;
	s32 ret;

	for (u32 i = 0; i < nr; i++)
		pages += ranges[i].nr;
	ffa_write(V1_1, ranges, first);
	ffa_patch(ffa_composite_at(V1_1), 4, pages);
	ffa_patch(ffa_composite_at(V1_1) + 4, 4, nr);
	ret = ffa_ret(SHARE_64, length, ffa_ranges_at(V1_1) + first * 16);
	if ((u32)ret == SPMC_MEM_FRAG_RX)
		ffa_handle = (u32)ffa_x[1] | ffa_x[2] << 32;
	while ((u32)ret == SPMC_MEM_FRAG_RX && sent < nr && each) {
		u32 n = nr - sent < each ? nr - sent : each;

		assert_int_equal(ffa_x[3], ffa_ranges_at(V1_1) + sent * 16);
		for (u32 i = 0; i < n; i++) {
			ffa_patch(i * 16, 8, ranges[sent + i].pa);
			ffa_patch(i * 16 + 8, 8, ranges[sent + i].nr);
		}
		ret = ffa_ret(SPMC_MEM_FRAG_TX, (u32)ffa_handle, ffa_handle >> 32, n * 16);
		sent += n;
	}
	if (!ret)
		ffa_handle = (u32)ffa_x[2] | ffa_x[3] << 32;
	return ret;
}

#define NR_MANY 600

static struct ffa_test_range many[NR_MANY];

static void make_many(u32 nr)
{
	for (u32 i = 0; i < nr; i++)
		many[i] = (struct ffa_test_range){ 0x41100000 + (u64)i * PAGE_SIZE, 1 };
}

/* In pieces of every kind; 600 ranges are more than a buffer holds. */
static void fragments(void)
{
	static const u32 pieces[][2] = { { 0, 1 }, { 1, 1 }, { 4, 3 }, { 251, 256 }, { 0, 256 } };

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		u32 nr = pieces[i][1] == 256 ? NR_MANY : 10;

		make_many(nr);
		assert_int_equal(send_fragments(many, nr, pieces[i][0], pieces[i][1]), 0);
		assert_int_equal(spmc.nr_held, nr);
		spmc_check();
		assert_int_equal(ffa_reclaim(ffa_handle), 0);
		spmc_check();
		fake_check();
	}
}

/* The handle, or the length, of a fragment is wrong: nothing happens. */
static void bad_fragments(void)
{
	make_many(4);
	assert_int_equal((u32)send_fragments(many, 2, 1, 0), SPMC_MEM_FRAG_RX);
	/* One range is to come: 16 bytes. */
	for (u32 n = 0; n < 64; n++)
		if (n != 16)
			assert_ffa(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 1, n);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 1, 32);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 1, 4096);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 1, 8192);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 1, 0xfffffff0);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 0, 16);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 4, 1, 16);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 0, 0, 16);
	assert_int_equal(fake.nr_smcs, 1);
	/* The wrong width. */
	assert_ffa_refused(SPMC_NOT_SUPPORTED, SPMC_MEM_FRAG_TX | SPMC_64, 3, 1, 16);
	assert_ffa_refused(SPMC_NOT_SUPPORTED, SPMC_MEM_RECLAIM | SPMC_64, 3, 1);
	/* A page that is not to be had: the call fails, the transaction goes on. */
	ffa_patch(0, 8, fake.launch.image);
	ffa_patch(8, 8, 1);
	assert_ffa_refused(SPMC_DENIED, SPMC_MEM_FRAG_TX, 3, 1, 16);
	/* The first of these is there already. */
	ffa_patch(0, 8, many[0].pa);
	assert_ffa_refused(SPMC_DENIED, SPMC_MEM_FRAG_TX, 3, 1, 16);
	assert_int_equal(fake.nr_smcs, 1);
	ffa_patch(0, 8, many[1].pa);
	assert_ffa(0, SPMC_MEM_FRAG_TX, 3, 1, 16);
	/* It is complete: no more. */
	ffa_patch(0, 8, many[2].pa);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 1, 16);
}

/* Lengths have 32 bits, whoever the caller is: what firmware gets is what was looked at. */
static void a_long_length_of_a_fragment(void)
{
	u64 x[18] = { SPMC_MEM_FRAG_TX, 3, 1, 0xabc00000010, 4, 5, 6, 7 };
	u64 *range;

	make_many(2);
	assert_int_equal((u32)send_fragments(many, 2, 1, 0), SPMC_MEM_FRAG_RX);
	range = (u64 *)spmc.tx;
	range[0] = many[1].pa;
	range[1] = 1;
	ffa_mem_frag(x, range);
	assert_int_equal(x[0], SPMC_SUCCESS);
	assert_smc(1, SPMC_MEM_FRAG_TX, 3, 1, 16);
	assert_int_equal(spmc.nr_held, 2);
}

/* A bad page in a later fragment undoes that fragment alone. */
static void a_bad_page_in_a_fragment(void)
{
	make_many(10);
	many[8].pa = fake.launch.image;
	assert_int_equal(send_fragments(many, 10, 2, 4), SPMC_DENIED);
	assert_int_equal(spmc.nr_held, 6);
	for (u32 i = 0; i < 10; i++)
		assert_string_equal(fake_state_name(page_state(many[i].pa)), i < 6 ? "HOST_SECURE" :
									     i == 8 ? "HYP" :
										      "HOST");
	spmc_check();
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
	assert_int_equal(spmc.nr_held, 0);
}

/* --- errors of firmware --- */

/* Refused by firmware, first fragment or later: all pages are the host's again. */
static void firmware_refuses(void)
{
	make_many(10);
	for (size_t c = 0; c < 4; c++) {
		u32 length = ffa_write(V1_1, many, 10);

		spmc.fail = calls[c] & ~SPMC_64;
		spmc.fail_with = SPMC_NO_MEMORY;
		assert_ffa(SPMC_NO_MEMORY, calls[c], length, length);
		spmc_check();
		fake_check();
	}
	/* Firmware finds the descriptor wrong: the sum of pages. */
	{
		u32 length = ffa_write(V1_1, many, 10);

		ffa_patch(ffa_composite_at(V1_1), 4, 11);
		assert_ffa(SPMC_INVALID, SHARE_64, length, length);
		spmc_check();
	}
	spmc.fail = SPMC_MEM_FRAG_TX;
	spmc.fail_with = SPMC_NO_MEMORY;
	assert_int_equal(send_fragments(many, 10, 2, 4), SPMC_NO_MEMORY);
	assert_int_equal(spmc.nr_held, 0);
	spmc_check();
	assert_int_equal(ffa_reclaim(ffa_handle), SPMC_INVALID);
	/* Still in use by a secure partition: nothing changes. Guards ffa_mem_reclaim(): FFA_SUCCESS. */
	assert_int_equal(send_fragments(many, 10, 10, 0), 0);
	spmc.fail = SPMC_MEM_RECLAIM;
	spmc.fail_with = SPMC_DENIED;
	assert_int_equal(ffa_reclaim(ffa_handle), SPMC_DENIED);
	assert_int_equal(spmc.nr_held, 10);
	spmc_check();
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
	spmc_check();
}

static const u64 odd_answers[] = {
	0,
	~0ull,
	SPMC_INTERRUPT,
	0x84000078, /* MEM_OP_PAUSE */
	SPMC_MEM_SHARE,
	SPMC_ERROR | SPMC_64,
	0x80000000,
};

/* An answer that says neither yes nor no: the pages stay shared, as the secure world may have them. */
static void odd_answers_to_a_share(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(odd_answers); i++) {
		pa_t page = host_page(), other = host_page();

		spmc.odd = SPMC_MEM_SHARE;
		spmc.odd_answer = odd_answers[i];
		ffa_share_page(page);
		assert_int_equal(ffa_x[0], odd_answers[i]);
		assert_state(page, PAGE_HOST_SECURE);
		spmc_check();
		/* Under no name: that of another transaction, even 0, does not give them back. */
		spmc.next_handle = 0;
		assert_int_equal(ffa_share_page(other), 0);
		assert_int_equal(ffa_handle, 0);
		assert_int_equal(ffa_reclaim(0), 0);
		assert_state(page, PAGE_HOST_SECURE);
		assert_state(other, PAGE_HOST);
		spmc_check();
		spmc.next_handle = 100 + i;
	}
}

/* The same of a fragment and of a reclaim; both widths of success are success. */
static void odd_answers_later(void)
{
	make_many(10);
	for (size_t i = 0; i < ARRAY_SIZE(odd_answers); i++) {
		u64 handle;

		spmc.odd = SPMC_MEM_FRAG_TX;
		spmc.odd_answer = odd_answers[i];
		spmc.next_handle = 5ull << 32 | i;
		send_fragments(many, 10, 4, 6);
		handle = 5ull << 32 | i;
		assert_int_equal(spmc.nr_held, 10);
		spmc_check();
		/* Firmware wanted no more. */
		assert_ffa(SPMC_INVALID, SPMC_MEM_FRAG_TX, (u32)handle, 5, 16);
		assert_int_equal(ffa_reclaim(handle), 0);
		spmc_check();
	}
	assert_int_equal(ffa_share_page(many[0].pa), 0);
	spmc.odd = SPMC_MEM_RECLAIM;
	spmc.odd_answer = SPMC_SUCCESS | SPMC_64;
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
	spmc_check();
	spmc.odd = SPMC_MEM_SHARE;
	spmc.odd_answer = SPMC_SUCCESS | SPMC_64;
	assert_int_equal(ffa_share_page(many[0].pa), 0);
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
}

/* Success before all was sent: what is left is not sent any more. */
static void success_too_early(void)
{
	make_many(4);
	spmc.odd = SPMC_MEM_SHARE;
	spmc.odd_answer = SPMC_SUCCESS;
	assert_int_equal(send_fragments(many, 4, 2, 0), 0);
	ffa_patch(0, 8, many[2].pa);
	ffa_patch(8, 8, 1);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, (u32)ffa_handle, ffa_handle >> 32, 16);
	assert_state(many[1].pa, PAGE_HOST_SECURE);
	assert_state(many[2].pa, PAGE_HOST);
}

/* As many transactions as there is room for: then no more, until one ends. */
static void many_transactions(void)
{
	u64 first;

	make_many(513);
	assert_int_equal(ffa_share(&many[0], 1), 0);
	first = ffa_handle;
	for (u32 i = 1; i < 512; i++)
		assert_int_equal(ffa_share(&many[i], 1), 0);
	assert_int_equal(ffa_share(&many[512], 1), SPMC_NO_MEMORY);
	assert_refused(ffa_share(&many[512], 1), SPMC_NO_MEMORY);
	assert_int_equal(ffa_reclaim(first + 200), 0);
	assert_state(many[200].pa, PAGE_HOST);
	assert_int_equal(ffa_share(&many[512], 1), 0);
	spmc_check();
	for (u32 i = 0; i < 512; i++)
		assert_int_equal(ffa_reclaim(first + i), i == 200 ? SPMC_INVALID : 0);
	assert_int_equal(spmc.nr_held, 1);
}

/* --- races --- */

static pa_t race_page, race_decoy;
static s64 race_ret;

static void swap_page(void)
{
	ffa_patch(ffa_ranges_at(V1_1), 8, race_decoy);
	ffa_patch(ffa_ranges_at(V1_1) + 8, 4, 2);
	ffa_patch(28, 4, 2); /* receivers */
	ffa_patch(52, 4, 0);
}

static void swap_at_firmware(const u64 *x)
{
	if ((u32)x[0] == SHARE_64)
		swap_page();
}

/*
 * The descriptor changes while it is read: at each taking of mem_lock from the copy on, and when firmware has
 * the call. What was copied counts. Guards copy_from_host(), and that dispatch() hands over buffers.tx.
 */
static void a_descriptor_that_changes(void)
{
	race_decoy = fake.launch.image;
	for (unsigned int n = 2; n <= 5; n++) {
		const struct ffa_test_range ranges[2] = { { host_page(), 1 }, { host_page(), 1 } };
		u32 length = ffa_write(V1_1, ranges, 2);

		if (n < 5)
			before_lock("&mem_lock", n, swap_page);
		else
			spmc.on_call = swap_at_firmware;
		assert_ffa(0, SHARE_64, length, length);
		assert_true(before_lock_came());
		assert_true(spmc_holds(ranges[0].pa) && spmc_holds(ranges[1].pa));
		spmc_check();
	}
	spmc.on_call = NULL;
	/* Before the copy it is another descriptor. */
	{
		const struct ffa_test_range range = { host_page(), 1 };
		u32 length = ffa_write(V1_1, &range, 1);

		before_lock("&mem_lock", 1, swap_page);
		assert_ffa(SPMC_INVALID, SHARE_64, length, length);
		assert_true(before_lock_came());
		assert_state(range.pa, PAGE_HOST);
	}
}

static void donate_race_page(void)
{
	race_ret = hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, PFN(race_page), 2, 1);
}

/*
 * While a descriptor with five pages is gone through, another CPU gives one of them to a VM: either comes first
 * and has it, for every page and moment. Guards share_one(): the state is looked at and changed under one lock.
 */
static void donation_while_pages_are_shared(void)
{
	unsigned int donated = 0, shared = 0;

	for (unsigned int victim = 0; victim < 5; victim++) {
		for (unsigned int moment = 1; moment <= 7; moment++) {
			struct ffa_test_range ranges[5];
			u32 length;
			s32 ret;

			ffa_boot(V1_1, V1_1);
			vm = make_vm(0);
			donated_page(&vm, 0x1000);
			for (u32 i = 0; i < 5; i++)
				ranges[i] = (struct ffa_test_range){ host_page(), 1 };
			race_page = ranges[victim].pa;
			length = ffa_write(V1_1, ranges, 5);
			/* The first two are the copy's. */
			before_lock("&mem_lock", moment, donate_race_page);
			ret = ffa_ret(SHARE_64, length, length);
			assert_true(before_lock_came());
			assert_int_equal(ret, race_ret ? 0 : SPMC_DENIED);
			assert_int_equal(spmc.nr_held, race_ret ? 5 : 0);
			assert_state(race_page, race_ret ? PAGE_HOST_SECURE : PAGE_GUEST);
			*(race_ret ? &shared : &donated) += 1;
			spmc_check();
			fake_check();
		}
	}
	assert_int_equal(shared + donated, 35);
	assert_true(shared >= 5 && donated >= 5);
}

static void donate_at_reclaim(const u64 *x)
{
	if ((u32)x[0] != SPMC_MEM_RECLAIM)
		return;
	fake_cpu(1);
	donate_race_page();
	fake_cpu(0);
}

/*
 * A VM starts while the host reclaims: until the secure world has let go, the page is not to be had. Guards
 * ffa_mem_reclaim(): forget() after firmware's answer.
 */
static void donation_while_pages_are_reclaimed(void)
{
	vm = make_vm(0);
	donated_page(&vm, 0x1000);
	race_page = host_page();
	assert_int_equal(ffa_share_page(race_page), 0);
	spmc.on_call = donate_at_reclaim;
	race_ret = 1;
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
	assert_int_equal(race_ret, STOCKADE_EPERM);
	assert_state(race_page, PAGE_HOST);
	donate_race_page();
	assert_int_equal(race_ret, 0);
}

static void donate_at_share(const u64 *x)
{
	if ((u32)x[0] != SHARE_64)
		return;
	fake_cpu(1);
	donate_race_page();
	fake_cpu(0);
}

/* The same when firmware is just being told. Guards ffa_mem_share(): share_ranges() before forward(). */
static void donation_while_firmware_is_told(void)
{
	vm = make_vm(0);
	donated_page(&vm, 0x1000);
	race_page = host_page();
	spmc.on_call = donate_at_share;
	assert_int_equal(ffa_share_page(race_page), 0);
	assert_int_equal(race_ret, STOCKADE_EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ffa_test(fragments),
		ffa_test(bad_fragments),
		ffa_test(a_long_length_of_a_fragment),
		ffa_test(a_bad_page_in_a_fragment),
		ffa_test(firmware_refuses),
		ffa_test(odd_answers_to_a_share),
		ffa_test(odd_answers_later),
		ffa_test(success_too_early),
		ffa_test(many_transactions),
		ffa_test(a_descriptor_that_changes),
		ffa_test(donation_while_pages_are_shared),
		ffa_test(donation_while_pages_are_reclaimed),
		ffa_test(donation_while_firmware_is_told),
	};

	return RUN("hyp-host-ffa_send", tests);
}
