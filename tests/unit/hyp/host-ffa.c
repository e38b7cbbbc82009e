// SPDX-License-Identifier: GPL-2.0-only
/* The FF-A proxy but for its memory calls: hyp/host/ffa.c. */
#include "host/ffa.h"

#include "ffatest.h"

static struct test_vm vm;

static bool logged(const char *text)
{
	const struct stockade_log *ring = fake_ram(fake.launch.log);

	return strstr(ring->text, text);
}

/* --- launch: ffa_init() --- */

/* The machine as it is before launch: the kernel's driver may have been there. */
static void power_on(u32 firmware)
{
	const struct fake_config config = { .smc = spmc_smc };

	spmc_power_on(firmware);
	fake_power_on(&config);
	ffa_tx = 0x41000000;
	ffa_rx = 0x41001000;
}

static void driver_maps_its_buffers(u32 version)
{
	u64 x[18] = { SPMC_VERSION, version }, y[18] = { SPMC_RXTX_MAP, ffa_tx, ffa_rx, 1 };

	spmc.direct = true;
	spmc_smc(x);
	spmc_smc(y);
	assert_int_equal(y[0], SPMC_SUCCESS);
	spmc.direct = false;
}

static void driver_unmaps_its_buffers(void)
{
	u64 x[18] = { SPMC_RXTX_UNMAP };

	spmc_smc(x);
	assert_false(spmc.mapped);
}

/* The kernel's driver has its buffers mapped: no launch. Guards ffa_init(): DENIED. */
static void launch_is_refused_while_ff_a_is_in_use(void)
{
	static const u32 versions[] = { V1_0, V1_1, V1_2 };

	for (u32 strict = 0; strict < 2; strict++) {
		for (u32 v = 0; v < 3; v++) {
			power_on(V1_2);
			spmc.strict = strict;
			driver_maps_its_buffers(versions[v]);
			assert_ret(fake_launch(), STOCKADE_EAGAIN);
			/* The driver goes on as before. */
			assert_true(spmc.mapped);
			assert_int_equal(spmc.tx, ffa_tx);
		}
	}
	/* Also where the hypervisor could not use FF-A. Guards the order in ffa_init(). */
	power_on(V1_1);
	spmc.min_buffers = 1;
	driver_maps_its_buffers(V1_1);
	assert_ret(fake_launch(), STOCKADE_EAGAIN);
	fake_unwatch(NULL);
}

/* It was unloaded: the launch goes on, and speaks what firmware has settled on. */
static void launch_after_the_driver_is_gone(void)
{
	power_on(V1_2);
	spmc.strict = true;
	driver_maps_its_buffers(V1_1);
	driver_unmaps_its_buffers();
	assert_ret(fake_launch(), 0);
	assert_false(spmc.mapped);
	assert_int_equal(ffa(SPMC_VERSION, V1_1), V1_1);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_true(spmc.mapped);
	fake_unwatch(NULL);
}

/* Firmware without FF-A, with another FF-A, with large buffers, with none: the host is told that there is none. */
static void no_ff_a(void)
{
	struct {
		u32 version, min_buffers, fail;
	} machines[] = { { 0, 0, 0 },
			 { 0x20000, 0, 0 },
			 { 0x8000, 0, 0 },
			 { V1_1, 1, 0 },
			 { V1_1, 2, 0 },
			 { V1_1, 3, 0 },
			 { V1_1, 0, SPMC_FEATURES },
			 { V1_1, 0, SPMC_RXTX_MAP } };

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		power_on(machines[i].version);
		spmc.min_buffers = machines[i].min_buffers;
		spmc.fail = machines[i].fail;
		spmc.fail_with = SPMC_NO_MEMORY;
		assert_ret(fake_launch(), 0);
		assert_false(spmc.mapped);
		fake.nr_smcs = 0;
		for (u32 f = SPMC_ERROR; f <= 0x840000ff; f++) {
			assert_int_equal(ffa(f, V1_0, 1, 2), ~0ull);
			assert_int_equal(ffa(f | SPMC_64, V1_0, 1, 2), ~0ull);
		}
		assert_int_equal(fake.nr_smcs, 0);
		assert_int_equal(logged("FF-A is off"), machines[i].version == V1_1);
	}
	fake_unwatch(NULL);
}

/* Firmware that answers a version of another major number, whatever it was asked. */
static void other_major(u64 *x)
{
	x[0] = 0x20000;
}

static void another_major_version(void)
{
	const struct fake_config config = { .smc = other_major };

	boot_again_as(&config);
	assert_int_equal(ffa(SPMC_VERSION, V1_0), ~0ull);
	fake_unwatch(NULL);
}

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
				assert_int_equal(fake.nr_smcs, 0);
			}
			/* FEATURES says the same. */
			assert_int_equal(ffa_ret(SPMC_FEATURES, function),
					 fate_of(function) == REFUSED ? SPMC_NOT_SUPPORTED : 0);
		}
	}
	assert_ffa(0, SPMC_FEATURES, SPMC_MEM_SHARE | SPMC_64);
	/* Features that are no functions: interrupts of notifications. */
	for (u32 feature = 0; feature < 4; feature++)
		assert_ffa(SPMC_NOT_SUPPORTED, SPMC_FEATURES, feature);
}

/* --- RXTX_MAP and UNMAP --- */

/* Firmware has the hypervisor's buffers, never the host's; spmc_check() sees to that. */
static void buffers(void)
{
	assert_true(spmc.mapped);
	assert_ffa_refused(SPMC_DENIED, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_UNMAP, 1 << 16);
	assert_true(spmc.mapped);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	assert_false(spmc.mapped);
	assert_ffa_refused(SPMC_INVALID, SPMC_RXTX_UNMAP);
	/* The 32-bit call, whose arguments have 32 bits. */
	assert_ffa(0, SPMC_RXTX_MAP, 0xabc00000000 | ffa_tx, 0xabc00000000 | ffa_rx,
		   1ull << 40 | 1);
	assert_true(spmc.mapped);
	assert_int_equal(ffa_share_page(host_page()), 0);
}

/* Buffers that are not the host's, or no buffers. Guards is_hosts() in map_buffers(). */
static void buffers_of_others(void)
{
	pa_t secure = host_page(), bad[16];
	u32 n = 0;

	assert_int_equal(ffa_share_page(secure), 0);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	vm = make_vm(1);
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

/*
 * The host maps its buffers and then gives the pages to a VM: the hypervisor neither reads nor writes them.
 * Guards is_hosts() in copy_from_host() and copy_to_host().
 */
static void buffers_that_become_a_guests(void)
{
	const struct ffa_test_range range = { host_page(), 1 };
	u32 length = ffa_write(V1_1, &range, 1);
	unsigned int smcs;

	vm = make_vm(1);
	donate(&vm, ffa_tx, 0x1000, 1);
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
}

/* 1.0: descriptors of 8 bytes, and the flag does not exist. */
static void partition_info_1_0(void)
{
	ffa_boot(V1_1, V1_0);
	spmc.info_count = 3;
	memset(fake_ram(ffa_rx), 0x77, PAGE_SIZE);
	assert_ffa(0, SPMC_PARTITION_INFO_GET, 0, 0, 0, 0, 1);
	assert_rx_is(24);
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

/* --- the end: ffa_leave() --- */

/* Unload: the host's buffers take the place of the hypervisor's, and calls go by as they are. */
static void unlaunch(void)
{
	pa_t page = host_page();

	spmc.direct = true;
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_true(spmc.mapped);
	assert_int_equal(spmc.tx, ffa_tx);
	assert_int_equal(spmc.rx, ffa_rx);
	/* What was negotiated and mapped goes on. */
	fake.nr_smcs = 0;
	assert_int_equal(ffa_share_page(page), 0);
	assert_int_equal(fake.smcs[0][0], SPMC_MEM_SHARE | SPMC_64);
	assert_true(spmc_holds(page));
	assert_state(page, PAGE_HOST);
	assert_int_equal(ffa_reclaim(ffa_handle), 0);
	assert_ffa(SPMC_NOT_SUPPORTED, SPMC_MEM_RETRIEVE_REQ);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.direct = false;
}

/* The kernel had none mapped; a second time; none but an unloaded hypervisor's calls go by. */
static void unlaunch_without_buffers(void)
{
	assert_ffa(0, SPMC_RXTX_UNMAP);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_false(spmc.mapped);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_false(spmc.mapped);
	assert_int_equal(fake.nr_smcs, 1);
}

/* A VM exists: no unload, and FF-A is as it was. */
static void unlaunch_that_is_refused(void)
{
	vm = make_vm(1);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), STOCKADE_EBUSY);
	assert_int_equal(fake.nr_smcs, 0);
	assert_int_equal(ffa_share_page(host_page()), 0);
}

/* Firmware does not take the kernel's buffers: said in the log. */
static void unlaunch_that_firmware_spoils(void)
{
	spmc.fail = SPMC_RXTX_MAP;
	spmc.fail_with = SPMC_NO_MEMORY;
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	assert_false(spmc.mapped);
	assert_true(logged("could not be mapped again"));
}

/* kexec: buffers are unmapped; the next kernel maps its own. */
static void soft_restart(void)
{
	struct host_regs regs = { .x = { 1, 0x41000000 } };
	pa_t page;

	ffa_boot(V1_1, V1_1);
	page = host_page();
	assert_int_equal(ffa_share_page(page), 0);
	fake.nr_smcs = 0;
	fake.host_esr = ESR(EC_HVC64, 0);
	assert_panics(host_trap(&regs));
	assert_string_equal(fake_panic_text, "launch_restart()");
	assert_false(spmc.mapped);
	/* What was shared comes back: the next kernel's hypervisor could not know of it. */
	assert_false(spmc_holds(page));
	assert_int_equal(fake.nr_smcs, 2);
	assert_int_equal(fake.smcs[1][0], SPMC_RXTX_UNMAP);
	fake_unwatch(NULL);
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

static void another_cpu_unlaunches(void)
{
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
}

/*
 * One CPU gives EL2 up while another is about to map buffers: firmware must not be left with buffers that are
 * no more the hypervisor's. Guards host_ffa(): left, with the lock.
 */
static void unlaunch_while_a_call_waits(void)
{
	struct fake_section bss = fake_section(0);

	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.direct = true;
	before_lock("&ffa_lock", 1, another_cpu_unlaunches);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	assert_true(before_lock_came());
	if (spmc.tx >= (u64)bss.base && spmc.tx < (u64)bss.base + bss.size)
		fail_msg("the hypervisor's buffers stay at firmware");
	assert_int_equal(spmc.tx, ffa_tx);
	assert_int_equal(spmc.rx, ffa_rx);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	spmc.direct = false;
}

/* A page that EL2 shares for other reasons is the host's all the same. */
static void a_buffer_that_is_shared_with_el2(void)
{
	vm = make_vm(1);
	assert_ffa(0, SPMC_RXTX_UNMAP);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, vm.run[0], 1);
	assert_int_equal(ffa_share_page(host_page()), 0);
}

/* No FF-A in firmware: after unload it is not for the hypervisor to say so. */
static void unlaunch_without_ffa(void)
{
	ffa_boot(0, 0);
	fake.nr_smcs = 0;
	ffa(SPMC_VERSION, V1_1);
	assert_int_equal(fake.nr_smcs, 0);
	assert_ret(hc(STOCKADE_HC_UNLAUNCH), 0);
	fake.nr_smcs = 0;
	ffa(SPMC_VERSION, V1_1);
	assert_int_equal(fake.nr_smcs, 1);
}

/* kexec: what firmware gave no handle for, or does not give back, stays with it. */
static void soft_restart_that_firmware_spoils(void)
{
	pa_t unnamed = host_page(), kept = host_page();

	spmc.odd = SPMC_MEM_SHARE;
	spmc.odd_answer = 0;
	ffa_share_page(unnamed);
	assert_int_equal(ffa_share_page(kept), 0);
	spmc.fail = SPMC_MEM_RECLAIM;
	spmc.fail_with = SPMC_DENIED;
	fake.nr_smcs = 0;
	ffa_leave(false);
	/* One reclaim, and the buffers. */
	assert_int_equal(fake.nr_smcs, 2);
	assert_state(unnamed, PAGE_HOST_SECURE);
	assert_state(kept, PAGE_HOST_SECURE);
	assert_true(spmc_holds(kept));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bare_test(launch_is_refused_while_ff_a_is_in_use),
		bare_test(launch_after_the_driver_is_gone),
		bare_test(no_ff_a),
		bare_test(another_major_version),
		ffa_test(version_negotiation),
		ffa_test(the_version_stays),
		ffa_test(firmware_keeps_its_version),
		ffa_test(firmware_answers_an_older_version),
		ffa_test(the_version_comes_first),
		ffa_test(an_allow_list),
		ffa_test(buffers),
		ffa_test(buffers_of_others),
		ffa_test(firmware_refuses_buffers),
		ffa_test(buffers_that_become_a_guests),
		ffa_test(partition_info),
		ffa_test(partition_info_1_0),
		ffa_test(partition_info_that_does_not_fit),
		ffa_test(unlaunch),
		ffa_test(unlaunch_without_buffers),
		ffa_test(unlaunch_that_is_refused),
		ffa_test(unlaunch_that_firmware_spoils),
		bare_test(soft_restart),
		ffa_test(a_buffer_that_is_shared_with_el2),
		bare_test(unlaunch_without_ffa),
		ffa_test(soft_restart_that_firmware_spoils),
		ffa_test(a_refused_call_is_logged),
		ffa_test(unlaunch_while_a_call_waits),
	};

	return RUN("hyp-host-ffa", tests);
}
