// SPDX-License-Identifier: GPL-2.0-only
/* Sharing with the secure world: hyp/host/ffa_mem.c. */
#include "host/ffa_mem.h"

#include <sys/mman.h>

#include "ffatest.h"

#define SHARE_32 SPMC_MEM_SHARE
#define SHARE_64 (SPMC_MEM_SHARE | SPMC_64)
#define LEND_32	 SPMC_MEM_LEND
#define LEND_64	 (SPMC_MEM_LEND | SPMC_64)

static const u32 versions[] = { V1_0, V1_1, V1_2 };
static const u32 calls[] = { SHARE_32, SHARE_64, LEND_32, LEND_64 };

static struct test_vm vm;

/* --- whole descriptors --- */

/* Each version, each call: pages are shared, then not any more; what is not named is not touched. */
static void share_and_reclaim(void)
{
	for (size_t v = 0; v < 3; v++) {
		for (size_t c = 0; c < 4; c++) {
			struct ffa_test_range ranges[3];
			u32 length;

			ffa_boot(V1_2, versions[v]);
			for (u32 i = 0; i < 3; i++) {
				ranges[i] = (struct ffa_test_range){ host_page(), i + 1 };
				for (u32 n = 0; n < i + 1; n++)
					host_page(); /* a gap too */
			}
			length = ffa_write(versions[v], ranges, 3);
			assert_ffa(0, calls[c], length, length);
			ffa_handle = (u32)ffa_x[2] | ffa_x[3] << 32;
			assert_int_equal(ffa_handle, 0x100000003);
			assert_int_equal(spmc.nr_held, 6);
			for (u32 i = 0; i < 3; i++) {
				assert_state(ranges[i].pa + i * PAGE_SIZE, PAGE_HOST_SECURE);
				assert_host_has(ranges[i].pa);
				assert_state(ranges[i].pa + (i + 1) * PAGE_SIZE, PAGE_HOST);
			}
			spmc_check();
			fake_check();
			assert_int_equal(ffa_reclaim(ffa_handle), 0);
			assert_int_equal(spmc.nr_held, 0);
			spmc_check();
			fake_check();
			/* Not twice. */
			assert_ffa_refused(SPMC_INVALID, SPMC_MEM_RECLAIM, (u32)ffa_handle,
					   ffa_handle >> 32);
		}
	}
}

/* What the host writes into its TX later, or behind the descriptor, is nobody's business. */
static void reserved_fields_are_the_hosts(void)
{
	const struct ffa_test_range range = { host_page(), 1 };
	u32 length = ffa_write(V1_1, &range, 1);

	ffa_patch(4, 4, 0xffffffff); /* flags */
	ffa_patch(36, 8, ~0ull);     /* reserved */
	ffa_patch(length, 8, ~0ull);
	assert_ffa(0, SHARE_64, length, length);
	assert_state(range.pa, PAGE_HOST_SECURE);
}

/* Every wrong field of a descriptor. Guards ffa_mem_parse(), a line each. */
static void bad_descriptors(void)
{
	static const struct {
		u32 offset, bytes;
		u64 value;
	} fields[] = {
		{ 0, 2, 1 },			     /* sender */
		{ 0, 2, 0x8001 },      { 8, 8, 1 },  /* handle */
		{ 8, 8, 1ull << 63 },  { 24, 4, 0 }, /* size of a receiver's entry */
		{ 24, 4, 8 },	       { 24, 4, 15 },
		{ 24, 4, 32 }, /* overlaps the ranges' header */
		{ 24, 4, 4096 },       { 24, 4, 0xffffffff },
		{ 24, 4, 0xfffffff0 }, { 28, 4, 0 }, /* how many */
		{ 28, 4, 2 },	       { 28, 4, 0x10000001 },
		{ 28, 4, 0xffffffff }, { 32, 4, 0 }, /* where */
		{ 32, 4, 32 },	       { 32, 4, 40 },
		{ 32, 4, 49 },	       { 32, 4, 52 },
		{ 32, 4, 64 },	       { 32, 4, 4096 },
		{ 32, 4, 0xfffffff8 }, { 32, 4, 0xffffffff },
		{ 52, 4, 0 }, /* where its ranges are */
		{ 52, 4, 48 },	       { 52, 4, 63 },
		{ 52, 4, 56 },	       { 52, 4, 68 },
		{ 52, 4, 72 },	       { 52, 4, 80 },
		{ 52, 4, 4096 },       { 52, 4, 0xfffffff0 },
		{ 52, 4, 0xffffffff }, { 68, 4, 0 }, /* how many ranges */
		{ 68, 4, 1 },	       { 68, 4, 3 },
		{ 68, 4, 0x10000002 }, /* 32 bits of bytes are 2 ranges' */
		{ 68, 4, 0xffffffff },
	};
	const struct ffa_test_range ranges[2] = { { host_page(), 1 }, { host_page(), 1 } };
	u32 length = ffa_write(V1_1, ranges, 2);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		ffa_write(V1_1, ranges, 2);
		ffa_patch(fields[i].offset, fields[i].bytes, fields[i].value);
		assert_ffa(SPMC_INVALID, SHARE_64, length, length);
		assert_refused(ffa_ret(SHARE_64, length, length), SPMC_INVALID);
	}
	assert_int_equal(fake.nr_smcs, 0);
	spmc_check();
	ffa_write(V1_1, ranges, 2);
	assert_ffa(0, SHARE_64, length, length);
}

/* What would be right if one rule were not there. Guards ffa_mem_parse(), where others stand behind. */
static void nearly_right_descriptors(void)
{
	static u64 large[2 * PAGE_SIZE / 8]; /* not the host's TX: that is never so long */
	const struct ffa_test_range range = { host_page(), 1 };
	u32 length = ffa_write(V1_1, NULL, 0), total;
	struct ffa_layout layout;

	/* No ranges, and the length says so too. */
	assert_ffa(SPMC_INVALID, SHARE_64, length, length);
	assert_refused(ffa_ret(SHARE_64, length, length), SPMC_INVALID);
	/* The receiver in the header, with a good offset in reserved bytes. */
	length = ffa_write(V1_1, &range, 1);
	ffa_patch(32, 4, 32);
	ffa_patch(36, 4, ffa_composite_at(V1_1));
	assert_ffa(SPMC_INVALID, SHARE_64, length, length);
	assert_refused(ffa_ret(SHARE_64, length, length), SPMC_INVALID);
	assert_int_equal(fake.nr_smcs, 0);
	/* A fragment beyond a buffer. */
	total = ffa_ranges_at(V1_1) + 300 * 16;
	ffa_write(V1_1, &range, 1);
	ffa_patch(ffa_composite_at(V1_1) + 4, 4, 300);
	memcpy(large, fake_ram(ffa_tx), 256);
	assert_true(ffa_mem_parse(large, 4096, total, V1_1, &layout));
	assert_int_equal(layout.ranges_offset, ffa_ranges_at(V1_1));
	assert_int_equal(layout.nr_ranges, 300);
	assert_false(ffa_mem_parse(large, 4112, total, V1_1, &layout));
	assert_false(ffa_mem_parse(large, total, total, V1_1, &layout));
}

/* Where the receiver and its ranges may be: behind one another, at multiples of 8 bytes. */
static void places(void)
{
	static const struct {
		u32 version, receiver, size, composite;
		bool good;
	} cases[] = {
		{ V1_1, 48, 16, 64, true },  { V1_1, 56, 16, 72, true },
		{ V1_1, 48, 24, 72, true },  { V1_1, 48, 16, 104, true },
		{ V1_1, 40, 16, 64, false }, { V1_1, 52, 16, 72, false },
		{ V1_1, 48, 16, 56, false }, { V1_1, 48, 16, 68, false },
		{ V1_1, 48, 32, 72, false }, { V1_0, 32, 16, 48, true },
		{ V1_0, 32, 16, 56, true },  { V1_0, 32, 16, 40, false },
		{ V1_0, 32, 16, 52, false },
	};
	struct ffa_layout layout;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 descriptor[64] __attribute__((aligned(8))) = { [28 / 4] = 1 };
		u32 total = cases[i].composite + 32;

		if (cases[i].version != V1_0) {
			descriptor[24 / 4] = cases[i].size;
			descriptor[32 / 4] = cases[i].receiver;
		}
		descriptor[cases[i].receiver / 4 + 1] = cases[i].composite;
		descriptor[cases[i].composite / 4 + 1] = 1;
		assert_int_equal(ffa_mem_parse(descriptor, total, total, cases[i].version, &layout),
				 cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(layout.ranges_offset, cases[i].composite + 16);
		assert_int_equal(layout.nr_ranges, 1);
	}
}

/* Every combination of lengths that is not that of the descriptor; in 32 bits and beyond. */
static void bad_lengths(void)
{
	const struct ffa_test_range ranges[2] = { { host_page(), 1 }, { host_page(), 1 } };
	u32 length = ffa_write(V1_1, ranges, 2);

	for (u32 total = 0; total < length + 40; total++)
		for (u32 fragment = 0; fragment < length + 40; fragment++)
			if (total != length || (fragment != length && fragment != length - 16 &&
						fragment != length - 32))
				assert_ffa(SPMC_INVALID, SHARE_64, total, fragment);
	assert_ffa_refused(SPMC_INVALID, SHARE_64, length, 4097);
	assert_ffa_refused(SPMC_INVALID, SHARE_64, 0x100000, 0x100000);
	assert_ffa_refused(SPMC_INVALID, SHARE_64, 0xffffffff, length);
	assert_ffa_refused(SPMC_INVALID, SHARE_64, length, 0xffffffff);
	assert_ffa_refused(SPMC_INVALID, SHARE_64, 0, 0);
	/* A buffer that is not TX. */
	assert_ffa_refused(SPMC_INVALID, SHARE_64, length, length, ffa_rx, 1);
	assert_ffa_refused(SPMC_INVALID, SHARE_64, length, length, ffa_rx, 0);
	assert_ffa_refused(SPMC_INVALID, SHARE_64, length, length, 0, 1);
	assert_ffa_refused(SPMC_INVALID, SHARE_32, length, length, ffa_rx, 1);
	assert_int_equal(fake.nr_smcs, 0);
}

/* 1.0's header is shorter, and 1.1's fields are reserved in it. */
static void descriptors_of_1_0(void)
{
	struct ffa_test_range range;
	u32 length;

	ffa_boot(V1_0, V1_0);
	range = (struct ffa_test_range){ host_page(), 1 };
	length = ffa_write(V1_0, &range, 1);
	for (u32 n = 0; n < length; n++)
		if (n != length - 16)
			assert_ffa(SPMC_INVALID, SHARE_64, length, n);
	ffa_patch(36, 4, 40); /* the receiver's ranges would overlap it */
	assert_ffa_refused(SPMC_INVALID, SHARE_64, length, length);
	ffa_write(V1_0, &range, 1);
	ffa_patch(24, 4, 0xffffffff);
	assert_ffa(0, SHARE_64, length, length);
}

/*
 * What firmware gets is what was checked: lengths are 32 bits, and the other registers zero, as firmware may
 * look at more than the specification says. Guards forward().
 */
static void firmware_gets_what_was_checked(void)
{
	static const u64 junk = 0xbad00000000;
	const struct ffa_test_range ranges[2] = { { host_page(), 1 }, { host_page(), 1 } };
	u32 length = ffa_write(V1_1, ranges, 2);

	assert_ffa((s32)SPMC_MEM_FRAG_RX, SHARE_64, junk | length, junk | (length - 16), 0, 0, junk,
		   junk, junk);
	assert_int_equal(fake.smcs[0][1], length);
	assert_int_equal(fake.smcs[0][2], length - 16);
	for (u32 i = 3; i < 8; i++)
		assert_int_equal(fake.smcs[0][i], 0);
	/* Another sender's name: TF-A would refuse the fragment and keep the transaction. */
	memcpy(fake_ram(ffa_tx), (u8 *)fake_ram(ffa_tx) + length - 16, 16);
	assert_ffa(0, SPMC_MEM_FRAG_TX, 3, 1, 16, 0x10000, 5, 6, 7);
	assert_int_equal(spmc.nr_held, 2);
	spmc_check();
	assert_ffa(0, SPMC_MEM_RECLAIM, 3, 1, 0, 0x10000, 5, 6, 7);
	for (u32 i = 4; i < 8; i++)
		assert_int_equal(fake.smcs[2][i], 0);
}

/* --- pages --- */

/* Names one bad range, first, in the middle or last of three. */
static void assert_not_shared(u64 pa, u32 nr)
{
	struct ffa_test_range ranges[3];
	pa_t good[2] = { host_page(), host_page() };
	unsigned int smcs = fake.nr_smcs;
	u32 length;

	for (u32 at = 0; at < 3; at++) {
		for (u32 i = 0, g = 0; i < 3; i++)
			ranges[i] = i == at ? (struct ffa_test_range){ pa, nr } :
					      (struct ffa_test_range){ good[g++], 1 };
		length = ffa_write(V1_1, ranges, 3);
		for (size_t c = 0; c < 4; c++)
			assert_ffa(SPMC_DENIED, calls[c], length, length);
		assert_refused(ffa_ret(SHARE_64, length, length), SPMC_DENIED);
	}
	assert_int_equal(fake.nr_smcs, smcs);
	spmc_check();
}

/* A VM's page, a page that it shares, pages around it. Guards share_one(): state == PAGE_HOST. */
static void pages_of_a_vm(void)
{
	pa_t pages = 0x41100000;

	vm = make_vm(1);
	donate(&vm, pages + PAGE_SIZE, 0x1000, 1);
	assert_not_shared(pages + PAGE_SIZE, 1);
	assert_not_shared(pages, 2);
	assert_not_shared(pages + PAGE_SIZE, 2);
	assert_not_shared(pages, 3);
	load(&vm, 0);
	guest_calls(GUESTCALL_MEM_SHARE, 0x1000, 0, 0);
	run();
	assert_state(pages + PAGE_SIZE, PAGE_GUEST_SHARED);
	assert_not_shared(pages + PAGE_SIZE, 1);
	assert_ret(hc(STOCKADE_HC_VCPU_PUT), 0);
	donate(&vm, host_block(), BLOCK, NR_BLOCK);
	assert_not_shared(0x40200000, 1);
	assert_not_shared(0x40200000, 512);
	assert_not_shared(0x403ff000, 1);
	end_vm(&vm);
	assert_int_equal(ffa_share_page(pages + PAGE_SIZE), 0);
}

/* The hypervisor's pages, all of them, and those that it shares with the host. */
static void pages_of_the_hypervisor(void)
{
	u64 tried = 0;

	vm = make_vm(1);
	assert_not_shared(vm.run[0], 1); /* PAGE_HOST_SHARED */
	assert_not_shared(fake.launch.log, 1);
	assert_not_shared(vm.page, 1);
	for (pa_t pa = 0x40000000; pa < 0x40200000; pa += PAGE_SIZE) {
		if (page_state(pa) != PAGE_HYP)
			continue;
		tried++;
		assert_int_equal(ffa_share_page(pa), SPMC_DENIED);
		assert_state(pa, PAGE_HYP);
	}
	assert_true(tried > 20);
	assert_int_equal(fake.nr_smcs, 0);
}

/* No RAM, misaligned, counts that overflow. Guards host_share_secure(): the EINVAL line. */
static void no_pages(void)
{
	pa_t page = host_page();

	assert_not_shared(page, 0);
	assert_not_shared(page + 1, 1);
	assert_not_shared(page + 0x800, 1);
	assert_not_shared(page | 1ull << 63, 1);
	assert_not_shared(0, 1);
	assert_not_shared(0x9000000, 1);
	assert_not_shared(0x3ffff000, 2);
	assert_not_shared(0x407ff000, 2);
	assert_not_shared(0x41402000, 4);
	assert_not_shared(page, 0xffffffff);
	assert_not_shared(page, 0x80000000);
	assert_not_shared(~0ull, 1);
	assert_not_shared(~0ull << 12, 1);
	assert_not_shared(~0ull << 12, 2);
	assert_not_shared(~0ull << 12, 0xffffffff);
	/* The end wraps around to where RAM is. */
	assert_not_shared(page - (0xffffffffull << 12), 0xffffffff);
}

/* Twice in one descriptor, and in another. */
static void pages_that_are_shared_already(void)
{
	pa_t page = host_page();

	assert_int_equal(ffa_share_page(page), 0);
	fake.nr_smcs = 0;
	assert_not_shared(page, 1);
	assert_not_shared(page - PAGE_SIZE, 3);
	page = 0x41200000;
	{
		const struct ffa_test_range ranges[3] = { { page, 2 },
							  { page + 4 * PAGE_SIZE, 1 },
							  { page + PAGE_SIZE, 1 } };

		assert_int_equal(ffa_share(ranges, 3), SPMC_DENIED);
	}
	for (u32 i = 0; i < 5; i++)
		assert_state(page + i * PAGE_SIZE, PAGE_HOST);
}

/* Shared: no way to a VM or to the hypervisor, by any call; afterwards there is. */
static void shared_pages_are_not_donated(void)
{
	pa_t page = 0x40210000, root = 0x40218000;
	u64 handle, pfn = PFN(page);

	vm = make_vm(1);
	donated_page(&vm, 0x1000);
	assert_int_equal(ffa_share_page(page), 0);
	handle = ffa_handle;
	assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, pfn, 2, 1), STOCKADE_EPERM);
	assert_refused(hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, PFN(0x40200000), 512, 512),
		       STOCKADE_EPERM);
	assert_refused(hc(STOCKADE_HC_POOL_TOPUP, pfn, 1), STOCKADE_EPERM);
	assert_refused(hc(STOCKADE_HC_POOL_TOPUP, pfn - 1, 3), STOCKADE_EPERM);
	assert_refused(hc(STOCKADE_HC_VM_TOPUP, vm.handle, pfn, 1), STOCKADE_EPERM);
	assert_refused(hc(STOCKADE_HC_VM_CREATE, pfn, PFN(root), 40 | STOCKADE_VM_PROTECTED << 8),
		       STOCKADE_EPERM);
	assert_refused(hc(STOCKADE_HC_VCPU_CREATE, vm.handle, 1, pfn, PFN(root)), STOCKADE_EPERM);
	/* The vCPU's page had been taken, and comes back zeroed. */
	assert_ret(hc(STOCKADE_HC_VCPU_CREATE, vm.handle, 1, PFN(root), pfn), STOCKADE_EPERM);
	assert_state(root, PAGE_HOST);
	spmc_check();
	assert_int_equal(ffa_reclaim(handle), 0);
	donate(&vm, page, 0x2000, 1);
	end_vm(&vm);
}

/* --- the parser alone --- */

/* No byte of a descriptor, set to anything, has it read beyond its end: behind that nothing can be read. */
static void the_parser_stays_inside(void)
{
	struct ffa_test_range range = { host_page(), 1 };
	u8 *pages = mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + PAGE_SIZE, PAGE_SIZE, PROT_NONE), 0);
	for (size_t v = 0; v < 3; v++) {
		u32 length = ffa_write(versions[v], &range, 1);

		for (u32 size = 0; size <= length; size++) {
			u8 *copy = pages + PAGE_SIZE - ALIGN_UP(size, 8);
			struct ffa_layout layout;

			memcpy(copy, fake_ram(ffa_tx), size);
			for (u32 at = 0; at <= size; at++) {
				for (u32 value = 0; value < 256; value += 15) {
					u8 old = at < size ? copy[at] : 0;

					if (at < size)
						copy[at] = (u8)value;
					if (ffa_mem_parse(copy, size, length, versions[v], &layout))
						assert_true(layout.ranges_offset <= size);
					if (at < size)
						copy[at] = old;
				}
			}
		}
	}
	munmap(pages, 2 * PAGE_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ffa_test(share_and_reclaim),
		ffa_test(reserved_fields_are_the_hosts),
		ffa_test(bad_descriptors),
		ffa_test(nearly_right_descriptors),
		ffa_test(places),
		ffa_test(bad_lengths),
		ffa_test(descriptors_of_1_0),
		ffa_test(firmware_gets_what_was_checked),
		ffa_test(pages_of_a_vm),
		ffa_test(pages_of_the_hypervisor),
		ffa_test(no_pages),
		ffa_test(pages_that_are_shared_already),
		ffa_test(shared_pages_are_not_donated),
		ffa_test(the_parser_stays_inside),
	};

	return RUN("hyp-host-ffa_mem", tests);
}
