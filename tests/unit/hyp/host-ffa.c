// SPDX-License-Identifier: GPL-2.0-only
/* The FF-A proxy but for launch, unload and its memory calls: hyp/host/ffa.c. */
#include "host/ffa.h"

#include "ffatest.h"

static struct test_vm vm;

/* --- FFA_VERSION --- */

/* What firmware speaks, what the host asks for, what it is told: 0 is "not supported". */
static void version_negotiation(void)
{
	static const struct {
		u32 firmware, wanted, told;
	} cases[] = {
		{ V1_0, V1_0, V1_0 },	 { V1_0, V1_1, V1_0 },	     { V1_0, V1_2, V1_0 },
		{ V1_1, V1_0, V1_0 },	 { V1_1, V1_1, V1_1 },	     { V1_1, V1_2, V1_1 },
		{ V1_2, V1_0, V1_0 },	 { V1_2, V1_1, V1_1 },	     { V1_2, V1_2, V1_2 },
		{ 0x10003, V1_2, V1_2 }, { 0x10003, 0x10003, V1_2 }, { V1_1, 0x20000, 0 },
		{ V1_1, 0xffff, 0 },	 { V1_1, 0x80010001, 0 },    { V1_1, 0xffffffff, 0 },
		{ V1_1, 0, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 told = cases[i].told ? cases[i].told : ~0ull;

		ffa_boot(cases[i].firmware, 0);
		/* The arguments have 32 bits. */
		assert_int_equal(ffa(SPMC_VERSION, 0xabc00000000 | cases[i].wanted), told);
		if (cases[i].told)
			assert_int_equal(spmc.spoken, cases[i].told);
		else
			assert_ffa(SPMC_INVALID, SPMC_FEATURES, SPMC_RXTX_MAP);
	}
}

/* Afterwards it stays: the same or a newer one gets the same answer, an older one none; firmware is not asked. */
static void the_version_stays(void)
{
	ffa_boot(V1_2, V1_1);
	assert_int_equal(ffa(SPMC_VERSION, V1_1), V1_1);
	assert_int_equal(ffa(SPMC_VERSION, V1_2), V1_1);
	assert_int_equal(ffa(SPMC_VERSION, V1_0), ~0ull);
	assert_int_equal(ffa(SPMC_VERSION, 0x20000), ~0ull);
	assert_int_equal(fake.nr_smcs, 0);
	/* Firmware's own version, from the first time on. */
	ffa_boot(V1_1, 0);
	assert_int_equal(ffa(SPMC_VERSION, V1_1), V1_1);
	assert_int_equal(ffa(SPMC_VERSION, V1_2), V1_1);
	assert_int_equal(fake.nr_smcs, 0);
}

/* Firmware that takes no older version any more: the host is refused rather than misunderstood. */
static void firmware_keeps_its_version(void)
{
	ffa_boot(V1_2, 0);
	spmc.strict = true;
	assert_int_equal(ffa(SPMC_VERSION, V1_0), ~0ull);
	assert_ffa(SPMC_INVALID, SPMC_FEATURES, SPMC_RXTX_MAP);
	assert_int_equal(ffa(SPMC_VERSION, V1_2), V1_2);
	assert_int_equal(spmc.spoken, V1_2);
}

static void answers_1_0(const u64 *x)
{
	(void)x;
	spmc.version = V1_0;
}

/* An older version: firmware is told, and may answer with that one. */
static void firmware_is_told_of_an_older_version(void)
{
	ffa_boot(V1_2, 0);
	dirty_stack();
	assert_int_equal(ffa(SPMC_VERSION, V1_1), V1_1);
	assert_int_equal(fake.nr_smcs, 1);
	assert_smc(0, SPMC_VERSION, V1_1);
	ffa_boot(V1_2, 0);
	spmc.on_call = answers_1_0;
	assert_int_equal(ffa(SPMC_VERSION, V1_0), V1_0);
}

/* ...or that answers an even older one. */
static void firmware_answers_an_older_version(void)
{
	ffa_boot(V1_2, 0);
	spmc.on_call = answers_1_0;
	assert_int_equal(ffa(SPMC_VERSION, V1_1), ~0ull);
}

/* Before it, nothing else works; firmware hears of none of them. Guards handle(): !negotiated. */
static void the_version_comes_first(void)
{
	static const u32 calls[] = { SPMC_FEATURES,	      SPMC_RXTX_MAP,
				     SPMC_RXTX_UNMAP,	      SPMC_PARTITION_INFO_GET,
				     SPMC_MEM_LEND,	      SPMC_MEM_SHARE,
				     SPMC_MEM_RECLAIM,	      SPMC_MEM_FRAG_TX,
				     SPMC_RXTX_MAP | SPMC_64, SPMC_MEM_SHARE | SPMC_64 };

	ffa_boot(V1_1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		assert_ffa_refused(SPMC_INVALID, calls[i], ffa_tx, ffa_rx, 1);
	assert_int_equal(fake.nr_smcs, 0);
}

/* --- which calls pass --- */

enum fate {
	REFUSED,
	PASSES, /* as it is */
	OURS,
};

static enum fate fate_of(u32 function)
{
	switch (function) {
	case SPMC_RX_RELEASE:
	case SPMC_ID_GET:
	case SPMC_SPM_ID_GET:
	case SPMC_RUN:
	case SPMC_DIRECT_REQ:
	case SPMC_DIRECT_REQ | SPMC_64:
	case SPMC_DIRECT_REQ2 | SPMC_64:
	case SPMC_PARTITION_INFO_GET_REGS | SPMC_64:
		return PASSES;
	case SPMC_VERSION:
	case SPMC_FEATURES:
	case SPMC_RXTX_MAP:
	case SPMC_RXTX_MAP | SPMC_64:
	case SPMC_RXTX_UNMAP:
	case SPMC_PARTITION_INFO_GET:
	case SPMC_MEM_LEND:
	case SPMC_MEM_LEND | SPMC_64:
	case SPMC_MEM_SHARE:
	case SPMC_MEM_SHARE | SPMC_64:
	case SPMC_MEM_FRAG_TX:
	case SPMC_MEM_RECLAIM:
		return OURS;
	default:
		return REFUSED;
	}
}

/*
 * Every number of FF-A's, in both widths: what is not known to be harmless does not reach firmware.
 * MEM_DONATE, MEM_RETRIEVE_REQ, MEM_RELINQUISH and the rest are among them. Guards takes_over() and passes().
 */
static void an_allow_list(void)
{
	for (u32 n = SPMC_ERROR; n <= 0x840000ff; n++) {
		for (u32 wide = 0; wide < 2; wide++) {
			u32 function = n | (wide ? SPMC_64 : 0);
			u64 x[18] = { function };

			if (fate_of(function) == OURS)
				continue;
			for (u32 i = 1; i < 18; i++)
				x[i] = 0xabcd00000000 + i;
			fake.nr_smcs = 0;
			if (fate_of(function) == PASSES) {
				ffa_call(x);
				assert_int_equal(fake.nr_smcs, 1);
				assert_memory_equal(fake.smcs[0], x, sizeof(x));
			} else {
				assert_int_equal(ffa_status(x), SPMC_NOT_SUPPORTED);
				assert_int_equal(ffa_x[0], SPMC_ERROR);
				assert_int_equal(fake.nr_smcs, 0);
			}
			/* FEATURES says the same. */
			assert_int_equal(ffa_ret(SPMC_FEATURES, function),
					 fate_of(function) == REFUSED ? SPMC_NOT_SUPPORTED : 0);
		}
	}
	assert_ffa(0, SPMC_FEATURES, SPMC_MEM_SHARE | SPMC_64);
	/* Bit 16 says that no SVE state is live. It is no part of the number, and firmware need not know it. */
	fake.nr_smcs = 0;
	assert_ffa(0, SPMC_ID_GET | 0x10000);
	assert_int_equal(fake.smcs[0][0], SPMC_ID_GET);
	/* FF-A's numbers end here: what has no function has no error of FF-A's. */
	fake.nr_smcs = 0;
	for (u32 wide = 0; wide <= SPMC_64; wide += SPMC_64) {
		assert_int_equal(ffa(wide | (SPMC_ERROR - 1)), ~0ull);
		assert_int_equal(ffa(wide | 0x84000100), ~0ull);
	}
	assert_int_equal(fake.nr_smcs, 0);
	/* Features that are no functions: interrupts of notifications. */
	for (u32 feature = 0; feature < 4; feature++)
		assert_ffa(SPMC_NOT_SUPPORTED, SPMC_FEATURES, feature);
}

/* --- RXTX_MAP and UNMAP --- */

/* Firmware has the hypervisor's buffers, never the host's; spmc_check() sees to that. */
static void buffers(void)
{
	const struct ffa_test_range range = { host_page(), 1 };
	u32 length;

	assert_true(spmc.mapped);
	assert_ffa_refused(SPMC_DENIED, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_UNMAP, 1 << 16);
	assert_true(spmc.mapped);
	/* The host's name is the upper half. */
	assert_ffa(0, SPMC_RXTX_UNMAP, 0xffff, 2, 3, 4, 5, 6, 7);
	assert_ffa_success();
	assert_int_equal(fake.nr_smcs, 1);
	assert_smc(0, SPMC_RXTX_UNMAP);
	assert_false(spmc.mapped);
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_UNMAP);
	/* What lies in the page that was the host's TX is not sent. */
	length = ffa_write(V1_1, &range, 1);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_SHARE, length, length);
	/* The 32-bit call, whose arguments have 32 bits. */
	assert_ffa(0, SPMC_RXTX_MAP, 0xabc00000000 | ffa_tx, 0xabc00000000 | ffa_rx, 1ull << 40 | 1,
		   4, 5, 6, 7);
	assert_ffa_success();
	assert_true(spmc.mapped);
	/* Firmware gets addresses of 64 bits, and nothing of the host's. */
	assert_smc(1, SPMC_RXTX_MAP | SPMC_64, spmc.tx, spmc.rx, 1);
	assert_int_equal(ffa_share(&range, 1), 0);
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
	/* Nor is what was sent before. */
	assert_ffa(0, SPMC_RXTX_UNMAP);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_SHARE, length, length);
}

/* Buffers that are not the host's alone, or no buffers. Guards may_be_buffers(). */
static void buffers_of_others(void)
{
	pa_t secure = host_page(), bad[16];
	u32 n = 0;

	assert_int_equal(ffa_share_page(secure), 0);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	vm = make_vm(1);
	bad[n++] = vm.run[0];
	bad[n++] = donated_page(&vm, 0x1000);
	bad[n++] = fake.launch.image;
	bad[n++] = vm.page;
	bad[n++] = fake.launch.pool[0].base;
	bad[n++] = secure;
	bad[n++] = ffa_tx + 8;
	bad[n++] = ffa_tx + 1;
	bad[n++] = 0;
	bad[n++] = 0x9000000;
	bad[n++] = 0x40800000;
	bad[n++] = ~0ull;
	bad[n++] = ~0ull << 12;
	bad[n++] = 1ull << 63 | ffa_tx;
	bad[n++] = 1ull << 52 | ffa_tx;
	for (u32 i = 0; i < n; i++) {
		for (u32 wide = 0; wide <= SPMC_64; wide += SPMC_64) {
			/* The 32-bit call would mean another page. */
			if (!wide && bad[i] >> 32 && (u32)bad[i] == ffa_tx)
				continue;
			assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_MAP | wide, bad[i], ffa_rx, 1);
			assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_MAP | wide, ffa_tx, bad[i], 1);
		}
	}
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_tx, 1);
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 0);
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 2);
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, ~0ull);
	assert_false(spmc.mapped);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
}

/* Firmware refuses: its error is the host's, and nothing is mapped. */
static void firmware_refuses_buffers(void)
{
	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.fail = SPMC_RXTX_MAP;
	spmc.fail_with = SPMC_NO_MEMORY;
	assert_ffa(SPMC_NO_MEMORY, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_ffa(SPMC_INVALID, SPMC_RXTX_UNMAP);
	assert_ffa(SPMC_INVALID, SPMC_MEM_SHARE, 96, 96);
	/* An answer that is none. */
	spmc.odd = SPMC_RXTX_MAP;
	spmc.odd_answer = SPMC_INTERRUPT;
	assert_ffa(SPMC_NOT_SUPPORTED, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_ffa(SPMC_DENIED, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
}

/* Success of a 64-bit call has a number of its own. */
static void success_of_64_bits(void)
{
	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.odd = SPMC_RXTX_MAP;
	spmc.odd_answer = SPMC_SUCCESS | SPMC_64;
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_int_equal(ffa_share_page(host_page()), 0);
}

/* x1-x7 of a 32-bit call have 32 bits, also where it goes on; the others are not looked at. */
static void arguments_of_32_bits(void)
{
	u64 x[18] = { SPMC_FEATURES, SPMC_RXTX_MAP };

	for (u32 i = 1; i < 18; i++)
		x[i] |= 0xabcd00000000 | i << 16;
	x[1] = 0xabcd00000000 | SPMC_RXTX_MAP;
	ffa_call(x);
	assert_int_equal(fake.nr_smcs, 1);
	for (u32 i = 0; i < 18; i++)
		assert_int_equal(fake.smcs[0][i], i < 8 ? (u32)x[i] : x[i]);
	/* An odd number is no 64-bit call. */
	assert_int_equal(ffa_share_page(host_page()), 0);
	assert_ffa(0, SPMC_MEM_RECLAIM, ffa_handle, ffa_handle >> 32, 0xabcd00000001);
	assert_int_equal(fake.smcs[2][3], 1);
}

/*
 * The host maps its buffers and then gives the pages to a VM: the hypervisor neither reads nor writes them.
 * Guards host_share_secure() in copy_from_host() and copy_to_host().
 */
static void buffers_that_become_a_guests(void)
{
	const struct ffa_test_range range = { host_page(), 1 };
	u32 length = ffa_write(V1_1, &range, 1);
	unsigned int smcs;

	vm = make_vm(1);
	donate(&vm, ffa_tx, 0x1000, 1);
	/* Not a word of it gets into the hypervisor's buffer. */
	assert_refused(ffa_ret(SPMC_MEM_SHARE, length, length), SPMC_INVALID);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_SHARE, length, length);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_SHARE | SPMC_64, length, length);
	assert_ffa_refused(SPMC_INVALID, SPMC_MEM_FRAG_TX, 3, 1, 16);
	assert_state(range.pa, PAGE_HOST);

	fill_page(ffa_rx, 0x5ec3e75ec3e7);
	donate(&vm, ffa_rx, 0x2000, 1);
	smcs = fake.nr_smcs;
	assert_ffa(SPMC_DENIED, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 0);
	assert_page_is(ffa_rx, 0x5ec3e75ec3e7);
	assert_false(spmc.rx_full);
	assert_int_equal(fake.nr_smcs, smcs + 2);
	assert_smc(smcs + 1, SPMC_RX_RELEASE);
}

/* --- PARTITION_INFO_GET --- */

static void assert_rx_is(u32 bytes)
{
	const u8 *rx = fake_ram(ffa_rx);

	for (u32 i = 0; i < bytes; i++)
		assert_int_equal(rx[i], (u8)(i ^ 0xa5));
	for (u32 i = (bytes + 7) / 8 * 8; i < PAGE_SIZE; i++)
		assert_int_equal(rx[i], 0x77);
}

static void partition_info(void)
{
	memset(fake_ram(ffa_rx), 0x77, PAGE_SIZE);
	assert_ffa(0, SPMC_PARTITION_INFO_GET);
	assert_int_equal(ffa_x[2], 2);
	assert_int_equal(ffa_x[3], 24);
	assert_rx_is(48);
	/* RX is the host's until it gives it back. */
	assert_ffa(SPMC_BUSY, SPMC_PARTITION_INFO_GET);
	assert_ffa(0, SPMC_RX_RELEASE);
	spmc.fail = SPMC_PARTITION_INFO_GET;
	spmc.fail_with = SPMC_INVALID;
	memset(fake_ram(ffa_rx), 0x77, PAGE_SIZE);
	assert_ffa(SPMC_INVALID, SPMC_PARTITION_INFO_GET, 1, 2, 3, 4);
	assert_rx_is(0);
	/* The number alone: no buffer is needed. */
	assert_ffa(0, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 1);
	assert_int_equal(ffa_x[2], 2);
	assert_rx_is(0);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	assert_ffa(0, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 1);
	assert_ffa_refused(SPMC_DENIED, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 2);
	assert_ffa_refused(SPMC_DENIED, SPMC_PARTITION_INFO_GET);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	/* Another flag. */
	assert_ffa(0, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 2);
	assert_rx_is(48);
	assert_ffa(0, SPMC_RX_RELEASE);
	/* An error with results is an error, success of 64 bits is success. */
	memset(fake_ram(ffa_rx), 0x77, PAGE_SIZE);
	spmc.odd = SPMC_PARTITION_INFO_GET;
	spmc.odd_answer = SPMC_ERROR;
	ffa(SPMC_PARTITION_INFO_GET);
	assert_int_equal(ffa_x[2], 2);
	assert_int_equal(ffa_x[3], 24);
	assert_rx_is(0);
	assert_ffa(0, SPMC_RX_RELEASE);
	spmc.odd = SPMC_PARTITION_INFO_GET;
	spmc.odd_answer = SPMC_SUCCESS | SPMC_64;
	assert_ffa(0, SPMC_PARTITION_INFO_GET);
	assert_rx_is(48);
}

/* 1.0: descriptors of 8 bytes, and the flag does not exist. */
static void partition_info_1_0(void)
{
	ffa_boot(V1_1, V1_0);
	spmc.info_count = 20;
	memset(fake_ram(ffa_rx), 0x77, PAGE_SIZE);
	assert_ffa(0, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 1);
	assert_rx_is(160);
	assert_ffa(0, SPMC_RX_RELEASE);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	assert_ffa(SPMC_DENIED, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 1);
}

/* More than a buffer holds, by numbers that overflow too. Guards partition_info(): bytes > FFA_PAGE_SIZE. */
static void partition_info_that_does_not_fit(void)
{
	static const u32 sizes[][2] = { { 1, 4097 },
					{ 171, 24 },
					{ 0x10000, 0x10000 },
					{ 0xffffffff, 0xffffffff },
					{ 0x80000000, 2 } };

	spmc.info_count = 1;
	spmc.info_size = 4096;
	assert_ffa(0, SPMC_PARTITION_INFO_GET);
	assert_rx_is(4096);
	assert_ffa(0, SPMC_RX_RELEASE);
	memset(fake_ram(ffa_rx), 0x77, PAGE_SIZE);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		spmc.info_count = sizes[i][0];
		spmc.info_size = sizes[i][1];
		assert_ffa(SPMC_DENIED, SPMC_PARTITION_INFO_GET);
		assert_rx_is(0);
		assert_false(spmc.rx_full);
	}
}

static void a_refused_call_is_logged(void)
{
	const struct stockade_log *ring = fake_ram(fake.launch.log);
	u32 head;

	assert_ffa(-1, 0xc4000074);
	assert_non_null(strstr(ring->text, "denied the host an SMC, function 0xc4000074\n"));
	head = ring->head;
	assert_ffa(-1, 0xc4000074);
	assert_int_equal(ring->head, head);
}

static int race_ret;
static pa_t race_buffer;

static void give_buffer_away(void)
{
	race_ret = (int)hc(STOCKADE_HC_HOST_DONATE_GUEST, vm.handle, PFN(race_buffer), 2, 1);
}

/*
 * Another CPU wants to give the buffer away just when it is copied from, or to: it can't, and can afterwards. Before the
 * copy it can, and then nothing is copied.
 */
static void a_buffer_stays_while_it_is_copied(void)
{
	for (unsigned int rx = 0; rx < 2; rx++) {
		for (unsigned int moment = 1; moment <= 2; moment++) {
			const struct ffa_test_range range = { 0x41000000 + 100 * PAGE_SIZE, 1 };
			bool late = moment == 2;
			u32 length;

			ffa_boot(V1_1, V1_1);
			vm = make_vm(1);
			donated_page(&vm, 0x1000);
			length = ffa_write(V1_1, &range, 1);
			race_buffer = rx ? ffa_rx : ffa_tx;
			before_lock("&mem_lock", moment, give_buffer_away);
			if (rx)
				assert_ffa(late ? 0 : SPMC_DENIED, SPMC_PARTITION_INFO_GET);
			else
				assert_ffa(late ? 0 : SPMC_INVALID, SPMC_MEM_SHARE, length, length);
			assert_true(before_lock_came());
			assert_int_equal(race_ret, late ? STOCKADE_EPERM : STOCKADE_OK);
			assert_state(race_buffer, late ? PAGE_HOST : PAGE_GUEST);
			give_buffer_away();
			assert_int_equal(race_ret, late ? STOCKADE_OK : STOCKADE_EEXIST);
			spmc_check();
			fake_check();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ffa_test(version_negotiation),
		ffa_test(the_version_stays),
		ffa_test(firmware_keeps_its_version),
		ffa_test(firmware_is_told_of_an_older_version),
		ffa_test(firmware_answers_an_older_version),
		ffa_test(the_version_comes_first),
		ffa_test(an_allow_list),
		ffa_test(buffers),
		ffa_test(buffers_of_others),
		ffa_test(firmware_refuses_buffers),
		ffa_test(success_of_64_bits),
		ffa_test(arguments_of_32_bits),
		ffa_test(buffers_that_become_a_guests),
		ffa_test(partition_info),
		ffa_test(partition_info_1_0),
		ffa_test(partition_info_that_does_not_fit),
		ffa_test(a_buffer_stays_while_it_is_copied),
		ffa_test(a_refused_call_is_logged),
	};

	return RUN("hyp-host-ffa", tests);
}
