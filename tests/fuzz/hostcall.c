// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host: any hostcalls, by two CPUs, the second one also in the midst of the first one's; guests that run
 * meanwhile; aborts. The input is a list of operations: a byte that chooses, and what it needs. After each
 * of them all tables must agree, no page may have gone where it may not, or have kept what it had in it
 * (shadow.h), and what was refused must have changed nothing.
 */
#include <string.h>

#include <stockade/hostcall.h>

#include "arch/esr.h"
#include "guest.h"
#include "mem/host_map.h"
#include "mem/page.h"
#include "shadow.h"
#include "vm/vcpu.h"

#define MAX_OPERATIONS 48
#define MAX_VMS	       4
#define PFN(pa)	       ((pa) >> PAGE_SHIFT)

/*
 * What each call wants: p a page, P a page and a piece of it, r a root, b 1 page or a block, h a VM, i an index, n a
 * number, g a guest's page.
 */
static const char *const arguments[] = {
	[STOCKADE_HC_POOL_TOPUP - STOCKADE_HC_BASE] = "pn",
	[STOCKADE_HC_VM_CREATE - STOCKADE_HC_BASE] = "prc",
	[STOCKADE_HC_VM_TOPUP - STOCKADE_HC_BASE] = "hpn",
	[STOCKADE_HC_VCPU_CREATE - STOCKADE_HC_BASE] = "hipP",
	[STOCKADE_HC_VCPU_SET_REG - STOCKADE_HC_BASE] = "hinn",
	[STOCKADE_HC_HOST_DONATE_GUEST - STOCKADE_HC_BASE] = "hpgb",
	[STOCKADE_HC_VCPU_LOAD - STOCKADE_HC_BASE] = "hi",
	[STOCKADE_HC_VM_TEARDOWN - STOCKADE_HC_BASE] = "h",
	[STOCKADE_HC_VM_RECLAIM - STOCKADE_HC_BASE] = "h",
	[STOCKADE_HC_VM_RECLAIM_TABLE - STOCKADE_HC_BASE] = "h",
	[STOCKADE_HC_VCPU_DESTROY - STOCKADE_HC_BASE] = "hi",
	[STOCKADE_HC_VM_DESTROY - STOCKADE_HC_BASE] = "h",
	[STOCKADE_HC_END - STOCKADE_HC_BASE] = "nnnnn",
};

static u64 handles[MAX_VMS];
static unsigned int nr_handles;
static unsigned int nr_others; /* calls and aborts of the other CPU within the call at hand */
static bool ended;	       /* EL2 has left a CPU */

/* The other CPU's call comes at so many boundaries of locks from now; with what. */
static struct {
	unsigned int boundaries;
	bool abort;
	u64 x[6];
} race;

/* --- arguments --- */

static pa_t any_page(struct fuzz_input *in)
{
	u8 n = (u8)fuzz_take(in, 1);

	if (n < 0xc0)
		return fuzz_page(n);
	switch (n) {
	case 0xf0:
		return fake.launch.image;
	case 0xf1:
		return fake.launch.pool[0].base;
	case 0xf2:
		return fake.launch.log;
	case 0xf3:
		return fake.launch.cpu[1].pages;
	case 0xf4:
		return fake.launch.array[0].base;
	case 0xf5:
		return FAKE_RAM_BASE + 0x600000 - PAGE_SIZE;
	case 0xf6:
		return FAKE_RAM_BASE + 0x600000;
	case 0xf7:
		return FAKE_RAM_BASE - PAGE_SIZE;
	case 0xf8:
		return fuzz_take(in, 8);
	default:
		return FUZZ_BLOCK + (n & 0x1e) / 2 * PAGE_SIZE * (n & 1);
	}
}

static u64 any_handle(struct fuzz_input *in)
{
	u8 n = (u8)fuzz_take(in, 1);

	if (n < 0xf0)
		return nr_handles ? handles[n % nr_handles] : 0x1000;
	return n < 0xf8 ? 0xffc + (n & 7) : fuzz_number(in);
}

/* Bits of guest address space, and flags. */
static u64 any_config(struct fuzz_input *in)
{
	u8 n = (u8)fuzz_take(in, 1);

	if (n < 0xc0)
		return 40 | STOCKADE_VM_PROTECTED << 8;
	return n < 0xf0 ? 24u + (n & 0x1f) + (STOCKADE_VM_PROTECTED << 8) : fuzz_number(in);
}

static u64 any_argument(struct fuzz_input *in, char kind)
{
	u64 n;

	switch (kind) {
	case 'p':
		return PFN(any_page(in));
	case 'P':
		return PFN(any_page(in)) | (u64)(fuzz_take(in, 1) % 20) << STOCKADE_RUN_SHIFT;
	case 'r':
		return PFN(any_page(in)) & ~1ull;
	case 'h':
		return any_handle(in);
	case 'g':
		return PFN(guest_any_ipa(in));
	case 'c':
		return any_config(in);
	case 'i':
		n = fuzz_number(in);
		return n < 0x80 ? n & 3 : n;
	case 'b':
		n = fuzz_number(in);
		return n < 0x80 ? n & 1 ? 512 : 1 : n;
	default:
		return fuzz_number(in);
	}
}

static void any_call(struct fuzz_input *in, u64 *x)
{
	u8 n = (u8)fuzz_take(in, 1) % ARRAY_SIZE(arguments);
	const char *kinds = arguments[n] ? arguments[n] : "";

	memset(x, 0, 6 * sizeof(*x));
	x[0] = STOCKADE_HC_BASE + n;
	/* Number 21 is none: any function, also the stub's but HVC_SOFT_RESTART. */
	if (x[0] == STOCKADE_HC_END) {
		x[0] = fuzz_number(in);
		x[0] += x[0] == 1;
	}
	for (unsigned int i = 0; kinds[i]; i++)
		x[1 + i] = any_argument(in, kinds[i]);
}

/* --- what happens --- */

static unsigned int allowed_of(u64 function)
{
	switch (function) {
	case STOCKADE_HC_POOL_TOPUP:
	case STOCKADE_HC_VM_CREATE:
	case STOCKADE_HC_VM_TOPUP:
	case STOCKADE_HC_VCPU_CREATE:
	case STOCKADE_HC_HOST_DONATE_GUEST:
		return SHADOW_DONATE;
	case STOCKADE_HC_VM_RECLAIM:
		return SHADOW_RECLAIM;
	case STOCKADE_HC_VM_RECLAIM_TABLE:
	case STOCKADE_HC_VCPU_DESTROY:
	case STOCKADE_HC_VM_DESTROY:
		return SHADOW_RETURN;
	case STOCKADE_HC_VCPU_RUN:
		return SHADOW_RECLAIM | SHADOW_SHARE;
	default:
		return 0;
	}
}

/* A guest's page that was not donated, or not by whom it is. */
static unsigned int owner_of(u64 function, u64 handle)
{
	const struct vcpu *vcpu = this_cpu()->vcpu;

	if (function == STOCKADE_HC_VCPU_RUN)
		return vcpu ? vcpu->vm->index : ~0u;
	return (unsigned int)(handle - 0x1000);
}

static void watch_vm(u64 handle)
{
	for (unsigned int i = 0; i < nr_handles; i++)
		if (handles[i] == handle)
			return;
	if (nr_handles < MAX_VMS)
		handles[nr_handles++] = handle;
}

static s64 call(const u64 *x)
{
	s64 ret = fuzz_hc_call(x);

	if (x[0] == STOCKADE_HC_VM_CREATE && !ret)
		watch_vm(fuzz_hc_x1);
	if (x[0] == STOCKADE_HC_VCPU_RUN && !ret)
		guest_check_exit();
	return ret;
}

static void host_touches(pa_t pa, u8 how)
{
	struct host_regs regs = { .x = { [1] = 0xffff800000001ffc } };

	fake.abort = (struct host_abort){
		.ipa = pa,
		.ipa_known = true,
		.pc = 0xffff800000000000,
		.far = how & 1 ? 0x123000 : 0xffff800000002000,
		.walk = (how & 0x0e) == 2,
		.user = (how & 0x0e) == 4,
		.fetch = (how & 0x0e) == 6,
		.permission = how & 0x10,
	};
	/* The instruction: a load, or an atomic one. */
	fake.text_va = fake.abort.pc;
	fake.text_size = how & 0x20 ? 0 : 4;
	fake.text_pa = fuzz_page(63);
	fake.host_esr = FIELD_PUT(ESR_EC, EC_DABT_LOWER);
	host_trap(&regs);
}

/*
 * Between any two locks of the first CPU. It holds none then: of what comes while it holds a VM's, the other CPU
 * can do what takes mem_lock alone.
 */
static void boundary(const char *name)
{
	unsigned int held = fake_locks_held();
	u64 x[6];

	if (!race.boundaries || --race.boundaries)
		return;
	if (held &&
	    (strcmp(name, "&mem_lock") || race.abort || race.x[0] != STOCKADE_HC_POOL_TOPUP)) {
		race.boundaries = 1;
		return;
	}
	memcpy(x, race.x, sizeof(x));
	nr_others++;
	fake_cpu(1);
	if (race.abort)
		host_touches(x[1] << PAGE_SHIFT, 0);
	else
		call(x);
}

/* When the call has come after all, it is too late. */
static void end_race(void)
{
	fake.before_lock = NULL;
	race.boundaries = 0;
}

static void start_race(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);

	race.boundaries = 1 + how % 16;
	race.abort = how & 0x80;
	any_call(in, race.x);
	if (race.x[0] == STOCKADE_HC_UNLAUNCH || race.x[0] == STOCKADE_HC_UNLAUNCH_CPU)
		race.boundaries = 0;
}

/* All that must hold after each step, beside what happened to pages. */
static void check(void)
{
	fake_check();
	if (cpu_get(0)->vcpu && cpu_get(0)->vcpu == cpu_get(1)->vcpu)
		fake_fail("both CPUs have one vCPU");
}

static s64 checked_call(const u64 *x)
{
	unsigned int owner = owner_of(x[0], x[1]);
	bool leaves = x[0] == STOCKADE_HC_UNLAUNCH_CPU;
	s64 ret;

	nr_others = 0;
	shadow_before_call();
	fake.before_lock = race.boundaries ? boundary : NULL;
	fake_panic_expected = leaves;
	if (leaves && setjmp(fake_panic_jump)) {
		ended = true;
		return 0;
	}
	ret = call(x);
	fake_panic_expected = false;
	end_race();
	check();
	if (nr_others) {
		shadow_step(SHADOW_ANY, 0);
	} else if (ret < 0) {
		shadow_step(0, 0);
		shadow_check_refused("a hostcall");
	} else {
		shadow_step(allowed_of(x[0]), owner);
	}
	return ret;
}

/* As the host that means well: what is wanted is given. */
static void fed_call(const u64 *x)
{
	s64 ret = checked_call(x);

	for (unsigned int i = 0; i < 4 && ret == STOCKADE_ENOMEM; i++) {
		u64 topup[6] = { STOCKADE_HC_POOL_TOPUP, PFN(fuzz_spare_page()), 1 };

		if (fuzz_hc_x2 == STOCKADE_POOL_VM) {
			topup[3] = 1;
			topup[2] = topup[1];
			topup[1] = x[1];
			topup[0] = STOCKADE_HC_VM_TOPUP;
		}
		checked_call(topup);
		ret = checked_call(x);
	}
}

static void abort_of_host(struct fuzz_input *in)
{
	pa_t pa = any_page(in);
	u8 how = (u8)fuzz_take(in, 1);
	const struct page *page = pa < FAKE_RAM_END && pa >= FAKE_RAM_BASE ? fake_page(pa) : NULL;
	unsigned int owner = page ? page->owner : ~0u;

	host_touches(pa, how);
	fake_check();
	shadow_step(SHADOW_RECLAIM, owner);
}

/* The host's own stores: it would fault where the page is not its own any more. */
static void store_of_host(struct fuzz_input *in)
{
	pa_t pa = fuzz_page((unsigned int)fuzz_take(in, 1));

	if (fake_walk(&host_map, pa).valid)
		shadow_store(pa);
}

/* A call over and over, while it says that there is more to do. */
static void repeat(u64 function, u64 handle)
{
	const u64 x[6] = { function, handle };

	for (unsigned int i = 0; i < 40; i++)
		if (call(x) || (function == STOCKADE_HC_VM_RECLAIM && !fuzz_hc_x1))
			break;
	check();
	shadow_step(allowed_of(function), owner_of(function, handle));
}

/* The whole way of a VM's end, as far as it goes. */
static void end_vm(struct fuzz_input *in)
{
	u64 handle = any_handle(in);
	const struct vm *vm = fuzz_vm(handle);

	checked_call((u64[6]){ STOCKADE_HC_VM_TEARDOWN, handle });
	repeat(STOCKADE_HC_VM_RECLAIM, handle);
	for (u64 i = vm ? vm->nr_vcpus : 0; i--;)
		checked_call((u64[6]){ STOCKADE_HC_VCPU_DESTROY, handle, i });
	repeat(STOCKADE_HC_VM_RECLAIM_TABLE, handle);
	checked_call((u64[6]){ STOCKADE_HC_VM_DESTROY, handle });
}

/* HVC_SOFT_RESTART: who takes EL2 so finds nothing of any guest. */
static void restart(void)
{
	struct host_regs regs = { .x = { 1, 0x1000 } };

	fake_cpu(1);
	fuzz_hc(STOCKADE_HC_VCPU_PUT);
	fake_cpu(0);
	fake.host_esr = FIELD_PUT(ESR_EC, EC_HVC64) | ESR_IL;
	fake_panic_expected = true;
	if (!setjmp(fake_panic_jump))
		host_trap(&regs);
	shadow_check_scrubbed();
	ended = true;
}

static void operate(struct fuzz_input *in)
{
	u8 how = (u8)fuzz_take(in, 1);
	u64 x[6];

	fake_cpu(how >> 7);
	switch (how % 12) {
	case 0:
	case 1:
	case 2:
		any_call(in, x);
		checked_call(x);
		break;
	case 3:
	case 4:
	case 5:
		any_call(in, x);
		fed_call(x);
		break;
	case 6:
		checked_call((u64[6]){ STOCKADE_HC_VCPU_RUN });
		break;
	case 7:
		abort_of_host(in);
		break;
	case 8:
		store_of_host(in);
		break;
	case 9:
		start_race(in);
		break;
	case 10:
		end_vm(in);
		break;
	case 11:
		if (in->left == 1)
			restart();
		else
			checked_call((u64[6]){ STOCKADE_HC_VCPU_PUT });
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };
	u8 start = (u8)fuzz_take(&in, 1);
	pa_t run;

	fuzz_boot_shadowed(start & 1 ? 32 : 64);
	memset(&race, 0, sizeof(race));
	nr_handles = 0;
	ended = false;
	guest_start(&in);
	/* Two VMs, the first one's vCPU loaded; or nothing. */
	for (unsigned int i = 0; i < 2 && !(start & 2); i++) {
		watch_vm(fuzz_make_vm());
		fuzz_make_vcpu(handles[i], 0, &run);
		memset(fake_ram(run), 0, PAGE_SIZE);
	}
	if (nr_handles)
		fuzz_hc(STOCKADE_HC_VCPU_LOAD, handles[0], 0);
	fake_check();
	shadow_start();
	for (unsigned int i = 0; i < MAX_OPERATIONS && fuzz_more(&in) && !ended; i++)
		operate(&in);
	if (!ended)
		shadow_check_all();
	return 0;
}
