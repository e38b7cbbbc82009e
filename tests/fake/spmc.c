// SPDX-License-Identifier: GPL-2.0-only
#include "spmc.h"

#include <stdlib.h>
#include <string.h>

#include "fake.h"
#include "mem/page.h"

#define NR_FRAMES	 ((FAKE_RAM_END - FAKE_RAM_BASE) >> PAGE_SHIFT)
#define MAX_TRANSACTIONS 600
#define MAX_DESCRIPTOR	 (64 * 1024)
#define BUFFER		 4096

struct spmc spmc;

static struct transaction {
	bool used;
	u64 handle;
	u8 *descriptor;
	u64 total, received;
	u64 pages; /* that it names so far */
} transactions[MAX_TRANSACTIONS];

static u16 holder[NR_FRAMES]; /* number of a transaction, + 1 */

void spmc_power_on(u32 version)
{
	for (size_t i = 0; i < MAX_TRANSACTIONS; i++)
		if (transactions[i].used)
			free(transactions[i].descriptor);
	memset(transactions, 0, sizeof(transactions));
	memset(holder, 0, sizeof(holder));
	spmc = (struct spmc){
		.version = version,
		.next_handle = 0x100000003,
		.info_count = 2,
		.info_size = 24,
	};
}

static bool is_ram(pa_t pa)
{
	return pa >= FAKE_RAM_BASE && pa < FAKE_RAM_END;
}

bool spmc_holds(pa_t pa)
{
	return holder[(pa - FAKE_RAM_BASE) >> PAGE_SHIFT];
}

static u64 get(const u8 *from, unsigned int bytes)
{
	u64 value = 0;

	for (unsigned int i = bytes; i--;)
		value = value << 8 | from[i];
	return value;
}

static void error(u64 *x, s32 code)
{
	memset(x, 0, 8 * sizeof(*x));
	x[0] = SPMC_ERROR;
	x[2] = (u32)code;
}

static void success(u64 *x, u64 x2, u64 x3)
{
	memset(x, 0, 8 * sizeof(*x));
	x[0] = SPMC_SUCCESS;
	x[2] = x2;
	x[3] = x3;
}

/* --- buffers --- */

static u8 *buffer(u64 pa)
{
	struct fake_section bss = fake_section(0);
	u64 base = (u64)bss.base;

	if (is_ram(pa) && spmc.direct)
		return fake_ram(pa);
	if (pa < base || pa - base + BUFFER > bss.size)
		fake_fail("the SPMC's buffer at 0x%lx is not the hypervisor's", pa);
	return (u8 *)pa;
}

static void map(u64 *x)
{
	if (spmc.mapped) {
		error(x, SPMC_DENIED);
		return;
	}
	if (x[3] != 1 || x[1] == x[2] || (x[1] | x[2]) % BUFFER) {
		error(x, SPMC_INVALID);
		return;
	}
	buffer(x[1]);
	buffer(x[2]);
	spmc.tx = x[1];
	spmc.rx = x[2];
	spmc.mapped = true;
	spmc.rx_full = false;
	success(x, 0, 0);
}

static void unmap(u64 *x)
{
	if (!spmc.mapped || x[1]) {
		error(x, SPMC_INVALID);
		return;
	}
	spmc.mapped = false;
	success(x, 0, 0);
}

static void partition_info(u64 *x)
{
	bool count_only = spmc.spoken > 0x10000 && (x[5] & 1);
	u32 size = spmc.spoken > 0x10000 ? spmc.info_size : 8;
	u8 *rx;

	if (!count_only) {
		if (!spmc.mapped || spmc.rx_full) {
			error(x, spmc.mapped ? SPMC_BUSY : SPMC_DENIED);
			return;
		}
		rx = buffer(spmc.rx);
		for (u64 i = 0; i < BUFFER; i++)
			rx[i] = i < (u64)spmc.info_count * size ? (u8)(i ^ 0xa5) : 0;
		spmc.rx_full = true;
	}
	success(x, spmc.info_count, spmc.spoken > 0x10000 ? size : 0);
}

/* --- memory --- */

static struct transaction *find(u64 handle)
{
	for (size_t i = 0; i < MAX_TRANSACTIONS; i++)
		if (transactions[i].used && transactions[i].handle == handle)
			return &transactions[i];
	return NULL;
}

static void let_go(struct transaction *t)
{
	u16 number = (u16)(t - transactions + 1);

	for (u64 frame = 0; frame < NR_FRAMES; frame++) {
		if (holder[frame] == number) {
			holder[frame] = 0;
			spmc.nr_held--;
		}
	}
	free(t->descriptor);
	t->used = false;
}

static void hold(struct transaction *t, pa_t pa)
{
	const struct page *page = is_ram(pa) ? fake_page(pa) : NULL;
	u16 *h = &holder[(pa - FAKE_RAM_BASE) >> PAGE_SHIFT];

	if (pa % PAGE_SIZE || !page)
		fake_fail("the secure world is told of 0x%lx, which is no page", pa);
	if (!spmc.direct && page->state != PAGE_HOST_SECURE)
		fake_fail("the secure world is told of 0x%lx, which is %s", pa,
			  fake_state_name(page->state));
	if (*h)
		fake_fail("the secure world is told of 0x%lx a second time", pa);
	*h = (u16)(t - transactions + 1);
	spmc.nr_held++;
}

/* Ranges of one receiver whose bytes are in [from, received). False: there is no such thing. */
static bool hold_ranges(struct transaction *t, u64 composite, u64 from)
{
	u64 nr;

	if (composite + 16 > t->received)
		return false;
	nr = get(t->descriptor + composite + 4, 4);
	if (!nr || composite + 16 + nr * 16 > t->total)
		return false;
	for (u64 i = 0; i < nr; i++) {
		u64 at = composite + 16 + i * 16;
		u64 pa, pages;

		if (at < from || at + 16 > t->received)
			continue;
		pa = get(t->descriptor + at, 8);
		pages = get(t->descriptor + at + 8, 4);
		for (u64 page = 0; page < pages; page++)
			hold(t, pa + page * PAGE_SIZE);
		t->pages += pages;
	}
	return true;
}

static bool hold_new(struct transaction *t, u64 from)
{
	bool old = spmc.spoken == 0x10000;
	const u8 *d = t->descriptor;
	u64 ep_size, ep_offset, nr;

	if (t->received < (old ? 32 : 48) || get(d, 2) || get(d + 8, 8))
		return false;
	ep_size = old ? 16 : get(d + 24, 4);
	nr = get(d + 28, 4);
	ep_offset = old ? 32 : get(d + 32, 4);
	if (!nr || ep_size < 16)
		return false;
	for (u64 i = 0; i < nr; i++) {
		u64 ep = ep_offset + i * ep_size;

		if (ep + 16 > t->received || !hold_ranges(t, get(d + ep + 4, 4), from))
			return false;
		if (t->received == t->total && t->pages != get(d + get(d + ep + 4, 4), 4))
			return false;
	}
	return true;
}

static void receive(u64 *x, struct transaction *t, u64 bytes)
{
	u64 from = t->received;

	memcpy(t->descriptor + from, buffer(spmc.tx), bytes);
	t->received += bytes;
	if (!hold_new(t, from)) {
		let_go(t);
		error(x, SPMC_INVALID);
		return;
	}
	if (t->received == t->total) {
		success(x, (u32)t->handle, t->handle >> 32);
		return;
	}
	memset(x, 0, 8 * sizeof(*x));
	x[0] = SPMC_MEM_FRAG_RX;
	x[1] = (u32)t->handle;
	x[2] = t->handle >> 32;
	x[3] = t->received;
}

/* Lengths are read in all 64 bits: some firmware does. */
static void share(u64 *x)
{
	struct transaction *t = transactions;

	if (x[3] || x[4])
		fake_fail("a buffer at 0x%lx that nobody has checked reaches firmware", x[3]);
	if (!spmc.mapped || x[2] > BUFFER || x[2] > x[1]) {
		error(x, SPMC_INVALID);
		return;
	}
	while (t < transactions + MAX_TRANSACTIONS && t->used)
		t++;
	if (t == transactions + MAX_TRANSACTIONS || x[1] > MAX_DESCRIPTOR) {
		error(x, SPMC_NO_MEMORY);
		return;
	}
	*t = (struct transaction){
		.used = true,
		.handle = spmc.next_handle++,
		.descriptor = calloc(1, x[1] + 1),
		.total = x[1],
	};
	receive(x, t, x[2]);
}

/* Who is not the sender, or sends too much, is refused, and the transaction goes on: so TF-A has it. */
static void fragment(u64 *x)
{
	struct transaction *t = find((u32)x[1] | x[2] << 32);

	if (!t || x[4] || !spmc.mapped || x[3] > BUFFER || x[3] > t->total - t->received)
		error(x, SPMC_INVALID);
	else
		receive(x, t, x[3]);
}

static void reclaim(u64 *x)
{
	struct transaction *t = find((u32)x[1] | x[2] << 32);

	if (!t) {
		error(x, SPMC_INVALID);
		return;
	}
	let_go(t);
	success(x, 0, 0);
}

/* --- calls --- */

static void set_version(u64 *x)
{
	u32 wanted = (u32)x[1];

	x[0] = (u64)SPMC_NOT_SUPPORTED;
	if (wanted >> 16 != spmc.version >> 16)
		return;
	if (spmc.strict && (wanted > spmc.version || (spmc.settled && wanted != spmc.spoken)))
		return;
	spmc.spoken = wanted < spmc.version ? wanted : spmc.version;
	x[0] = spmc.version;
}

static void features(u64 *x)
{
	switch (x[1] & ~(u64)SPMC_64) {
	case SPMC_RXTX_MAP:
		success(x, spmc.min_buffers, 0);
		break;
	default:
		success(x, 0, 0);
		break;
	}
}

static void serve(u64 *x)
{
	switch ((u32)x[0]) {
	case SPMC_FEATURES:
		features(x);
		break;
	case SPMC_RXTX_MAP:
	case SPMC_RXTX_MAP | SPMC_64:
		map(x);
		break;
	case SPMC_RXTX_UNMAP:
		unmap(x);
		break;
	case SPMC_RX_RELEASE:
		if (!spmc.rx_full) {
			error(x, SPMC_DENIED);
			break;
		}
		spmc.rx_full = false;
		success(x, 0, 0);
		break;
	case SPMC_PARTITION_INFO_GET:
		partition_info(x);
		break;
	case SPMC_MEM_SHARE:
	case SPMC_MEM_SHARE | SPMC_64:
	case SPMC_MEM_LEND:
	case SPMC_MEM_LEND | SPMC_64:
		share(x);
		break;
	case SPMC_MEM_FRAG_TX:
		fragment(x);
		break;
	case SPMC_MEM_RECLAIM:
		reclaim(x);
		break;
	case SPMC_ID_GET:
	case SPMC_SPM_ID_GET:
	case SPMC_RUN:
	case SPMC_DIRECT_REQ:
	case SPMC_DIRECT_REQ | SPMC_64:
	case SPMC_DIRECT_REQ2 | SPMC_64:
	case SPMC_PARTITION_INFO_GET_REGS | SPMC_64:
		success(x, 0, 0);
		break;
	case SPMC_MEM_DONATE:
	case SPMC_MEM_DONATE | SPMC_64:
	case SPMC_MEM_RETRIEVE_REQ:
	case SPMC_MEM_RETRIEVE_REQ | SPMC_64:
	case SPMC_MEM_RELINQUISH:
		if (!spmc.direct)
			fake_fail("function 0x%x reaches firmware", (u32)x[0]);
		/* fall through */
	default:
		error(x, SPMC_NOT_SUPPORTED);
		break;
	}
}

void spmc_smc(u64 *x)
{
	u32 function = (u32)x[0] & ~SPMC_64;

	if (spmc.on_call)
		spmc.on_call(x);
	if (!spmc.version || function < SPMC_ERROR || function > 0x840000ff) {
		x[0] = ~0ull;
		return;
	}
	if (spmc.fail == function) {
		spmc.fail = 0;
		if (function == SPMC_MEM_FRAG_TX && find((u32)x[1] | x[2] << 32))
			let_go(find((u32)x[1] | x[2] << 32));
		error(x, spmc.fail_with);
		return;
	}
	if (function == SPMC_VERSION) {
		set_version(x);
		return;
	}
	spmc.settled = true;
	serve(x);
	if (spmc.odd == function) {
		spmc.odd = 0;
		x[0] = spmc.odd_answer;
	}
}

void spmc_check(void)
{
	if (spmc.mapped) {
		buffer(spmc.tx);
		buffer(spmc.rx);
	}
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];

		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE) {
			const struct page *page = fake_page(pa);
			bool secure = page && page->state == PAGE_HOST_SECURE;

			if (secure != spmc_holds(pa))
				fake_fail("0x%lx is %s, and the secure world %s it", pa,
					  fake_state_name(page ? page->state : PAGE_NONE),
					  spmc_holds(pa) ? "has" : "has not");
		}
	}
}
