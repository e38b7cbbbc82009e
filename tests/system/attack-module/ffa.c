// SPDX-License-Identifier: GPL-2.0-only
/*
 * FF-A calls of a hostile kernel (Arm DEN0077A 1.1): what it must not share with the secure world. Only where
 * firmware has FF-A and no driver uses it.
 */
#include <linux/arm-smccc.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/seq_buf.h>

#include <stockade/hostcall.h>

#include "attack.h"

#define FFA_ERROR	      0x84000060u
#define FFA_SUCCESS	      0x84000061u
#define FFA_VERSION	      0x84000063u
#define FFA_FEATURES	      0x84000064u
#define FFA_RXTX_MAP	      0xc4000066u
#define FFA_RXTX_MAP_32	      0x84000066u
#define FFA_RXTX_UNMAP	      0x84000067u
#define FFA_MEM_DONATE	      0xc4000071u
#define FFA_MEM_LEND	      0xc4000072u
#define FFA_MEM_SHARE	      0xc4000073u
#define FFA_MEM_SHARE_32      0x84000073u
#define FFA_MEM_RETRIEVE_REQ  0xc4000074u
#define FFA_MEM_RELINQUISH    0x84000076u
#define FFA_MEM_RECLAIM	      0x84000077u
#define FFA_NOTIFICATION_BIND 0x8400007fu

#define VERSION_1_1   0x10001
#define OPTEE_ID      0x8001
#define RANGES_OFFSET 80

struct ffa_range {
	u64 address;
	u32 pages, reserved;
};

static u8 *tx;
static u64 tx_pfn, rx_pfn;

/* 0, or FF-A's error; SMCCC's "not supported" too. */
static s64 ffa(u32 function, u64 a1, u64 a2, u64 a3, u64 a4, u64 *handle)
{
	struct arm_smccc_res res;

	arm_smccc_smc(function, a1, a2, a3, a4, 0, 0, 0, &res);
	if (handle)
		*handle = (u32)res.a2 | res.a3 << 32;
	if ((u32)res.a0 == FFA_ERROR)
		return (s32)res.a2;
	return (res.a0 & ~0x40000000ul) == FFA_SUCCESS ? 0 : (s32)res.a0;
}

/* A descriptor of n ranges in TX, all fields right; returns its length. */
static u32 describe(const struct ffa_range *ranges, u32 n)
{
	u32 *word = (u32 *)tx, i, pages = 0;

	memset(tx, 0, PAGE_SIZE);
	((u16 *)tx)[1] = 0x2f; /* normal memory, write-back, inner shareable */
	word[6] = 16;	       /* size and number of endpoint descriptors, and where they are */
	word[7] = 1;
	word[8] = 48;
	word[12] = OPTEE_ID | 2 << 16; /* read and write */
	word[13] = 64;
	for (i = 0; i < n; i++)
		pages += ranges[i].pages;
	word[16] = pages;
	word[17] = n;
	memcpy(tx + RANGES_OFFSET, ranges, n * sizeof(*ranges));
	return RANGES_OFFSET + n * sizeof(*ranges);
}

static s64 share_ranges(u32 function, const struct ffa_range *ranges, u32 n, u64 *handle)
{
	u32 length = describe(ranges, n);

	return ffa(function, length, length, 0, 0, handle);
}

static s64 share(u64 pfn, u32 pages, u64 *handle)
{
	struct ffa_range range = { pfn << PAGE_SHIFT, pages };

	return share_ranges(FFA_MEM_SHARE, &range, 1, handle);
}

static s64 reclaim(u64 handle)
{
	return ffa(FFA_MEM_RECLAIM, (u32)handle, handle >> 32, 0, 0, NULL);
}

static void say(struct seq_buf *out, const char *name, s64 value)
{
	seq_buf_printf(out, "ffa_%s %lld\n", name, value);
}

static s64 donate(const struct raw_vm *vm, u64 pfn, u64 gfn)
{
	return raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm->handle, pfn, gfn, 1, NULL);
}

/* Pages that are not the host's, alone and behind one that is. */
static void others_pages(const struct raw_vm *vm, u64 own, struct seq_buf *out)
{
	struct ffa_range two[2] = { { own << PAGE_SHIFT, 1 }, { vm->vm << PAGE_SHIFT, 1 } };
	u64 handle;

	say(out, "share_guest_page", share(vm->code, 1, NULL));
	say(out, "share_hyp_page", share(vm->vm, 1, NULL));
	say(out, "share_run_page", share(vm->run[0], 1, NULL));
	say(out, "share_mmio", share(0x9000, 1, NULL));
	say(out, "share_beyond_ram", share(ram_end_pfn, 1, NULL));
	say(out, "lend_hyp_page", share_ranges(FFA_MEM_LEND, &two[1], 1, NULL));
	say(out, "share_32_hyp_page", share_ranges(FFA_MEM_SHARE_32, &two[1], 1, NULL));
	say(out, "share_own_and_hyp_page", share_ranges(FFA_MEM_SHARE, two, 2, NULL));
	two[1] = two[0];
	say(out, "share_twice_in_one", share_ranges(FFA_MEM_SHARE, two, 2, NULL));
	/* None of that has left a mark on the page that is ours. */
	say(out, "share_own_after_all", share(own, 1, &handle));
	say(out, "reclaim_own_after_all", reclaim(handle));
}

static void shared_page(const struct raw_vm *vm, u64 own, struct seq_buf *out)
{
	u64 handle = 0;

	say(out, "share_own", share(own, 1, &handle));
	say(out, "share_again", share(own, 1, NULL));
	say(out, "donate_shared", donate(vm, own, 0x50000));
	say(out, "topup_shared", raw_call(STOCKADE_HC_VM_TOPUP, vm->handle, own, 1, 0, NULL));
	say(out, "reclaim_unknown", reclaim(handle + 0x12345));
	say(out, "reclaim", reclaim(handle));
	say(out, "reclaim_again", reclaim(handle));
	say(out, "donate_reclaimed", donate(vm, own, 0x50000));
	say(out, "share_donated", share(own, 1, NULL));
}

/* Descriptors that lie about themselves. */
static void hostile_descriptors(u64 own, struct seq_buf *out)
{
	static const struct {
		const char *name;
		u32 word, value;
	} lies[] = {
		{ "sender", 0, 0x1 },
		{ "handle", 2, 0x1 },
		{ "no_endpoint", 7, 0 },
		{ "two_endpoints", 7, 2 },
		{ "many_endpoints", 7, ~0u },
		{ "endpoints_in_header", 8, 16 },
		{ "endpoints_beyond", 8, 4096 },
		{ "endpoints_overflow", 8, ~0u - 7 },
		{ "endpoint_size_0", 6, 0 },
		{ "endpoint_size_overflow", 6, ~0u },
		{ "composite_in_header", 13, 0 },
		{ "composite_at_end", 13, 88 },
		{ "composite_overflow", 13, ~0u - 15 },
		{ "no_range", 17, 0 },
		{ "two_ranges", 17, 2 },
		{ "ranges_overflow", 17, 0x10000001 },
		{ "ranges_most", 17, ~0u },
	};
	struct ffa_range range = { own << PAGE_SHIFT, 1 };
	char name[48];
	u64 handle;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		u32 length = describe(&range, 1);

		((u32 *)tx)[lies[i].word] = lies[i].value;
		snprintf(name, sizeof(name), "lie_%s", lies[i].name);
		say(out, name, ffa(FFA_MEM_SHARE, length, length, 0, 0, NULL));
	}
	describe(&range, 1);
	say(out, "lie_length_0", ffa(FFA_MEM_SHARE, 0, 0, 0, 0, NULL));
	say(out, "lie_fragment_longer", ffa(FFA_MEM_SHARE, 96, 112, 0, 0, NULL));
	say(out, "lie_longer_than_tx", ffa(FFA_MEM_SHARE, 1u << 20, 4112, 0, 0, NULL));
	say(out, "lie_other_buffer", ffa(FFA_MEM_SHARE, 96, 96, own << PAGE_SHIFT, 1, NULL));
	range.pages = 0;
	say(out, "lie_no_pages", share_ranges(FFA_MEM_SHARE, &range, 1, NULL));
	range.pages = ~0u;
	say(out, "lie_most_pages", share_ranges(FFA_MEM_SHARE, &range, 1, NULL));
	range = (struct ffa_range){ (own << PAGE_SHIFT) + 8, 1 };
	say(out, "lie_unaligned", share_ranges(FFA_MEM_SHARE, &range, 1, NULL));
	range = (struct ffa_range){ ~0xfffull, 2 };
	say(out, "lie_wraps", share_ranges(FFA_MEM_SHARE, &range, 1, NULL));
	say(out, "share_own_after_lies", share(own, 1, &handle));
	say(out, "reclaim_own_after_lies", reclaim(handle));
}

struct flipper {
	u64 good, bad;
};

/* Changes the range in TX while EL2 reads it. */
static int flip_thread(void *data)
{
	const struct flipper *f = data;
	u64 *address = (u64 *)(tx + RANGES_OFFSET);

	while (!kthread_should_stop()) {
		WRITE_ONCE(*address, f->bad);
		WRITE_ONCE(*address, f->good);
		cond_resched();
	}
	return 0;
}

static int changing_descriptor(const struct raw_vm *vm, u64 own, struct seq_buf *out)
{
	struct flipper f = { own << PAGE_SHIFT, vm->vm << PAGE_SHIFT };
	struct ffa_range range = { f.good, 1 };
	u32 i, shared = 0, refused = 0, odd = 0;
	struct task_struct *other;

	describe(&range, 1);
	other = kthread_run(flip_thread, &f, "attack-flip");
	if (IS_ERR(other))
		return PTR_ERR(other);
	for (i = 0; i < 2000; i++) {
		u64 handle;
		s64 err = ffa(FFA_MEM_SHARE, 96, 96, 0, 0, &handle);

		shared += !err;
		refused += err == -6;
		odd += err && err != -6;
		/* What was shared is ours, or donating it would not fail. */
		if (!err) {
			odd += donate(vm, own, 0x50010) != STOCKADE_EPERM;
			odd += reclaim(handle) != 0;
		}
	}
	kthread_stop(other);
	say(out, "flips_shared", shared);
	say(out, "flips_refused", refused);
	say(out, "flips_odd", odd);
	return 0;
}

int try_ffa(struct seq_buf *out)
{
	struct arm_smccc_res res;
	struct raw_vm vm;
	u64 own = take_pfn(0);
	int err;

	arm_smccc_smc(FFA_VERSION, VERSION_1_1, 0, 0, 0, 0, 0, 0, &res);
	say(out, "version", (s32)res.a0);
	if ((s32)res.a0 < 0)
		return 0;
	tx_pfn = take_pfn(0);
	rx_pfn = take_pfn(0);
	if (!own || !tx_pfn || !rx_pfn || !raw_create(&vm, NULL))
		return -EIO;
	tx = pfn_to_kaddr(tx_pfn);
	say(out, "share_without_buffers", ffa(FFA_MEM_SHARE, 96, 96, 0, 0, NULL));
	say(out, "map_guest_page",
	    ffa(FFA_RXTX_MAP, vm.code << PAGE_SHIFT, rx_pfn << PAGE_SHIFT, 1, 0, NULL));
	say(out, "map_hyp_page",
	    ffa(FFA_RXTX_MAP, tx_pfn << PAGE_SHIFT, vm.vm << PAGE_SHIFT, 1, 0, NULL));
	say(out, "map_32_hyp_page",
	    ffa(FFA_RXTX_MAP_32, tx_pfn << PAGE_SHIFT, vm.vm << PAGE_SHIFT, 1, 0, NULL));
	say(out, "map_two_pages",
	    ffa(FFA_RXTX_MAP, tx_pfn << PAGE_SHIFT, rx_pfn << PAGE_SHIFT, 2, 0, NULL));
	say(out, "map", ffa(FFA_RXTX_MAP, tx_pfn << PAGE_SHIFT, rx_pfn << PAGE_SHIFT, 1, 0, NULL));
	say(out, "map_again",
	    ffa(FFA_RXTX_MAP, tx_pfn << PAGE_SHIFT, rx_pfn << PAGE_SHIFT, 1, 0, NULL));
	others_pages(&vm, own, out);
	hostile_descriptors(own, out);
	err = changing_descriptor(&vm, own, out);
	shared_page(&vm, own, out);
	say(out, "mem_donate", ffa(FFA_MEM_DONATE, 96, 96, 0, 0, NULL));
	say(out, "retrieve", ffa(FFA_MEM_RETRIEVE_REQ, 96, 96, 0, 0, NULL));
	say(out, "relinquish", ffa(FFA_MEM_RELINQUISH, 0, 0, 0, 0, NULL));
	say(out, "notification", ffa(FFA_NOTIFICATION_BIND, 0, 0, 0, 0, NULL));
	say(out, "features_retrieve", ffa(FFA_FEATURES, FFA_MEM_RETRIEVE_REQ, 0, 0, 0, NULL));
	/* TX goes to a guest: from now on there is none. */
	say(out, "donate_tx", donate(&vm, tx_pfn, 0x50020));
	say(out, "share_without_tx", ffa(FFA_MEM_SHARE, 96, 96, 0, 0, NULL));
	say(out, "unmap", ffa(FFA_RXTX_UNMAP, 0, 0, 0, 0, NULL));
	say(out, "unmap_again", ffa(FFA_RXTX_UNMAP, 0, 0, 0, 0, NULL));
	say(out, "destroyed", raw_destroy(vm.handle));
	return err;
}
