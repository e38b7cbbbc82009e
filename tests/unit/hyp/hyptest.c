// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"

#define MAX_SCRIPT 64

struct hc_result hc_result;
unsigned int fed_pages, hyp_fed_pages;
jmp_buf complaint_jump;
bool complaint_expected;
const char *complaint;

static pa_t next_page, next_block, next_spare;

static struct {
	void (*code)(struct guest_regs *regs);
	u64 esr, far;
	ipa_t ipa;
	bool call;
	u64 x[4];
} script[MAX_SCRIPT];
static unsigned int nr_script, script_at;
static bool interrupted; /* the script has come to its end */

static void on_failure(const char *why)
{
	if (complaint_expected) {
		complaint_expected = false;
		complaint = why;
		longjmp(complaint_jump, 1);
	}
	fail_msg("%s", why);
}

static void reset(void)
{
	fake.failed = on_failure;
	/* Behind the hypervisor's pages, which are in the first block; and two blocks of the first range. */
	next_page = 0x41000000;
	next_block = 0x40200000;
	next_spare = 0x40600000;
	nr_script = script_at = 0;
	fed_pages = hyp_fed_pages = 0;
}

pa_t selfcheck_where;

enum stockade_broken selfcheck(bool quiet)
{
	enum stockade_broken broken;
	u64 next = 0;

	/* In pieces that end anywhere. */
	do {
		broken = check_pages(next, 700, &selfcheck_where, &next);
	} while (!broken && next);
	return broken ? broken : check_tables(quiet, &selfcheck_where);
}

void on_machine(void **state)
{
	hyp_test_fn *test = (hyp_test_fn *)*state;
	enum stockade_broken broken;

	reset();
	fake_boot(NULL);
	test();
	fake_check();
	fake.before_lock = fake.after_unlock = NULL;
	for (int quiet = 0; quiet < 2; quiet++) {
		broken = selfcheck(quiet);
		if (broken)
			fail_msg("the selfcheck complains: %u at 0x%lx", broken, selfcheck_where);
	}
	fake_check();
}

void on_lost_machine(void **state)
{
	hyp_test_fn *test = (hyp_test_fn *)*state;

	reset();
	fake_boot(NULL);
	test();
	fake_unwatch(NULL);
}

void boot_again_as(const struct fake_config *config)
{
	reset();
	fake_boot(config);
}

void boot_again(void)
{
	boot_again_as(NULL);
}

void without_machine(void **state)
{
	hyp_test_fn *test = (hyp_test_fn *)*state;

	reset();
	test();
}

/* --- the host --- */

s64 hc_call(const u64 *x)
{
	struct host_regs regs;

	/* A recognisable value in the others: x4-x17 are kept. */
	for (unsigned int i = 0; i < 31; i++)
		regs.x[i] = i < 6 ? x[i] : 0x1111 * i;
	fake.host_esr = ESR(EC_HVC64, 0);
	host_trap(&regs);
	for (unsigned int i = 4; i < 31; i++)
		assert_int_equal(regs.x[i], i < 6 ? x[i] : 0x1111 * i);
	hc_result = (struct hc_result){ regs.x[1], regs.x[2], regs.x[3] };
	return (s64)regs.x[0];
}

s64 hc_fed_call(const u64 *x)
{
	s64 ret;

	for (unsigned int i = 0; i < 64; i++) {
		struct hc_result want;

		ret = hc_call(x);
		if (ret != STOCKADE_ENOMEM)
			return ret;
		want = hc_result;
		for (u64 n = 0; n < want.x1; n++, fed_pages++) {
			if (want.x2 == STOCKADE_POOL_HYP) {
				assert_ret(hc(STOCKADE_HC_POOL_TOPUP, PFN(spare_page()), 1), 0);
				hyp_fed_pages++;
			} else {
				assert_ret(hc_fed(STOCKADE_HC_VM_TOPUP, x[1], PFN(spare_page()), 1),
					   0);
			}
		}
		if (!want.x1)
			fail_msg("it wants memory, but none");
	}
	fail_msg("it wants ever more memory");
	return ret;
}

pa_t host_page(void)
{
	pa_t pa = next_page;

	next_page += PAGE_SIZE;
	return pa;
}

pa_t host_block(void)
{
	pa_t pa = next_block;

	next_block += BLOCK;
	assert_true(pa <= 0x40400000);
	return pa;
}

pa_t spare_page(void)
{
	pa_t pa = next_spare;

	next_spare += PAGE_SIZE;
	return pa;
}

void set_hyp_pool_free(u64 nr)
{
	spin_lock(&mem_lock);
	assert_true(hyp_pool.free >= nr);
	pool_reserve(&hyp_pool, hyp_pool.free - nr);
	spin_unlock(&mem_lock);
}

void release_hyp_pool(u64 reserved)
{
	spin_lock(&mem_lock);
	pool_unreserve(&hyp_pool, hyp_pool.reserved - reserved);
	spin_unlock(&mem_lock);
}

__attribute__((noinline)) void dirty_stack(void)
{
	volatile u8 junk[8192];

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = 0x5a;
}

unsigned int page_state(pa_t pa)
{
	return fake_page(pa)->state;
}

void fill_page(pa_t pa, u64 pattern)
{
	u64 *word = fake_ram(pa);

	for (size_t i = 0; i < PAGE_SIZE / 8; i++)
		word[i] = pattern;
}

void assert_page_is(pa_t pa, u64 pattern)
{
	const u64 *word = fake_ram(pa);

	for (size_t i = 0; i < PAGE_SIZE / 8; i++)
		if (word[i] != pattern)
			fail_msg("page 0x%lx has 0x%lx at word %zu, not 0x%lx", pa, word[i], i,
				 pattern);
}

bool logged(const char *text)
{
	const struct stockade_log *ring = fake_ram(fake.launch.log);

	return strstr(ring->text, text);
}

int op_after(enum fake_op_kind kind, u64 a, u64 b, int after)
{
	for (unsigned int i = (unsigned int)(after + 1); i < fake.nr_ops && i < FAKE_MAX_OPS; i++)
		if (fake.ops[i].kind == kind && fake.ops[i].a == a && fake.ops[i].b == b)
			return (int)i;
	fail_msg("no operation %d (0x%lx, 0x%lx) after number %d", kind, a, b, after);
	return 0;
}

unsigned int count_ops(enum fake_op_kind kind)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < fake.nr_ops && i < FAKE_MAX_OPS; i++)
		nr += fake.ops[i].kind == kind;
	return nr;
}

/* --- VMs --- */

struct test_vm make_vm_bits(unsigned int nr_vcpus, unsigned int ipa_bits)
{
	u64 nr_root = stockade_s2_root_pages(ipa_bits);
	struct test_vm vm = { .nr_vcpus = nr_vcpus };

	vm.page = host_page();
	next_page = ALIGN_UP(next_page, nr_root * PAGE_SIZE);
	vm.root = next_page;
	next_page += nr_root * PAGE_SIZE;
	assert_ret(hc_fed(STOCKADE_HC_VM_CREATE, PFN(vm.page), PFN(vm.root),
			  ipa_bits | STOCKADE_VM_PROTECTED << 8),
		   0);
	vm.handle = hc_result.x1;
	vm.vm = hyp_va(vm.page);
	vm.mem = &vm.vm->mem;
	for (unsigned int i = 0; i < nr_vcpus; i++) {
		vm.vcpu[i] = host_page();
		vm.run[i] = host_page();
		assert_ret(hc_fed(STOCKADE_HC_VCPU_CREATE, vm.handle, i, PFN(vm.vcpu[i]),
				  PFN(vm.run[i])),
			   0);
		memset(fake_ram(vm.run[i]), 0, PAGE_SIZE);
	}
	return vm;
}

struct test_vm make_vm(unsigned int nr_vcpus)
{
	return make_vm_bits(nr_vcpus, 40);
}

void donate(struct test_vm *vm, pa_t pa, ipa_t ipa, u64 nr)
{
	do
		assert_ret(hc_fed(STOCKADE_HC_HOST_DONATE_GUEST, vm->handle, PFN(pa), PFN(ipa), nr),
			   0);
	while (hc_result.x1);
}

pa_t donated_page(struct test_vm *vm, ipa_t ipa)
{
	pa_t pa = host_page();

	donate(vm, pa, ipa, 1);
	return pa;
}

void end_vm(struct test_vm *vm)
{
	s64 ret;

	assert_ret(hc(STOCKADE_HC_VM_TEARDOWN, vm->handle), 0);
	do {
		assert_ret(hc(STOCKADE_HC_VM_RECLAIM, vm->handle), 0);
	} while (hc_result.x1);
	while (!(ret = hc(STOCKADE_HC_VM_RECLAIM_TABLE, vm->handle)))
		assert_state(hc_result.x1 << PAGE_SHIFT, PAGE_HOST);
	assert_ret(ret, STOCKADE_ENOENT);
	for (unsigned int i = vm->nr_vcpus; i--;)
		assert_ret(hc(STOCKADE_HC_VCPU_DESTROY, vm->handle, i), 0);
	assert_ret(hc(STOCKADE_HC_VM_DESTROY, vm->handle), 0);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		assert_state(vm->vcpu[i], PAGE_HOST);
		assert_page_is(vm->vcpu[i], 0);
		assert_state(vm->run[i], PAGE_HOST);
	}
	assert_page_is(vm->page, 0);
	assert_page_is(vm->root, 0);
}

void assert_guest_has(struct test_vm *vm, ipa_t ipa, pa_t pa)
{
	struct fake_leaf leaf = fake_walk(&vm->mem->map, ipa);

	assert_true(leaf.valid);
	assert_int_equal(leaf.pa, pa);
}

void assert_guest_has_not(struct test_vm *vm, ipa_t ipa)
{
	assert_false(fake_walk(&vm->mem->map, ipa).valid);
}

struct stockade_run *run_page(struct test_vm *vm, unsigned int vcpu)
{
	return fake_ram(vm->run[vcpu]);
}

struct guest_regs *regs_of(struct test_vm *vm, unsigned int vcpu)
{
	return fake_ram(vm->vcpu[vcpu]);
}

/* --- guests --- */

static enum guest_exit_kind play(struct guest_regs *regs)
{
	if (script_at == nr_script) {
		interrupted = true;
		return GUEST_EXIT_IRQ;
	}
	if (script[script_at].code)
		script[script_at].code(regs);
	if (script[script_at].call)
		memcpy(regs->x, script[script_at].x, sizeof(script[0].x));
	regs->esr = script[script_at].esr;
	regs->far = script[script_at].far;
	regs->hpfar = script[script_at].ipa >> 8 & GENMASK(43, 4);
	script_at++;
	return GUEST_EXIT_SYNC;
}

void guest_does(void (*code)(struct guest_regs *regs), u64 esr, u64 far, ipa_t ipa)
{
	if (script_at == nr_script)
		nr_script = script_at = 0;
	assert_true(nr_script < MAX_SCRIPT);
	script[nr_script].code = code;
	script[nr_script].esr = esr;
	script[nr_script].far = far;
	script[nr_script].ipa = ipa;
	script[nr_script].call = false;
	nr_script++;
	fake.guest = play;
}

void guest_traps(u64 esr, u64 far, ipa_t ipa)
{
	guest_does(NULL, esr, far, ipa);
}

void guest_calls(u64 x0, u64 x1, u64 x2, u64 x3)
{
	const u64 x[4] = { x0, x1, x2, x3 };

	guest_does(NULL, ESR(EC_HVC64, 0), 0, 0);
	script[nr_script - 1].call = true;
	memcpy(script[nr_script - 1].x, x, sizeof(x));
}

unsigned int guest_exits_left(void)
{
	return nr_script - script_at;
}

void load(struct test_vm *vm, unsigned int vcpu)
{
	assert_ret(hc(STOCKADE_HC_VCPU_LOAD, vm->handle, vcpu), 0);
}

s64 run_ret(void)
{
	return hc(STOCKADE_HC_VCPU_RUN);
}

unsigned int run(void)
{
	interrupted = fake.guest != play;
	assert_ret(run_ret(), 0);
	/* What EL2 does by itself is no exit: the guest goes on. */
	if (hc_result.x1 == STOCKADE_EXIT_IRQ)
		assert_true(interrupted);
	return (unsigned int)hc_result.x1;
}
