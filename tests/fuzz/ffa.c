// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that makes FF-A calls, gives pages away and changes its buffers at bad moments. The input is a list
 * of operations: a byte that chooses, and what it needs. After each of them the machine must be consistent, and
 * the secure world hold the pages that it may hold, no others (tests/fake/spmc.c).
 */
#include <string.h>

#include <stockade/hostcall.h>

#include "fuzz.h"
#include "mem/host_map.h"
#include "spmc.h"

#define MAX_OPERATIONS 40
/* By an operation, and by a race in it. */
#define MAX_DONATED (2 * MAX_OPERATIONS)
#define TX	    fuzz_page(0)
#define RX	    fuzz_page(1)

static u32 spoken;
static u64 handles[8], vm;
static unsigned int nr_handles, nr_donated;
static bool left;
static pa_t donated[MAX_DONATED];
static u8 contents[MAX_DONATED][PAGE_SIZE];

/* What another CPU does while a call is at work. */
static struct {
	unsigned int locks; /* before mem_lock is taken so many times */
	bool donate;
	pa_t page;
	u32 offset;
	u64 value;
} race;

static pa_t any_page(struct fuzz_input *in)
{
	u8 n = (u8)fuzz_take(in, 1);

	switch (n) {
	case 0xf0:
		return fake.launch.image;
	case 0xf1:
		return fake.launch.pool[0].base;
	case 0xf2:
		return fake.launch.log;
	case 0xf3:
		return FAKE_RAM_BASE + 0x3ff000;
	case 0xf4:
		return FAKE_RAM_BASE + 0x400000;
	case 0xf5:
		return 0;
	case 0xf6:
		return ~PAGE_SIZE + 1;
	case 0xf7:
		return fuzz_page(5) + 8;
	case 0xf8:
		return fuzz_take(in, 8);
	default:
		return fuzz_page(n);
	}
}

static u64 any_number(struct fuzz_input *in)
{
	static const u64 numbers[] = { 0,	1,	    16,		32,   48,   64,
				       80,	96,	    4080,	4096, 4097, BIT(31),
				       BIT(32), 0xffffffff, 0xfffffff0, ~0ull };
	u8 n = (u8)fuzz_take(in, 1);

	if (n < ARRAY_SIZE(numbers))
		return numbers[n];
	return n < 0xf0 ? n : fuzz_take(in, 8);
}

/* A store of the host's: it would fault where TX is not the host's any more. */
static void patch(u32 offset, unsigned int bytes, u64 value)
{
	if (offset + bytes <= PAGE_SIZE && fake_walk(&host_map, TX).valid)
		memcpy((u8 *)fake_ram(TX) + offset, &value, bytes);
}

static void donate(pa_t pa)
{
	if (fuzz_hc(STOCKADE_HC_HOST_DONATE_GUEST, vm, pa >> PAGE_SHIFT, nr_donated + 1, 1))
		return;
	donated[nr_donated] = pa;
	memcpy(contents[nr_donated++], fake_ram(pa), PAGE_SIZE);
}

/* The guest does nothing: what it was given stays as it was. */
static void check_donated(void)
{
	for (unsigned int i = 0; i < nr_donated; i++)
		if (memcmp(contents[i], fake_ram(donated[i]), PAGE_SIZE))
			fake_fail("a guest's page 0x%lx has changed", donated[i]);
}

static void race_comes(const char *name)
{
	if (strcmp(name, "&mem_lock") || !race.locks || --race.locks)
		return;
	fake_cpu(1);
	if (race.donate)
		donate(race.page);
	else
		patch(race.offset, 8, race.value);
}

/* The race is with FF-A calls: in others, this CPU may hold what the other one would wait for. */
static void call(u64 *x)
{
	fake.before_lock = race.locks ? race_comes : NULL;
	fuzz_smc(x);
	fake.before_lock = NULL;
	fake_cpu(0);
}

/* --- operations --- */

static void keep_handle(const u64 *x)
{
	if ((u32)x[0] == SPMC_SUCCESS)
		handles[nr_handles++ % 8] = (u32)x[2] | x[3] << 32;
	else if ((u32)x[0] == SPMC_MEM_FRAG_RX)
		handles[nr_handles++ % 8] = (u32)x[1] | x[2] << 32;
}

static void raw_call(struct fuzz_input *in)
{
	u64 x[18] = { SPMC_ERROR + fuzz_take(in, 1) % 0xa0 };
	u8 which = (u8)fuzz_take(in, 1);

	x[0] |= which & 0x80 ? SPMC_64 : 0;
	for (unsigned int i = 1; i < 8; i++)
		if (which & 1 << (i - 1))
			x[i] = any_number(in);
	call(x);
}

static void write_ranges(struct fuzz_input *in, u32 at, u32 nr, u32 *pages)
{
	for (u32 i = 0; i < nr; i++) {
		u64 pa = any_page(in);
		u32 n = (u32)fuzz_take(in, 1);

		n = n < 0xf0 ? n % 4 : (u32)fuzz_take(in, 4);
		patch(at + i * 16, 8, pa);
		patch(at + i * 16 + 8, 4, n);
		patch(at + i * 16 + 12, 4, 0);
		*pages += n;
	}
}

/* A descriptor that is right but for a field or two, perhaps only its first part, sent. */
static void share(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1), shape = (u8)fuzz_take(in, 1);
	u32 header = spoken == 0x10000 ? 32 : 48, composite = header + 16;
	u32 nr = shape % 8, later = (shape >> 3) % 8, pages = 0;
	u32 total = composite + 16 + (nr + later) * 16, first = total - later * 16;
	u64 x[18] = { how & 1 ? SPMC_MEM_SHARE : SPMC_MEM_LEND, total, first };

	for (u32 i = 0; i < composite + 16; i += 8)
		patch(i, 8, 0);
	patch(28, 4, 1);
	if (spoken != 0x10000) {
		patch(24, 4, 16);
		patch(32, 4, header);
	}
	patch(header + 4, 4, composite);
	write_ranges(in, composite + 16, nr, &pages);
	patch(composite, 4, pages + later);
	patch(composite + 4, 4, nr + later);
	for (unsigned int i = how >> 2 & 3; i; i--)
		patch((u32)fuzz_take(in, 1) % 96, 4, any_number(in));
	if (how & 2)
		x[0] |= SPMC_64;
	if (how & 0x10)
		x[1] = any_number(in);
	if (how & 0x20)
		x[2] = any_number(in);
	if (how & 0x40)
		x[3 + (how >> 7)] = any_number(in);
	call(x);
	keep_handle(x);
}

static void send_fragment(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);
	u64 handle = handles[how % 8];
	u32 nr = how >> 3 & 7, pages = 0;
	u64 x[18] = { SPMC_MEM_FRAG_TX, (u32)handle, handle >> 32, nr * 16 };

	write_ranges(in, 0, nr, &pages);
	if (how & 0x40)
		x[3] = any_number(in);
	if (how & 0x80)
		x[4] = any_number(in);
	call(x);
}

static void reclaim(struct fuzz_input *in)
{
	u64 handle = handles[fuzz_take(in, 1) % 8];
	u64 x[18] = { SPMC_MEM_RECLAIM, (u32)handle, handle >> 32 };

	call(x);
}

static void buffers(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);
	u64 x[18] = { SPMC_RXTX_MAP | (how & 1 ? SPMC_64 : 0), TX, RX, 1 };
	u64 y[18] = { SPMC_RXTX_UNMAP };

	if (how & 2)
		call(y);
	if (how & 4)
		x[1] = any_page(in);
	if (how & 8)
		x[2] = any_page(in);
	if (how & 16)
		x[3] = any_number(in);
	call(x);
}

static void partition_info(struct fuzz_input *in)
{
	u64 x[18] = { SPMC_PARTITION_INFO_GET }, y[18] = { SPMC_RX_RELEASE };

	x[5] = fuzz_take(in, 1);
	spmc.info_count = (u32)any_number(in);
	spmc.info_size = (u32)any_number(in);
	call(x);
	call(y);
}

/* The next call goes wrong at firmware. */
static void spoil(struct fuzz_input *in)
{
	static const u32 functions[] = { SPMC_MEM_SHARE,   SPMC_MEM_LEND, SPMC_MEM_FRAG_TX,
					 SPMC_MEM_RECLAIM, SPMC_RXTX_MAP, SPMC_PARTITION_INFO_GET };
	u8 how = (u8)fuzz_take(in, 1);
	u32 function = functions[how % ARRAY_SIZE(functions)];

	if (how & 0x80) {
		spmc.fail = function;
		spmc.fail_with = -(s32)(fuzz_take(in, 1) % 10);
	} else if (function != SPMC_RXTX_MAP) {
		u32 answer = SPMC_ERROR + (u32)fuzz_take(in, 1) % 32;

		/* "Refused" of what was not would be a lie that nobody can see through; so would "reclaimed". */
		spmc.odd = answer == SPMC_ERROR ? 0 : function;
		spmc.odd_answer = answer;
	}
}

static void start_race(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);

	race.locks = how % 16;
	race.donate = how & 0x80;
	if (race.donate) {
		race.page = any_page(in);
	} else {
		race.offset = (u32)fuzz_take(in, 1) % 96;
		race.value = any_number(in);
	}
}

static void unlaunch(void)
{
	spmc.direct = true;
	left = !fuzz_hc(STOCKADE_HC_UNLAUNCH);
	spmc.direct = left;
}

static void operate(struct fuzz_input *in)
{
	switch (fuzz_take(in, 1) % 12) {
	case 0:
		raw_call(in);
		break;
	case 1:
		patch((u32)fuzz_take(in, 1), 8, fuzz_take(in, 8));
		break;
	case 2:
	case 3:
		share(in);
		break;
	case 4:
		send_fragment(in);
		break;
	case 5:
		reclaim(in);
		break;
	case 6:
		donate(any_page(in));
		break;
	case 7:
		fuzz_hc(STOCKADE_HC_POOL_TOPUP, any_page(in) >> PAGE_SHIFT, fuzz_take(in, 1) % 4);
		break;
	case 8:
		spoil(in);
		break;
	case 9:
		start_race(in);
		break;
	case 10:
		buffers(in);
		break;
	case 11:
		if (in->left == 1)
			unlaunch();
		else
			partition_info(in);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u8 start = (u8)fuzz_take(&in, 1);
	u64 version[18] = { SPMC_VERSION }, map[18] = { SPMC_RXTX_MAP, TX, RX, 1 };

	spmc_power_on(0x10000 + (start & 3) % 3);
	spmc.strict = start & 0x80;
	fuzz_boot(spmc_smc);
	memset(&race, 0, sizeof(race));
	memset(handles, 0, sizeof(handles));
	nr_handles = nr_donated = 0;
	left = false;
	version[1] = 0x10000 + (start >> 2 & 3) % 3;
	if (!(start & 0x10)) {
		fuzz_smc(version);
		fuzz_smc(map);
	}
	spoken = spmc.spoken;
	/* Without one there can be an unload. */
	if (!(start & 0x20))
		vm = fuzz_make_vm();
	for (unsigned int i = 0; i < MAX_OPERATIONS && fuzz_more(&in) && !left; i++) {
		operate(&in);
		fake_check();
		spmc_check();
		check_donated();
	}
	return 0;
}
