// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that are threads call the hypervisor at random, all at once, on the same few pages and VMs. There is no model of
 * what a call should answer: ThreadSanitizer looks for accesses that no lock orders, the locks for wrong order, and
 * between rounds, when all wait, everything must be consistent.
 *
 *   cpus SECONDS SEED
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>

#include "arch/esr.h"
#include "debug/debug.h"
#include "fake.h"
#include "host/ffa_abi.h"
#include "mem/host_map.h"

#define NR_CPUS	  4
#define NR_ROUNDS 6
#define NR_CALLS  400 /* deeds of a CPU in a round */
#define NR_VMS	  3
#define NR_VCPUS  4
#define NR_PAGES  48 /* that everything is done with */
#define NR_BLOCKS 2
#define NR_IPAS	  24

#define FIRST_PAGE  0x41000000ull
#define FIRST_BLOCK 0x40400000ull
#define BLOCK	    0x200000ull
/* Tables are made of these alone, or the pools would starve. */
#define FIRST_SPARE 0x41100000ull
#define NR_SPARES   512
/* These are never given away: code of the kernel's, and its TX buffer. */
#define TEXT (FIRST_SPARE + NR_SPARES * PAGE_SIZE)
#define TX   (TEXT + PAGE_SIZE)

#define DESCRIPTOR_SIZE (FFA_MEM_REGION_1_0 + FFA_EP_MEM_1_0 + 32)
#define NR_HANDLES	8

#define HANDLE_BASE 0x1000
#define ESR(ec)	    (FIELD_PUT(ESR_EC, ec) | ESR_IL)

static _Thread_local u64 rng, result[8]; /* x0 to x7 of the last call */
static u64 seed;
static pthread_barrier_t barrier;
static u64 next_spare; /* an index; atomic */
static u64 next_handle;
static u64 nr_calls[NR_CPUS], nr_granted[NR_CPUS], nr_exits[NR_CPUS], nr_shared[NR_CPUS];

static u64 random_below(u64 n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng >> 11) % n;
}

static pa_t some_page(void)
{
	return FIRST_PAGE + random_below(NR_PAGES) * PAGE_SIZE;
}

static ipa_t some_ipa(void)
{
	return random_below(NR_IPAS) * PAGE_SIZE;
}

static u64 some_vm(void)
{
	/* Most often the same: all CPUs together in one VM. */
	return HANDLE_BASE + (random_below(2) ? random_below(NR_VMS + 1) : 0);
}

static s64 trap(u64 ec, const struct host_abort *abort, u64 *x)
{
	struct fake_trap trap = { .esr = ESR(ec) };
	struct host_regs regs = { 0 };

	if (abort)
		trap.abort = *abort;
	memcpy(regs.x, x, 8 * sizeof(*x));
	fake_trap = &trap;
	host_trap(&regs);
	fake_trap = NULL;
	fake_lock_check_cpu();
	memcpy(x, regs.x, 8 * sizeof(*x));
	return (s64)x[0];
}

/* A hostcall; if it wants tables, it gets some, and the caller may try again some time. */
static s64 call(u64 function, u64 x1, u64 x2, u64 x3, u64 x4)
{
	u64 x[8] = { function, x1, x2, x3, x4 };
	s64 ret = trap(EC_HVC64, NULL, x);

	nr_calls[fake_cpu_index()]++;
	nr_granted[fake_cpu_index()] += !ret;
	memcpy(result, x, sizeof(result));
	if (ret == STOCKADE_ENOMEM) {
		u64 spare = __atomic_fetch_add(&next_spare, 1, __ATOMIC_RELAXED) % NR_SPARES;
		pa_t pa = FIRST_SPARE + spare * PAGE_SIZE;
		u64 topup[8] = { STOCKADE_HC_POOL_TOPUP, pa >> PAGE_SHIFT, 1 };

		if (x[2] == STOCKADE_POOL_VM) {
			topup[0] = STOCKADE_HC_VM_TOPUP;
			topup[1] = x1;
			topup[2] = pa >> PAGE_SHIFT;
			topup[3] = 1;
		}
		trap(EC_HVC64, NULL, topup);
	}
	return ret;
}

static u64 pfn(pa_t pa)
{
	return pa >> PAGE_SHIFT;
}

/* --- what a CPU does --- */

static void create_vm(void)
{
	u64 vm;

	/* Roughly: others create too. */
	if (call(STOCKADE_HC_STATUS, 0, 0, 0, 0) || result[3] >= NR_VMS)
		return;
	if (call(STOCKADE_HC_VM_CREATE, pfn(some_page()), pfn(some_page()),
		 32 | STOCKADE_VM_PROTECTED << 8, 0))
		return;
	vm = result[1];
	for (u64 i = 0; i < NR_VCPUS && random_below(8); i++)
		while (call(STOCKADE_HC_VCPU_CREATE, vm, i, pfn(some_page()), pfn(some_page())) &&
		       random_below(16))
			;
}

static void create_vcpu(void)
{
	call(STOCKADE_HC_VCPU_CREATE, some_vm(), random_below(NR_VCPUS), pfn(some_page()),
	     pfn(some_page()));
}

static void set_reg(void)
{
	call(STOCKADE_HC_VCPU_SET_REG, some_vm(), random_below(NR_VCPUS), random_below(33), 0);
}

static void donate(void)
{
	if (random_below(16))
		call(STOCKADE_HC_HOST_DONATE_GUEST, some_vm(), pfn(some_page()), pfn(some_ipa()),
		     1);
	else
		call(STOCKADE_HC_HOST_DONATE_GUEST, some_vm(),
		     pfn(FIRST_BLOCK + random_below(NR_BLOCKS) * BLOCK), pfn(BLOCK), 512);
}

static void run_vcpu(void)
{
	if (call(STOCKADE_HC_VCPU_LOAD, some_vm(), random_below(NR_VCPUS), 0, 0))
		return;
	for (u64 n = random_below(16); n; n--) {
		call(STOCKADE_HC_VCPU_RUN, 0, 0, 0, 0);
		call(STOCKADE_HC_VCPU_MMIO_VALUE, 0, 0, 0, 0);
		if (!random_below(4))
			donate();
	}
	if (random_below(8))
		call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0);
}

/* A VM to its end, if nobody runs it: with others that do the same. */
static void end_vm(void)
{
	u64 vm = some_vm();

	if (call(STOCKADE_HC_VM_TEARDOWN, vm, 0, 0, 0))
		return;
	for (unsigned int i = 0; i < 64; i++)
		call(STOCKADE_HC_VM_RECLAIM, vm, 0, 0, 0);
	for (unsigned int i = 0; i < 64 && !call(STOCKADE_HC_VM_RECLAIM_TABLE, vm, 0, 0, 0); i++)
		;
	for (u64 i = NR_VCPUS; i--;)
		call(STOCKADE_HC_VCPU_DESTROY, vm, i, 0, 0);
	call(STOCKADE_HC_VM_DESTROY, vm, 0, 0, 0);
}

static void end_some_of_a_vm(void)
{
	static const u64 steps[] = { STOCKADE_HC_VM_RECLAIM, STOCKADE_HC_VM_RECLAIM_TABLE,
				     STOCKADE_HC_VCPU_DESTROY, STOCKADE_HC_VM_DESTROY };

	call(steps[random_below(4)], some_vm(), random_below(NR_VCPUS), 0, 0);
}

static void look(void)
{
	call(STOCKADE_HC_STATUS, 0, 0, 0, 0);
}

static void put(void)
{
	call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0);
}

static void touch(void)
{
	struct host_abort abort = {
		.ipa = random_below(8) ? some_page() : FIRST_BLOCK + random_below(1024) * PAGE_SIZE,
		.ipa_known = true,
		.user = !random_below(4),
		.walk = !random_below(8),
		.pc = fake.text_va,
		.far = random_below(4) ? BIT(55) : 0,
	};
	u64 x[8] = { 0 };

	/* Now and then it is no RAM. */
	if (!random_below(8))
		abort.ipa = 0x8000000 + random_below(16) * BLOCK;
	trap(EC_DABT_LOWER, &abort, x);
}

/* The descriptor in the host's TX buffer names other pages now; EL2 may be reading it. */
static void write_descriptor(void)
{
	struct ffa_range *range = (void *)((u8 *)fake_ram(TX) + DESCRIPTOR_SIZE - sizeof(*range));

	WRITE_ONCE(range->address, some_page());
}

static void share_secure(void)
{
	static const u64 functions[] = {
		FFA_VERSION,
		FFA_FEATURES,
		FFA_RXTX_MAP | FFA_64,
		FFA_RXTX_UNMAP,
		FFA_MEM_RECLAIM,
		FFA_MEM_RECLAIM,
		FFA_PARTITION_INFO_GET,
		FFA_RX_RELEASE,
		FFA_MSG_SEND_DIRECT_REQ,
	};
	u64 x[8] = { FFA_MEM_SHARE };

	if (random_below(2))
		x[0] = functions[random_below(ARRAY_SIZE(functions))];
	switch (x[0]) {
	case FFA_VERSION:
		x[1] = FFA_VERSION_1_0;
		break;
	case FFA_RXTX_MAP | FFA_64:
		x[1] = random_below(4) ? TX : some_page();
		x[2] = some_page();
		x[3] = 1;
		break;
	case FFA_MEM_SHARE:
		write_descriptor();
		x[1] = x[2] = DESCRIPTOR_SIZE;
		break;
	case FFA_MEM_RECLAIM:
		x[1] = random_below(NR_HANDLES);
		break;
	default:
		break;
	}
	trap(EC_SMC64, NULL, x);
	nr_shared[fake_cpu_index()] += x[0] == FFA_SUCCESS && x[2];
}

static void call_firmware(void)
{
	static const u64 functions[] = { PSCI_VERSION,	      PSCI_CPU_ON_64, PSCI_CPU_OFF,
					 PSCI_CPU_SUSPEND_64, SMCCC_VERSION,  0 /* to be denied */ };
	u64 x[8] = { functions[random_below(ARRAY_SIZE(functions))] };

	if (!x[0])
		x[0] = 0x82000000 + random_below(24);
	x[1] = random_below(2) | random_below(2) << 8;
	x[2] = some_page();
	trap(EC_SMC64, NULL, x);
}

/* The hypervisor's check of itself, while others go on. */
static void check_itself(void)
{
	u64 x[8] = { STOCKADE_DC_CHECK_PAGES, pfn(some_page()), NR_PAGES };

	if (!random_below(4)) {
		x[0] = STOCKADE_DC_CHECK_TABLES;
		x[1] = false;
	}
	if (trap(EC_HVC64, NULL, x) || x[1])
		fake_fail("the selfcheck complains: %lu at frame 0x%lx", x[1], x[2]);
}

static const struct {
	void (*f)(void);
	unsigned int weight;
} deeds[] = {
	{ create_vm, 6 },    { create_vcpu, 6 },   { set_reg, 2 }, { donate, 20 },
	{ run_vcpu, 30 },    { put, 4 },	   { end_vm, 1 },  { end_some_of_a_vm, 2 },
	{ touch, 10 },	     { share_secure, 16 }, { look, 2 },	   { call_firmware, 6 },
	{ check_itself, 1 },
};

static void do_something(void)
{
	u64 sum = 0, n;

	for (unsigned int i = 0; i < ARRAY_SIZE(deeds); i++)
		sum += deeds[i].weight;
	n = random_below(sum);
	for (unsigned int i = 0; i < ARRAY_SIZE(deeds); i++) {
		if (n < deeds[i].weight) {
			deeds[i].f();
			return;
		}
		n -= deeds[i].weight;
	}
}

/* --- guests and firmware --- */

static enum guest_exit_kind guest(struct guest_regs *regs)
{
	static const u64 calls[] = { GUESTCALL_MEM_SHARE,      GUESTCALL_MEM_UNSHARE,
				     GUESTCALL_MEM_SHARE,      GUESTCALL_MEM_UNSHARE,
				     GUESTCALL_MEM_RELINQUISH, GUESTCALL_MMIO_GUARD,
				     PSCI_CPU_ON_64,	       PSCI_CPU_OFF,
				     PSCI_AFFINITY_INFO_64,    PSCI_SYSTEM_OFF };
	u64 kind = random_below(16);

	nr_exits[fake_cpu_index()]++;
	if (kind < 2)
		return GUEST_EXIT_IRQ;
	memset(regs->x, 0, 4 * sizeof(regs->x[0]));
	if (kind < 5) {
		regs->esr = ESR(EC_DABT_LOWER) | FSC_TRANSLATION | 3 | ESR_ISV;
		regs->hpfar = some_ipa() >> 8;
		return GUEST_EXIT_SYNC;
	}
	regs->esr = ESR(EC_HVC64);
	/* The last one is the VM's last. */
	regs->x[0] =
		calls[random_below(random_below(64) ? ARRAY_SIZE(calls) - 1 : ARRAY_SIZE(calls))];
	regs->x[1] = regs->x[0] == PSCI_CPU_ON_64 || regs->x[0] == PSCI_AFFINITY_INFO_64 ?
			     random_below(NR_VCPUS) :
			     some_ipa();
	return GUEST_EXIT_SYNC;
}

/* Firmware that grants all, and speaks FF-A 1.0. */
static void firmware(u64 *x)
{
	u64 function = (u32)x[0] & ~FFA_64;

	if (function == FFA_VERSION) {
		x[0] = FFA_VERSION_1_0;
	} else if (function >= FFA_ERROR && function <= FFA_MSG_SEND_DIRECT_REQ2) {
		x[0] = FFA_SUCCESS;
		x[2] = function == FFA_MEM_SHARE ?
			       __atomic_fetch_add(&next_handle, 1, __ATOMIC_RELAXED) % NR_HANDLES :
			       0;
		x[3] = 0;
	} else {
		x[0] = 0;
	}
}

/* Of one range, in the host's TX buffer. */
static void first_descriptor(void)
{
	u8 *tx = fake_ram(TX);
	struct ffa_mem_region *region = (void *)tx;
	struct ffa_ep_mem *ep = (void *)(tx + FFA_MEM_REGION_1_0);
	struct ffa_composite *composite = (void *)(tx + FFA_MEM_REGION_1_0 + FFA_EP_MEM_1_0);
	struct ffa_range *range = (void *)(composite + 1);

	memset(tx, 0, DESCRIPTOR_SIZE);
	region->ep_count = 1;
	ep->composite_offset = FFA_MEM_REGION_1_0 + FFA_EP_MEM_1_0;
	composite->nr_ranges = 1;
	composite->nr_pages = range->nr_pages = 2;
	range->address = FIRST_PAGE;
}

/* --- the machine --- */

static void check_all(void)
{
	u64 x[8] = { STOCKADE_DC_CHECK_TABLES, true };

	fake_check();
	if (trap(EC_HVC64, NULL, x) || x[1])
		fake_fail("the selfcheck complains: %lu at frame 0x%lx", x[1], x[2]);
	fake_check();
}

static void *cpu(void *arg)
{
	u64 index = (u64)arg;

	fake_cpu((unsigned int)index);
	rng = (seed + 1) * 0x9e3779b97f4a7c15 + index * 0xbf58476d1ce4e5b9;
	for (unsigned int round = 0; round < NR_ROUNDS; round++) {
		for (unsigned int i = 0; i < NR_CALLS; i++)
			do_something();
		pthread_barrier_wait(&barrier);
		if (!index)
			check_all();
		pthread_barrier_wait(&barrier);
	}
	/* The host goes down, by one of the CPUs; the others do as they like. */
	for (unsigned int i = 0; i < NR_CALLS / 4; i++) {
		if (index || i != NR_CALLS / 8) {
			do_something();
		} else {
			u64 x[8] = { PSCI_SYSTEM_OFF };

			trap(EC_SMC64, NULL, x);
		}
	}
	put();
	return NULL;
}

static void try_machine(void)
{
	static const struct fake_config config = {
		.ram = { { 0x40000000, 0x800000 }, { 0x41000000, 0x403000 } },
		.nr_ram = 2,
		.nr_cpus = NR_CPUS,
		.pool_pages = 96,
		.smc = firmware,
	};
	pthread_t threads[NR_CPUS];

	next_spare = next_handle = 0;
	fake_boot(&config);
	fake_unwatch(NULL);
	fake.guest = guest;
	/* Half of the host's kernel's accesses are by a plain load. */
	fake.text_va = 0xffff800000000000;
	fake.text_size = 0x1000;
	fake.text_pa = TEXT;
	*(u32 *)fake_ram(fake.text_pa) = 0xb9400000;
	first_descriptor();
	fake.threads = true;
	pthread_barrier_init(&barrier, NULL, NR_CPUS);
	for (u64 i = 0; i < NR_CPUS; i++)
		if (pthread_create(&threads[i], NULL, cpu, (void *)i))
			fake_fail("no thread");
	for (u64 i = 0; i < NR_CPUS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&barrier);
	fake_lock_check();
}

static u64 sum(const u64 *of_cpus)
{
	u64 all = 0;

	for (unsigned int i = 0; i < NR_CPUS; i++)
		all += of_cpus[i];
	return all;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	unsigned int machines = 0;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	do {
		fprintf(stderr, "seed %lu\n", seed);
		try_machine();
		seed++;
		machines++;
	} while (time(NULL) < end);
	printf("%u machines, %lu hostcalls, %lu of them granted, %lu exits of guests, %lu FF-A shares\n",
	       machines, sum(nr_calls), sum(nr_granted), sum(nr_exits), sum(nr_shared));
	return 0;
}
