// SPDX-License-Identifier: GPL-2.0-only
#include "ffatest.h"

pa_t ffa_tx, ffa_rx;
u64 ffa_x[18], ffa_handle;

static u32 spoken_now;

static const char *lock_name;
static unsigned int locks_left;
static void (*lock_action)(void);

u64 ffa_call(const u64 *x)
{
	struct host_regs regs = { 0 }, before;

	for (unsigned int i = 0; i < 31; i++)
		regs.x[i] = i < 8 || (i < 18 && x[i]) ? x[i] : 0x111100000000 * i;
	before = regs;
	fake.host_esr = ESR(EC_SMC64, 0);
	dirty_stack();
	host_trap(&regs);
	/* Results have eight registers. */
	for (unsigned int i = 8; i < 31; i++)
		assert_int_equal(regs.x[i], before.x[i]);
	memcpy(ffa_x, regs.x, sizeof(ffa_x));
	return ffa_x[0];
}

s32 ffa_status(const u64 *x)
{
	u32 ret = (u32)ffa_call(x);

	if (ret == SPMC_ERROR) {
		for (u32 i = 1; i < 8; i++)
			if (i != 2)
				assert_int_equal(ffa_x[i], 0);
		return (s32)ffa_x[2];
	}
	if (ret == SPMC_SUCCESS || ret == (SPMC_SUCCESS | SPMC_64))
		return 0;
	return (s32)ret;
}

void assert_ffa_success(void)
{
	assert_int_equal(ffa_x[0], SPMC_SUCCESS);
	for (u32 i = 1; i < 8; i++)
		assert_int_equal(ffa_x[i], 0);
}

void ffa_boot(u32 firmware, u32 spoken)
{
	const struct fake_config config = { .smc = spmc_smc };

	spmc_power_on(firmware);
	boot_again_as(&config);
	ffa_tx = host_page();
	ffa_rx = host_page();
	spoken_now = spoken;
	if (!spoken)
		return;
	assert_int_equal(ffa(SPMC_VERSION, spoken), spoken);
	assert_ffa(0, SPMC_RXTX_MAP | SPMC_64, ffa_tx, ffa_rx, 1);
	fake.nr_smcs = 0;
}

void on_ffa_machine(void **state)
{
	hyp_test_fn *test = (hyp_test_fn *)*state;

	lock_action = NULL;
	ffa_boot(V1_1, V1_1);
	test();
	fake_check();
	spmc_check();
}

/* --- descriptors: DEN0077A 1.0, 5.11; 1.1 and 1.2, 10.9 --- */

void ffa_patch(u32 offset, unsigned int bytes, u64 value)
{
	memcpy((u8 *)fake_ram(ffa_tx) + offset, &value, bytes);
}

u32 ffa_composite_at(u32 version)
{
	return version == V1_0 ? 48 : version == V1_1 ? 64 : 80;
}

u32 ffa_write(u32 version, const struct ffa_test_range *ranges, u32 nr)
{
	u32 header = version == V1_0 ? 32 : 48;
	u32 composite = ffa_composite_at(version), pages = 0;

	memset(fake_ram(ffa_tx), 0, PAGE_SIZE);
	ffa_patch(2, 1, 0x2f);		      /* normal memory, write-back, inner shareable */
	ffa_patch(16, 8, 0xfeedfacecafef00d); /* tag */
	ffa_patch(28, 4, 1);		      /* receivers */
	if (version != V1_0) {
		ffa_patch(24, 4, composite - header);
		ffa_patch(32, 4, header);
	}
	ffa_patch(header, 2, 0x8001); /* receiver */
	ffa_patch(header + 2, 1, 2);  /* read and write */
	ffa_patch(header + 4, 4, composite);
	for (u32 i = 0; i < nr; i++) {
		ffa_patch(composite + 16 + i * 16, 8, ranges[i].pa);
		ffa_patch(composite + 24 + i * 16, 4, ranges[i].nr);
		pages += ranges[i].nr;
	}
	ffa_patch(composite, 4, pages);
	ffa_patch(composite + 4, 4, nr);
	return composite + 16 + nr * 16;
}

s32 ffa_share(const struct ffa_test_range *ranges, u32 nr)
{
	u32 length = ffa_write(spoken_now, ranges, nr);
	s32 ret = ffa_ret(SPMC_MEM_SHARE | SPMC_64, length, length);

	ffa_handle = (u32)ffa_x[2] | ffa_x[3] << 32;
	return ret;
}

s32 ffa_share_page(pa_t pa)
{
	const struct ffa_test_range range = { pa, 1 };

	return ffa_share(&range, 1);
}

s32 ffa_reclaim(u64 handle)
{
	return ffa_ret(SPMC_MEM_RECLAIM, (u32)handle, handle >> 32);
}

/* --- other CPUs --- */

static void on_lock(const char *name)
{
	void (*action)(void) = lock_action;

	if (strcmp(name, lock_name) || --locks_left)
		return;
	fake.before_lock = NULL;
	lock_action = NULL;
	fake_cpu(1);
	action();
}

void before_lock(const char *name, unsigned int n, void (*f)(void))
{
	lock_name = name;
	locks_left = n;
	lock_action = f;
	fake.before_lock = on_lock;
}

bool before_lock_came(void)
{
	return !lock_action;
}
