// SPDX-License-Identifier: GPL-2.0-only
/* The host touched what its stage 2 does not map: the table of hyp/host/abort.c. */
#include "hyptest.h"

#define KERNEL_VA 0xffff000001234000ull
#define USER_VA	  0x0000aaaa01234000ull
#define TEXT_VA	  0xffff800080000000ull

/* Instructions, as the assembler makes them. */
#define LDR_X0_X1   0xf9400020 /* ldr x0, [x1] */
#define LDR_X0_SP   0xf94003e0 /* ldr x0, [sp] */
#define LDR_X0_X1_8 0xf9400420 /* ldr x0, [x1, #8] */
#define LDR_W0_X1   0xb9400020 /* ldr w0, [x1] */
#define LDTR_X0_X1  0xf8400820 /* ldtr x0, [x1] */
#define LDR_X3_X1   0xf9400023 /* ldr x3, [x1] */
#define LDXR_W0_X1  0x885f7c20 /* ldxr w0, [x1] */
#define LDXR_W3_X1  0x885f7c23 /* ldxr w3, [x1] */
#define STLXR	    0x8802fc20 /* stlxr w2, w0, [x1] */
#define CASAL	    0x88e0fc22 /* casal w0, w2, [x1] */
#define LDADDAL	    0xb8e00022 /* ldaddal w0, w2, [x1] */
#define LDADDAL_W3  0xb8e00023 /* ldaddal w0, w3, [x1] */
#define SWP	    0xb8208022 /* swp w0, w2, [x1] */
#define STR_X0_X1   0xf9000020 /* str x0, [x1] */
#define LDP	    0xa9400022 /* ldp x2, x0, [x1] */

static struct test_vm vm;
static pa_t guest_page, hyp_page, text;
static struct host_regs regs;

/* A VM with a page, and the kernel's text, which has one instruction. */
static void start(u32 instruction)
{
	boot_again();
	vm = make_vm(1);
	guest_page = donated_page(&vm, 0x5000);
	fill_page(guest_page, 0x5ec2e7);
	hyp_page = fake.launch.pool[0].base;
	text = host_page();
	fake.text_va = TEXT_VA;
	fake.text_size = PAGE_SIZE;
	fake.text_pa = text;
	((u32 *)fake_ram(text))[0x40] = instruction;
	memset(&regs, 0, sizeof(regs));
	fake_check();
}

static void touch(struct host_abort abort)
{
	fake.abort = abort;
	fake.abort.ipa_known = true;
	fake.host_esr = ESR(abort.fetch ? EC_IABT_LOWER : EC_DABT_LOWER, DABT_FAULT);
	memset(fake.faults, 0, sizeof(fake.faults));
	host_trap(&regs);
	/* It was no step. */
	assert_int_equal(fake.steps + fake.steps_stopped, 0);
}

enum verdict {
	RETRY, /* nothing but another try, and the page is as it was */
	TAG_CHECK,
	ALIGNMENT,
	EXTERNAL,
	RECLAIM,
};

static const char *row = "";

static void assert_verdict(enum verdict verdict, pa_t pa, unsigned int state)
{
	bool given = page_state(pa) == PAGE_HOST && state != PAGE_HOST;
	enum verdict is = fake.faults[HOST_FAULT_TAG_CHECK] ? TAG_CHECK :
			  fake.faults[HOST_FAULT_ALIGNMENT] ? ALIGNMENT :
			  fake.faults[HOST_FAULT_EXTERNAL]  ? EXTERNAL :
			  given				    ? RECLAIM :
							      RETRY;

	if (is != verdict)
		fail_msg("%s: verdict %d, not %d", row, is, verdict);
	assert_in_range(fake.faults[0] + fake.faults[1] + fake.faults[2], 0, 1);
	assert_int_equal(fake.undefs, 0);
	if (verdict == RECLAIM) {
		assert_state(pa, PAGE_HOST);
		assert_page_is(pa, 0);
		assert_host_has(pa);
	} else {
		assert_state(pa, state);
		if (state == PAGE_GUEST)
			assert_page_is(pa, 0x5ec2e7);
	}
	fake_check();
}

/* The whole table: who, by what instruction, at which address, touches whose page. */
static void verdicts(void)
{
	static const struct {
		const char *what;
		u32 instruction;
		bool user, fetch, walk;
		u64 far;
		u64 base; /* x1 */
		enum verdict guests, hyps;
	} table[] = {
		{ "EL0 load", 0, true, false, false, USER_VA, 0, TAG_CHECK, TAG_CHECK },
		{ "EL0 fetch", 0, true, true, false, USER_VA, 0, TAG_CHECK, TAG_CHECK },
		{ "EL0 at a kernel address", 0, true, false, false, KERNEL_VA, 0, TAG_CHECK,
		  TAG_CHECK },
		{ "EL0 walk", 0, true, false, true, USER_VA, 0, EXTERNAL, EXTERNAL },
		{ "EL1 walk", LDR_X0_X1, false, false, true, KERNEL_VA, 0, EXTERNAL, EXTERNAL },
		{ "uaccess", LDTR_X0_X1, false, false, false, USER_VA, 0, ALIGNMENT, ALIGNMENT },
		{ "uaccess by ldr", LDR_X0_X1, false, false, false, USER_VA, 0, ALIGNMENT,
		  ALIGNMENT },
		{ "uaccess by str", STR_X0_X1, false, false, false, USER_VA, 0, ALIGNMENT,
		  ALIGNMENT },
		{ "tagged user address", LDTR_X0_X1, false, false, false, 0xff7f000000001000, 0,
		  ALIGNMENT, ALIGNMENT },
		{ "futex: ldxr", LDXR_W0_X1, false, false, false, USER_VA, 0, RECLAIM, ALIGNMENT },
		{ "futex: ldxr w3", LDXR_W3_X1, false, false, false, USER_VA, 0, RECLAIM,
		  ALIGNMENT },
		{ "futex: stlxr", STLXR, false, false, false, USER_VA, 0, RECLAIM, ALIGNMENT },
		{ "futex: casal", CASAL, false, false, false, USER_VA, 0, RECLAIM, ALIGNMENT },
		{ "futex: ldaddal", LDADDAL, false, false, false, USER_VA, 0, RECLAIM, ALIGNMENT },
		{ "futex: ldaddal w3", LDADDAL_W3, false, false, false, USER_VA, 0, RECLAIM,
		  ALIGNMENT },
		{ "futex: swp", SWP, false, false, false, USER_VA, 0, RECLAIM, ALIGNMENT },
		{ "kernel load", LDR_X0_X1, false, false, false, KERNEL_VA, KERNEL_VA, RECLAIM,
		  ALIGNMENT },
		{ "kernel store", STR_X0_X1, false, false, false, KERNEL_VA, KERNEL_VA, RECLAIM,
		  ALIGNMENT },
		{ "kernel ldp", LDP, false, false, false, KERNEL_VA, KERNEL_VA - 8, RECLAIM,
		  ALIGNMENT },
		{ "kernel atomic", LDADDAL, false, false, false, KERNEL_VA, 0, RECLAIM, ALIGNMENT },
		{ "kernel fetch", 0, false, true, false, KERNEL_VA, 0, RECLAIM, ALIGNMENT },
		{ "EL1 fetch at a user address", 0, false, true, false, USER_VA, 0, ALIGNMENT,
		  ALIGNMENT },
		/* What is fetched is not what is at pc. */
		{ "kernel fetch, and a load at pc", LDR_X0_X1, false, true, false, KERNEL_VA,
		  KERNEL_VA - 1, RECLAIM, ALIGNMENT },
		{ "EL1 fetch at a user address, and an atomic at pc", CASAL, false, true, false,
		  USER_VA, 0, ALIGNMENT, ALIGNMENT },
		/* load_unaligned_zeropad(): 8 bytes that begin on the page before. */
		{ "zeropad, 1 byte over", LDR_X0_X1, false, false, false, KERNEL_VA, KERNEL_VA - 7,
		  ALIGNMENT, ALIGNMENT },
		{ "zeropad, 7 bytes over", LDR_X0_X1, false, false, false, KERNEL_VA, KERNEL_VA - 1,
		  ALIGNMENT, ALIGNMENT },
		{ "zeropad to x3", LDR_X3_X1, false, false, false, KERNEL_VA, KERNEL_VA - 1,
		  ALIGNMENT, ALIGNMENT },
		/* The address of the fault may be any of the access's on the page. */
		{ "zeropad, in the page", LDR_X0_X1, false, false, false, KERNEL_VA + 4,
		  KERNEL_VA - 7, ALIGNMENT, ALIGNMENT },
		{ "8 bytes in the page", LDR_X0_X1, false, false, false, KERNEL_VA + 4, KERNEL_VA,
		  RECLAIM, ALIGNMENT },
		{ "8 bytes up to the page", LDR_X0_X1, false, false, false, KERNEL_VA,
		  KERNEL_VA - 8, RECLAIM, ALIGNMENT },
		{ "8 bytes of the page", LDR_X0_X1, false, false, false, KERNEL_VA, KERNEL_VA,
		  RECLAIM, ALIGNMENT },
		{ "over, but 4 bytes", LDR_W0_X1, false, false, false, KERNEL_VA, KERNEL_VA - 1,
		  RECLAIM, ALIGNMENT },
		{ "over, with an offset", LDR_X0_X1_8, false, false, false, KERNEL_VA,
		  KERNEL_VA - 1, RECLAIM, ALIGNMENT },
		{ "from the stack", LDR_X0_SP, false, false, false, KERNEL_VA, KERNEL_VA - 1,
		  RECLAIM, ALIGNMENT },
		{ "from elsewhere", LDR_X0_X1, false, false, false, KERNEL_VA, ~0ull, RECLAIM,
		  ALIGNMENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		for (int whose = 0; whose < 2; whose++) {
			pa_t pa;

			row = table[i].what;
			start(table[i].instruction);
			pa = whose ? hyp_page : guest_page;
			/* What a register 31 would be, that there is not. */
			regs.x[1] = regs.pad = table[i].base;
			touch((struct host_abort){ .ipa = pa,
						   .pc = TEXT_VA + 0x100,
						   .far = table[i].far,
						   .user = table[i].user,
						   .fetch = table[i].fetch,
						   .walk = table[i].walk });
			assert_verdict(whose ? table[i].hyps : table[i].guests, pa,
				       whose ? PAGE_HYP : PAGE_GUEST);
		}
	}
	row = "";
}

/* The whole of a VM's block can be touched, page by page, by the kernel; and the guest is told. */
static void a_reclaimed_page_is_poison_to_the_guest(void)
{
	start(LDR_X0_X1);
	touch((struct host_abort){ .ipa = guest_page, .pc = TEXT_VA + 0x100, .far = KERNEL_VA });
	assert_verdict(RECLAIM, guest_page, 0);
	load(&vm, 0);
	guest_traps(ESR(EC_DABT_LOWER, DABT_FAULT), 0, 0x5000);
	assert_int_equal(run(), STOCKADE_EXIT_POISON);
}

/* A uaccess that comes again and again at the same place gets its page; elsewhere it starts anew. */
static void a_repeated_uaccess_reclaims(void)
{
	struct host_abort abort = { .pc = TEXT_VA + 0x100, .far = USER_VA };

	start(LDTR_X0_X1);
	abort.ipa = guest_page;
	for (int i = 0; i < 16; i++) {
		touch(abort);
		assert_verdict(ALIGNMENT, guest_page, PAGE_GUEST);
	}
	/* Another address, or another place: the count begins again. */
	abort.far += 8;
	for (int i = 0; i < 16; i++) {
		touch(abort);
		assert_verdict(ALIGNMENT, guest_page, PAGE_GUEST);
	}
	abort.pc += 4;
	for (int i = 0; i < 16; i++) {
		touch(abort);
		assert_verdict(ALIGNMENT, guest_page, PAGE_GUEST);
	}
	touch(abort);
	assert_verdict(RECLAIM, guest_page, 0);
}

/* Counted for each CPU by itself. */
static void repeats_are_counted_by_cpu(void)
{
	struct host_abort abort = { .pc = TEXT_VA + 0x100, .far = USER_VA };

	start(LDTR_X0_X1);
	abort.ipa = guest_page;
	for (unsigned int i = 0; i < 64; i++) {
		fake_cpu(i % 4);
		touch(abort);
		assert_verdict(ALIGNMENT, guest_page, PAGE_GUEST);
	}
}

/* At any place of a page, the last of its RAM too: that one is read, and no other. Guards fetch(). */
static void instructions_anywhere(void)
{
	pa_t pages[2], lost;

	start(LDTR_X0_X1);
	pages[0] = host_page();
	pages[1] = 0x41402000;
	for (size_t p = 0; p < ARRAY_SIZE(pages); p++) {
		fake.text_pa = pages[p];
		for (u32 at = 0; at < PAGE_SIZE; at = at ? 2 * at : 4) {
			fill_page(pages[p], (u64)LDTR_X0_X1 << 32 | LDTR_X0_X1);
			((u32 *)fake_ram(pages[p]))[at / 4] = CASAL;
			lost = donated_page(&vm, (1 + 4 * p) * MIB + at / 4 * PAGE_SIZE);
			touch((struct host_abort){
				.ipa = lost, .pc = TEXT_VA + at, .far = USER_VA });
			assert_verdict(RECLAIM, lost, 0);
		}
	}
}

/*
 * The instruction can't be read: its page is not mapped, not RAM, lost too. No window into a guest, and no reclaim
 * for a uaccess, how often it may come.
 */
static void unreadable_instructions(void)
{
	struct host_abort abort = { .pc = TEXT_VA + 0x100 };
	pa_t other;

	for (int kind = 0; kind < 5; kind++) {
		for (int kernel = 0; kernel < 2; kernel++) {
			start(kernel ? LDR_X0_X1 : CASAL);
			other = donated_page(&vm, 0x6000);
			fill_page(other, 0x88e0fc2288e0fc22); /* casal */
			abort.ipa = guest_page;
			abort.far = kernel ? KERNEL_VA : USER_VA;
			/* A device that is mapped is not read either. */
			if (kind == 4)
				touch((struct host_abort){ .ipa = 0x9000000 });
			if (kind == 0)
				fake.text_size = 0;
			else
				fake.text_pa = kind == 2 ? other : kind == 3 ? hyp_page : 0x9000000;
			for (int i = 0; i < (kernel ? 1 : 20); i++) {
				touch(abort);
				assert_verdict(kernel ? RECLAIM : ALIGNMENT, guest_page,
					       PAGE_GUEST);
			}
			assert_page_is(other, 0x88e0fc2288e0fc22);
		}
	}
}

/* A page that is there by now: another try, and for what it may not do an external abort. */
static void a_mapped_page_is_tried_again(void)
{
	pa_t pa;

	start(0);
	pa = host_page();
	touch((struct host_abort){ .ipa = pa, .far = KERNEL_VA });
	assert_verdict(RETRY, pa, PAGE_HOST);
	touch((struct host_abort){ .ipa = pa, .far = KERNEL_VA, .permission = true });
	assert_verdict(EXTERNAL, pa, PAGE_HOST);
	/* Code on a device. */
	touch((struct host_abort){ .ipa = 0x9000000, .far = KERNEL_VA });
	assert_verdict(RETRY, pa, PAGE_HOST);
	assert_host_has(0x9000000);
	touch((struct host_abort){
		.ipa = 0x9000000, .far = KERNEL_VA, .fetch = true, .permission = true });
	assert_verdict(EXTERNAL, pa, PAGE_HOST);
}

/* Devices are mapped; beyond the address space, or without memory, there is nothing. */
static void what_is_not_ram(void)
{
	start(0);
	touch((struct host_abort){ .ipa = 0x9000000, .user = true });
	assert_int_equal(fake.faults[0] + fake.faults[1] + fake.faults[2], 0);
	assert_host_has(0x9000000);
	touch((struct host_abort){ .ipa = BIT(40) - PAGE_SIZE });
	assert_host_has(BIT(40) - PAGE_SIZE);
	touch((struct host_abort){ .ipa = BIT(40) });
	assert_int_equal(fake.faults[HOST_FAULT_EXTERNAL], 1);
	touch((struct host_abort){ .ipa = BIT(48) - PAGE_SIZE });
	assert_int_equal(fake.faults[HOST_FAULT_EXTERNAL], 1);
	fake_check();
}

static void no_memory_for_a_device(void)
{
	const struct fake_config config = { .ipa_bits = 48 };
	u64 all;

	boot_again_as(&config);
	all = hyp_pool.free;
	spin_lock(&mem_lock);
	pool_reserve(&hyp_pool, all);
	spin_unlock(&mem_lock);
	touch((struct host_abort){ .ipa = BIT(47) });
	assert_int_equal(fake.faults[HOST_FAULT_EXTERNAL], 1);
	assert_host_lost(BIT(47));
	spin_lock(&mem_lock);
	pool_unreserve(&hyp_pool, all);
	spin_unlock(&mem_lock);
}

/* Aborts that say nothing of an address, TLB conflicts, and any of them after a panic. */
static void other_aborts(void)
{
	start(0);
	fake.abort = (struct host_abort){ .ipa = guest_page, .ipa_known = false };
	fake.host_esr = ESR(EC_DABT_LOWER, DABT_FAULT);
	host_trap(&regs);
	assert_verdict(RETRY, guest_page, PAGE_GUEST);
	touch((struct host_abort){ .ipa = guest_page, .other = true });
	assert_verdict(EXTERNAL, guest_page, PAGE_GUEST);
	fake.nr_ops = 0;
	touch((struct host_abort){ .ipa = guest_page, .tlb_conflict = true });
	assert_verdict(RETRY, guest_page, PAGE_GUEST);
	assert_true(op_after(FAKE_TLBI_VMALLS12E1IS, host_map.vttbr, 0, -1) > 0);
	hyp_panicked = true;
	touch((struct host_abort){ .ipa = guest_page, .far = KERNEL_VA });
	hyp_panicked = false;
	assert_verdict(EXTERNAL, guest_page, PAGE_GUEST);
}

/* A page of the host's that is not mapped is our own mistake. */
static void a_lost_page_of_the_hosts_panics(void)
{
	pa_t pa;

	start(0);
	pa = host_page();
	spin_lock(&mem_lock);
	host_unmap(pa, 3);
	spin_unlock(&mem_lock);
	assert_panics(touch((struct host_abort){ .ipa = pa }));
	spin_lock(&mem_lock);
	host_remap(pa, 3);
	spin_unlock(&mem_lock);
}

/* A dying VM's page is taken as any other. */
static void a_dying_vms_page(void)
{
	start(LDR_X0_X1);
	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm.handle), 0);
	touch((struct host_abort){ .ipa = guest_page, .pc = TEXT_VA + 0x100, .far = KERNEL_VA });
	assert_verdict(RECLAIM, guest_page, 0);
	end_vm(&vm);
}

static unsigned int race_calls;

static void end_meanwhile(const char *name)
{
	/* The verdict has been reached; the VM is gone before its page is taken. */
	if (strcmp(name, "&table_lock") || race_calls++)
		return;
	fake_cpu(1);
	end_vm(&vm);
}

/* The VM ends between the look at its page and the reclaim: the host tries again, and has the page. */
static void the_vm_is_gone_meanwhile(void)
{
	start(LDR_X0_X1);
	race_calls = 0;
	fake.before_lock = end_meanwhile;
	touch((struct host_abort){ .ipa = guest_page, .pc = TEXT_VA + 0x100, .far = KERNEL_VA });
	fake.before_lock = NULL;
	assert_true(race_calls > 0);
	assert_verdict(RECLAIM, guest_page, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(verdicts),
		hyp_test(a_reclaimed_page_is_poison_to_the_guest),
		hyp_test(a_repeated_uaccess_reclaims),
		hyp_test(repeats_are_counted_by_cpu),
		hyp_test(instructions_anywhere),
		hyp_test(unreadable_instructions),
		hyp_test(a_mapped_page_is_tried_again),
		hyp_test(what_is_not_ram),
		hyp_test(no_memory_for_a_device),
		hyp_test(other_aborts),
		hyp_test(a_lost_page_of_the_hosts_panics),
		hyp_test(a_dying_vms_page),
		hyp_test(the_vm_is_gone_meanwhile),
	};

	return RUN("hyp-host-abort", tests);
}
