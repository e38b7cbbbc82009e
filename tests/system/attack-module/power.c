// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs and EL2 itself: where a CPU starts, when it sleeps, who has its EL2. What can't be undone is for
 * launch.sh, where the machine goes down afterwards.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <asm/barrier.h>

#include <uapi/linux/psci.h>

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#include "attack.h"
#include "compat.h"
#include "secret.h"

#define HVC_SOFT_RESTART 1
#define STUB_ERR	 0xbadca11

extern const char attack_cpu[], attack_cpu_end[], attack_el2[], attack_el2_end[];
extern const char attack_fp_guest[], attack_fp_guest_end[];

/* Entries into attack_cpu (stub.S). */
#define LOAD_FIRST   0x000
#define WITH_VECTORS 0x100
#define JUMP	     0x180
#define COUNT	     0x200
#define SAW	     0x400

/* What code in stub.S has left in its page. */
struct saw {
	u64 count, value, esr, far;
};

static void clean_inval(void *page)
{
	char *p;

	/* No line is shorter. */
	for (p = page; p < (char *)page + PAGE_SIZE; p += 16)
		asm volatile("dc civac, %0" : : "r"(p) : "memory");
	dsb(sy);
}

/* A page with that code, as it is in memory. */
static void *stub_page(const char *start, const char *end)
{
	u64 pfn = take_pfn(0);
	void *page;

	if (!pfn)
		return NULL;
	page = pfn_to_kaddr(pfn);
	memset(page, 0, PAGE_SIZE);
	memcpy(page, start, end - start);
	clean_inval(page);
	asm volatile("ic ialluis\n\tdsb ish\n\tisb" : : : "memory");
	return page;
}

static struct saw look(void *page)
{
	clean_inval(page);
	return *(volatile struct saw *)((char *)page + SAW);
}

static s64 smc(u64 function, u64 a1, u64 a2, u64 a3)
{
	u64 x[4] = { function, a1, a2, a3 };

	attack_smc(x);
	return (s64)x[0];
}

static s64 affinity(u64 mpidr)
{
	return smc(PSCI_0_2_FN64_AFFINITY_INFO, mpidr, 0, 0);
}

/* The machine that runs QEMU may have other things to do. */
#define PATIENCE_MS 20000
/* For what does not happen. */
#define NEVER_MS 1000

/* Until it has gone off: then AFFINITY_INFO. */
static s64 wait_off(u64 mpidr, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < ms / 10 && affinity(mpidr) != PSCI_0_2_AFFINITY_LEVEL_OFF; i++)
		msleep(10);
	return affinity(mpidr);
}

/* CPU_ON of a CPU that the kernel does not have, until it has said something and is off. */
static struct saw start(u64 mpidr, void *page, u64 entry, u64 context, unsigned int ms,
			struct seq_buf *out)
{
	s64 ret = smc(PSCI_0_2_FN64_CPU_ON, mpidr, virt_to_phys(page) + entry, context);
	struct saw saw = look(page);
	unsigned int i;

	for (i = 0; i < ms / 10 && !saw.count && !saw.esr; i++) {
		msleep(10);
		saw = look(page);
	}
	seq_buf_printf(out, "ret %lld affinity %lld ", ret,
		       wait_off(mpidr, saw.count || saw.esr ? PATIENCE_MS : 0));
	return saw;
}

/*
 * That CPU loads from the page as soon as it runs. pfn 0: a page of ours. A CPU that gets no further keeps
 * running, from exception to exception.
 */
static int cpu_loads(u64 mpidr, u64 pfn, bool vectors, struct seq_buf *out)
{
	void *page = stub_page(attack_cpu, attack_cpu_end);
	unsigned int ms = pfn && !vectors ? NEVER_MS : PATIENCE_MS;
	u64 word = SECRET_CONTROL ^ SECRET_START;
	struct saw saw;

	if (!pfn) {
		pfn = take_pfn(0);
		*(u64 *)pfn_to_kaddr(pfn) = word;
		clean_inval(pfn_to_kaddr(pfn));
	}
	saw = start(mpidr, page, vectors ? WITH_VECTORS : LOAD_FIRST, pfn << PAGE_SHIFT, ms, out);
	seq_buf_printf(out, "loaded %llu right %d esr 0x%llx at %d\n", saw.count, saw.value == word,
		       saw.esr, saw.far == pfn << PAGE_SHIFT);
	return 0;
}

/* Nothing runs there. addr 0: a page of the hypervisor's. */
static int cpu_jumps(u64 mpidr, u64 addr, struct seq_buf *out)
{
	void *page = stub_page(attack_cpu, attack_cpu_end);
	struct saw saw;

	if (!addr) {
		addr = own_pool_pfn() << PAGE_SHIFT;
		if (raw_call(STOCKADE_HC_POOL_TOPUP, addr >> PAGE_SHIFT, 16, 0, 0, NULL))
			return -EIO;
	}
	saw = start(mpidr, page, JUMP, addr, PATIENCE_MS, out);
	seq_buf_printf(out, "esr 0x%llx at %d\n", saw.esr, saw.far == addr);
	return 0;
}

/* Nor does a CPU that begins there; it keeps taking exceptions. */
static int cpu_on_at(u64 mpidr, u64 entry, struct seq_buf *out)
{
	seq_buf_printf(out, "ret %lld", smc(PSCI_0_2_FN64_CPU_ON, mpidr, entry, 0));
	msleep(100);
	seq_buf_printf(out, " affinity %lld\n", affinity(mpidr));
	return 0;
}

/* --- two CPUs turn the same third one on, each with its own context; it goes off at once --- */

struct racer {
	u64 mpidr, entry, context;
	u32 rounds;
	u64 done, refused, odd;
	struct task_struct *task;
	struct completion end;
};

static int race_thread(void *data)
{
	struct racer *r = data;
	u32 i;

	for (i = 0; i < r->rounds; i++) {
		s64 ret = smc(PSCI_0_2_FN64_CPU_ON, r->mpidr, r->entry, r->context);

		if (!ret)
			r->done++;
		else if (ret == PSCI_RET_ALREADY_ON || ret == PSCI_RET_ON_PENDING)
			r->refused++;
		else
			r->odd++;
		cond_resched();
	}
	complete(&r->end);
	return 0;
}

static int race(struct racer racer[2])
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		init_completion(&racer[i].end);
		racer[i].task = kthread_create_on_cpu(race_thread, &racer[i], i, "attack-on/%u");
		if (IS_ERR(racer[i].task))
			return PTR_ERR(racer[i].task);
	}
	for (i = 0; i < 2; i++)
		wake_up_process(racer[i].task);
	for (i = 0; i < 2; i++)
		wait_for_completion(&racer[i].end);
	return 0;
}

static int cpu_on_race(u64 mpidr, u32 rounds, struct seq_buf *out)
{
	void *page = stub_page(attack_cpu, attack_cpu_end);
	u64 entry = virt_to_phys(page) + COUNT;
	struct racer racer[2] = { { mpidr, entry, 0, rounds }, { mpidr, entry, 8, rounds } };
	struct saw saw;
	unsigned int i;
	int err = race(racer);

	if (err)
		return err;
	/* The last start may take its time. */
	for (i = 0; i < PATIENCE_MS / 10; i++) {
		saw = look(page);
		if (saw.count + saw.value >= racer[0].done + racer[1].done)
			break;
		msleep(10);
	}
	seq_buf_printf(out, "affinity %lld odd %llu ", wait_off(mpidr, PATIENCE_MS),
		       racer[0].odd + racer[1].odd);
	seq_buf_printf(out, "missing %lld %lld\n", (s64)(racer[0].done - saw.count),
		       (s64)(racer[1].done - saw.value));
	seq_buf_printf(out, "refused %llu done %llu %llu\n", racer[0].refused + racer[1].refused,
		       racer[0].done, racer[1].done);
	return 0;
}

/* Two CPUs turn each other on, and are on: neither may start anew. */
static int cpu_on_mutual(u64 first, u64 second, u32 rounds, struct seq_buf *out)
{
	void *page = stub_page(attack_cpu, attack_cpu_end);
	u64 entry = virt_to_phys(page) + COUNT;
	struct racer racer[2] = { { second, entry, 0, rounds }, { first, entry, 8, rounds } };
	int err = race(racer);

	if (!err)
		seq_buf_printf(out, "done %llu odd %llu refused %llu\n",
			       racer[0].done + racer[1].done, racer[0].odd + racer[1].odd,
			       racer[0].refused + racer[1].refused);
	return err;
}

/* --- sleep --- */

/*
 * CPU_SUSPEND of both formats, with a vCPU bound, which must be out of the CPU before firmware may take its
 * power away. An interrupt is pending: QEMU's firmware, which has standby only, returns at once. (It does not
 * when it has to wait: QEMU 10.0 does not wake up from there.)
 */
static int suspend(struct seq_buf *out)
{
	static const struct {
		const char *name;
		u32 function;
		u64 state;
	} calls[] = {
		{ "standby", PSCI_0_2_FN64_CPU_SUSPEND, 0 },
		{ "standby_32", PSCI_0_2_FN_CPU_SUSPEND, 0 },
		{ "power_down", PSCI_0_2_FN64_CPU_SUSPEND, 1 << 16 },
		{ "no_state", PSCI_0_2_FN64_CPU_SUSPEND, 0xfffe0000 },
		{ "system", PSCI_1_0_FN64_SYSTEM_SUSPEND, 0x1000 },
	};
	struct user_fpsimd_state fp;
	unsigned long flags;
	struct raw_vm vm;
	unsigned int i;

	if (!raw_create(&vm, NULL))
		return -EIO;
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		s64 load, ret, put;

		stockade_fp_begin(&fp);
		load = raw_call(STOCKADE_HC_VCPU_LOAD, vm.handle, 0, 0, 0, NULL);
		local_irq_save(flags);
		mdelay(1000 / HZ * 2);
		ret = smc(calls[i].function, calls[i].state, 0x1000, 0);
		local_irq_restore(flags);
		put = raw_call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0, NULL);
		stockade_fp_end(&fp);
		seq_buf_printf(out, "%s load %lld ret %lld put %lld\n", calls[i].name, load, ret,
			       put);
	}
	seq_buf_printf(out, "destroyed %d\n", raw_destroy(vm.handle));
	return 0;
}

/* --- EL2 given up, one way or the other --- */

/* All RAM that this CPU can see. */
static void scan(struct seq_buf *out)
{
	static u64 buffer[PAGE_SIZE / 8];
	u64 found[NR_SECRETS] = { 0 }, pfn, pages = 0;
	unsigned int i;

	for (pfn = 0; pfn < ram_end_pfn; pfn++) {
		if (!pfn_valid(pfn) || !page_is_ram(pfn))
			continue;
		if (copy_from_kernel_nofault(buffer, pfn_to_kaddr(pfn), PAGE_SIZE))
			continue;
		pages++;
		for (i = 0; i < ARRAY_SIZE(buffer); i++)
			found[secret_kind(buffer[i])]++;
	}
	seq_buf_printf(out, "found: memory %llu regs %llu fp %llu control %llu in %llu pages\n",
		       found[SECRET_IN_MEMORY], found[SECRET_IN_REGS], found[SECRET_IN_FP],
		       found[SECRET_IN_CONTROL], pages);
}

static int raw_fp_vm(struct raw_vm *vm)
{
	u64 pfn = take_pfn(0);

	if (!pfn || !raw_create(vm, NULL))
		return -EIO;
	memcpy(pfn_to_kaddr(pfn), attack_fp_guest, attack_fp_guest_end - attack_fp_guest);
	if (raw_call(STOCKADE_HC_HOST_DONATE_GUEST, vm->handle, pfn, 0x50000, 1, NULL) ||
	    raw_call(STOCKADE_HC_VCPU_SET_REG, vm->handle, 0, STOCKADE_REG_PC, 0x50000000ull, NULL))
		return -EIO;
	return 0;
}

/* A CPU that has a guest's FP registers in it when another gives EL2 up, and lets go of them late. */
struct holder {
	struct raw_vm vm;
	bool ready, go;
	s64 load, put;
	u64 exit;
	struct completion end;
};

#define LATE_MS 40

static int hold_thread(void *data)
{
	struct holder *h = data;
	u64 x[6] = { STOCKADE_HC_VCPU_RUN };
	struct user_fpsimd_state fp;
	unsigned long flags;
	unsigned int i;

	stockade_fp_begin(&fp);
	h->load = raw_call(STOCKADE_HC_VCPU_LOAD, h->vm.handle, 0, 0, 0, NULL);
	/* Interrupts end some of them. */
	for (i = 0; i < 100 && h->exit != STOCKADE_EXIT_ABORT; i++) {
		x[0] = STOCKADE_HC_VCPU_RUN;
		local_irq_save(flags);
		attack_call(x);
		local_irq_restore(flags);
		h->exit = x[1];
	}
	local_irq_save(flags);
	smp_store_release(&h->ready, true);
	while (!smp_load_acquire(&h->go))
		cpu_relax();
	mdelay(LATE_MS);
	h->put = raw_call(STOCKADE_HC_VCPU_PUT, 0, 0, 0, 0, NULL);
	local_irq_restore(flags);
	stockade_fp_end(&fp);
	complete(&h->end);
	return 0;
}

/* HVC_SOFT_RESTART while VMs run. What comes of it is at EL2, and then the kernel is there without stage 2. */
static int restart(u64 victim, struct seq_buf *out)
{
	void *page = stub_page(attack_el2, attack_el2_end);
	u64 x[4] = { HVC_SOFT_RESTART, virt_to_phys(page), victim << PAGE_SHIFT, 0 }, again[4];
	static struct holder holder;
	struct task_struct *task;
	unsigned long flags;
	struct saw saw;
	bool late;

	memcpy(again, x, sizeof(x));
	if (raw_fp_vm(&holder.vm))
		return -EIO;
	init_completion(&holder.end);
	/* This is CPU 0, by who wrote to control. */
	task = kthread_create_on_cpu(hold_thread, &holder, 1, "attack-hold/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	while (!smp_load_acquire(&holder.ready))
		msleep(10);
	local_irq_save(flags);
	smp_store_release(&holder.go, true);
	attack_hvc(x);
	local_irq_restore(flags);
	wait_for_completion(&holder.end);
	/* It was too late, and that is said; now nobody has anything. */
	late = x[0] == STUB_ERR;
	if (late) {
		memcpy(x, again, sizeof(x));
		local_irq_save(flags);
		attack_hvc(x);
		local_irq_restore(flags);
	}
	saw = look(page);
	seq_buf_printf(out, "load %lld exit %llu put %lld\nrefused once %d\n", holder.load,
		       holder.exit, holder.put, late);
	seq_buf_printf(out, "ret %llx level %llu secret %d\n", x[0], saw.count >> 2,
		       secret_kind(saw.value) != SECRET_NONE);
	x[0] = STOCKADE_HC_VERSION;
	attack_hvc(x);
	seq_buf_printf(out, "version %llx\n", x[0]);
	scan(out);
	return 0;
}

/* --- UNLAUNCH, while another CPU makes VMs --- */

struct maker {
	bool stop, closed;
	u64 made, refused, late, odd, vms;
	s64 left;
	struct completion end;
};

/* Are other functions refused when there is no VM and can be none? */
static void after_unlaunch(struct maker *m)
{
	static const u64 functions[] = {
		STOCKADE_HC_VM_TOPUP,	       STOCKADE_HC_VCPU_CREATE,	 STOCKADE_HC_VCPU_SET_REG,
		STOCKADE_HC_HOST_DONATE_GUEST, STOCKADE_HC_VCPU_LOAD,	 STOCKADE_HC_VCPU_PUT,
		STOCKADE_HC_VCPU_RUN,	       STOCKADE_HC_VM_TEARDOWN,	 STOCKADE_HC_VM_RECLAIM,
		STOCKADE_HC_VM_RECLAIM_TABLE,  STOCKADE_HC_VCPU_DESTROY, STOCKADE_HC_VM_DESTROY,
	};
	unsigned int i, handle;

	for (i = 0; i < ARRAY_SIZE(functions); i++)
		for (handle = 0x1000; handle < 0x1000 + STOCKADE_MAX_VMS; handle++)
			m->odd += raw_call(functions[i], handle, 0, 0, 1, NULL) != STOCKADE_ENOENT;
	m->odd += raw_call(STOCKADE_HC_SEAL, 0, 0, 0, 0, NULL) != STOCKADE_EBUSY;
	m->odd += raw_call(STOCKADE_HC_PROTECT_CPU, 0, 0, 0, 0, NULL) != STOCKADE_OK;
	m->odd += raw_call(STOCKADE_HC_UNLAUNCH, 0, 0, 0, 0, NULL) != STOCKADE_OK;
}

static int make_thread(void *data)
{
	struct maker *m = data;
	u64 x[6] = { STOCKADE_HC_STATUS };
	struct rnd_state rnd;
	struct raw_vm vm;
	unsigned int i;

	prandom_seed_state(&rnd, 1);
	while (!smp_load_acquire(&m->stop)) {
		bool closed = smp_load_acquire(&m->closed);

		vm.handle = 0;
		raw_create(&vm, &rnd);
		m->late += closed && vm.handle;
		if (!vm.handle) {
			m->refused++;
			cond_resched();
			continue;
		}
		m->made++;
		raw_destroy(vm.handle);
		cond_resched();
	}
	for (i = 0; i < 3; i++)
		m->odd += raw_call(STOCKADE_HC_VM_CREATE, take_pfn(0), take_pfn(1),
				   40 | STOCKADE_VM_PROTECTED << 8, 0, NULL) != STOCKADE_ENOSPC;
	after_unlaunch(m);
	attack_call(x);
	m->vms = x[3];
	m->left = raw_call(STOCKADE_HC_UNLAUNCH_CPU, 0, 0, 0, 0, NULL);
	complete(&m->end);
	return 0;
}

static int unlaunch(struct seq_buf *out)
{
	static struct maker maker;
	struct task_struct *task;
	u64 tries = 0;
	s64 ret;

	init_completion(&maker.end);
	task = kthread_create_on_cpu(make_thread, &maker, 1, "attack-make/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	while (READ_ONCE(maker.made) < 10)
		msleep(10);
	do {
		ret = raw_call(STOCKADE_HC_UNLAUNCH, 0, 0, 0, 0, NULL);
		tries++;
		cond_resched();
	} while (ret == STOCKADE_EBUSY && tries < 1000000);
	smp_store_release(&maker.closed, true);
	seq_buf_printf(out, "ret %lld cpu %lld tries %llu\n", ret,
		       raw_call(STOCKADE_HC_UNLAUNCH_CPU, 0, 0, 0, 0, NULL), tries);
	/* The other one goes on for a while, under the hypervisor and alone. */
	msleep(200);
	smp_store_release(&maker.stop, true);
	wait_for_completion(&maker.end);
	seq_buf_printf(out, "late %llu odd %llu vms %llu left %lld\nmade %llu refused %llu\n",
		       maker.late, maker.odd, maker.vms, maker.left, maker.made, maker.refused);
	seq_buf_printf(out, "version %llx\n", raw_call(STOCKADE_HC_VERSION, 0, 0, 0, 0, NULL));
	scan(out);
	return 0;
}

int power_attack(const char *line, struct seq_buf *out)
{
	u64 mpidr, arg;
	u32 rounds;

	if (sscanf(line, "power-first %llx %llx", &mpidr, &arg) == 2)
		return cpu_loads(mpidr, arg, false, out);
	if (sscanf(line, "power-vectors %llx %llx", &mpidr, &arg) == 2)
		return cpu_loads(mpidr, arg, true, out);
	if (sscanf(line, "power-jump %llx %llx", &mpidr, &arg) == 2)
		return cpu_jumps(mpidr, arg, out);
	if (sscanf(line, "power-at %llx %llx", &mpidr, &arg) == 2)
		return cpu_on_at(mpidr, arg, out);
	if (sscanf(line, "power-race %llx %u", &mpidr, &rounds) == 2)
		return cpu_on_race(mpidr, rounds, out);
	if (sscanf(line, "power-mutual %llx %llx %u", &mpidr, &arg, &rounds) == 3)
		return cpu_on_mutual(mpidr, arg, rounds, out);
	if (!strcmp(line, "power-suspend"))
		return suspend(out);
	/* From here on it is this CPU that EL2 goes from. */
	set_cpus_allowed_ptr(current, cpumask_of(0));
	if (sscanf(line, "power-restart %llx", &arg) == 1)
		return restart(arg, out);
	if (!strcmp(line, "power-unlaunch"))
		return unlaunch(out);
	return -EINVAL;
}
