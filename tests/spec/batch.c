// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs are coroutines that may change at each lock boundary, and whenever a guest has run: which one goes on is drawn
 * from the step's schedule, so that a run repeats. Or they are threads, and nobody knows. Afterwards an order of the calls is looked for that gives the
 * same results in the model, and the same state: one CPU after the other, as if each call took no time.
 */
#include "batch.h"

#include <pthread.h>
#include <string.h>
#include <ucontext.h>

#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#include "fake.h"
#include "generate.h"
#include "machine.h"

#define STACK (256 * 1024)

u64 batch_exceptions;

static struct {
	ucontext_t context;
	_Alignas(16) u8 stack[STACK];
	const struct step *step;
	struct outcome outcome;
	struct choice choice;
	const struct spinlock *wanted;
	bool done;
	u32 began, ended; /* in units of schedule points */
} cpus[MAX_CPUS];

static ucontext_t scheduler;
static const struct model *at_first;
static u32 nr_cpus, current, now;

u32 batch_size(const struct step *s, u32 nr)
{
	u32 seen = 0, n = 0;

	for (n = 0; n < nr && n < MAX_CPUS; n++) {
		if (seen & 1u << s[n].cpu)
			return 1;
		seen |= 1u << s[n].cpu;
		if (!s[n].with_next)
			return n + 1;
	}
	return 1;
}

/* --- at the same time --- */

static void reschedule(const struct spinlock *wanted)
{
	cpus[current].wanted = wanted;
	swapcontext(&cpus[current].context, &scheduler);
}

static void cpu_main(void)
{
	u32 n = current;

	cpus[n].began = now;
	machine_step(at_first, cpus[n].step, &cpus[n].outcome, &cpus[n].choice);
	cpus[n].ended = now;
	cpus[n].done = true;
	swapcontext(&cpus[n].context, &scheduler);
}

static bool can_go_on(u32 n)
{
	return !cpus[n].done && (!cpus[n].wanted || !cpus[n].wanted->holder);
}

static bool all_done(void)
{
	for (u32 n = 0; n < nr_cpus; n++)
		if (!cpus[n].done)
			return false;
	return true;
}

static void prepare(u32 n, const struct step *s)
{
	cpus[n].step = s;
	cpus[n].wanted = NULL;
	cpus[n].done = false;
	memset(&cpus[n].choice, 0, sizeof(cpus[n].choice));
	getcontext(&cpus[n].context);
	cpus[n].context.uc_stack.ss_sp = cpus[n].stack;
	cpus[n].context.uc_stack.ss_size = STACK;
	cpus[n].context.uc_link = NULL;
	makecontext(&cpus[n].context, cpu_main, 0);
}

static void run_interleaved(const struct model *m, const struct step *s, u32 nr)
{
	u64 random = s->schedule;

	at_first = m;
	nr_cpus = nr;
	now = 0;
	for (u32 n = 0; n < nr; n++)
		prepare(n, &s[n]);
	fake.reschedule = reschedule;
	current = (u32)random_below(&random, nr);
	while (!all_done()) {
		u32 tries = 0;

		/* Mostly go on; now and then another one. */
		if (!can_go_on(current) || random_below(&random, 3) == 0)
			current = (u32)random_below(&random, nr);
		while (!can_go_on(current) && tries++ < nr)
			current = (current + 1) % nr;
		if (tries > nr)
			fake_fail("CPUs wait for each other");
		now++;
		fake_cpu(s[current].cpu);
		swapcontext(&scheduler, &cpus[current].context);
	}
	fake.reschedule = NULL;
}

/* --- the same by real threads --- */

static pthread_barrier_t all_ready;
static u32 ticks;

static void *thread_main(void *arg)
{
	u32 n = (u32)(u64)arg;

	fake_cpu(cpus[n].step->cpu);
	pthread_barrier_wait(&all_ready);
	cpus[n].began = __atomic_fetch_add(&ticks, 1, __ATOMIC_SEQ_CST);
	machine_step(at_first, cpus[n].step, &cpus[n].outcome, &cpus[n].choice);
	cpus[n].ended = __atomic_fetch_add(&ticks, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void run_threads(const struct model *m, const struct step *s, u32 nr)
{
	pthread_t threads[MAX_CPUS];

	at_first = m;
	nr_cpus = nr;
	pthread_barrier_init(&all_ready, NULL, nr);
	fake.threads = true;
	for (u32 n = 0; n < nr; n++) {
		cpus[n].step = &s[n];
		memset(&cpus[n].choice, 0, sizeof(cpus[n].choice));
		if (pthread_create(&threads[n], NULL, thread_main, (void *)(u64)n))
			fake_fail("no thread is to be had");
	}
	for (u32 n = 0; n < nr; n++)
		pthread_join(threads[n], NULL);
	fake.threads = false;
	pthread_barrier_destroy(&all_ready);
}

/* What was the implementation's to choose, as far as it can be told from the answer. */
static void infer(const struct step *s, const struct outcome *o, struct choice *c)
{
	if (s->op == OP_HOSTCALL && o->ret == STOCKADE_ENOMEM) {
		c->no_tables = true;
		c->wanted = o->x[0];
		c->wanted_by = o->x[1];
	} else if (s->op == OP_RUN && !o->ret && o->x[0] == STOCKADE_EXIT_TOPUP) {
		c->no_tables = true;
		c->wanted = o->arg;
	} else if (s->op == OP_HOST_ABORT) {
		c->no_tables = o->fault == FAULT_EXTERNAL;
	}
}

/* --- in some order --- */

/* A call is one part, VCPU_RUN two. */
struct part {
	u32 cpu, began, ended;
	bool act;
};

static struct part parts[2 * MAX_CPUS];
static u32 nr_parts;
static struct model states[2 * MAX_CPUS + 1];
static bool used[2 * MAX_CPUS], ran[MAX_CPUS], lenient;
static const char *complaint;

/* The frames that a step names. */
static u64 named(const struct step *s, u64 *first)
{
	*first = 0;
	if (s->op == OP_HOST_ABORT || s->op == OP_SHARE_SECURE) {
		*first = s->x[s->op == OP_SHARE_SECURE] / PAGE_SIZE;
		return s->op == OP_SHARE_SECURE ? s->x[2] : 1;
	}
	if (s->op == OP_HOST_WRITE) {
		*first = s->x[0];
		return 1;
	}
	if (s->op != OP_HOSTCALL)
		return 0;
	switch (s->x[0]) {
	case STOCKADE_HC_POOL_TOPUP:
		*first = s->x[1];
		return s->x[2];
	case STOCKADE_HC_VM_TOPUP:
		*first = s->x[2];
		return s->x[3];
	case STOCKADE_HC_HOST_DONATE_GUEST:
		*first = s->x[2];
		return s->x[4];
	default:
		return 0;
	}
}

/* VM_CREATE and VCPU_CREATE name two. */
static bool names(const struct step *s, u64 frame)
{
	u64 first, nr = named(s, &first);

	if (frame >= first && frame - first < nr)
		return true;
	if (s->op != OP_HOSTCALL)
		return false;
	if (s->x[0] == STOCKADE_HC_VM_CREATE)
		return frame == s->x[1] || frame == s->x[2] || frame == s->x[2] + 1;
	return s->x[0] == STOCKADE_HC_VCPU_CREATE &&
	       (frame == s->x[3] || frame == (s->x[4] & RUN_FRAME));
}

/* Is a page that the step names in other hands meanwhile, or was it before? */
static bool contended(u32 n)
{
	const struct step *s = cpus[n].step;

	for (u64 i = 0, r = 0; i < at_first->nr_frames; i++) {
		u64 frame = i;

		for (r = 0; frame >= at_first->range[r].nr; r++)
			frame -= at_first->range[r].nr;
		frame += at_first->range[r].first;
		if (!names(s, frame))
			continue;
		if (at_first->frame[i].owner != HOST || at_first->frame[i].borrower != NOBODY)
			return true;
		for (u32 other = 0; other < nr_cpus; other++)
			if (other != n && names(cpus[other].step, frame))
				return true;
	}
	return false;
}

/* What may differ from every order, and is then as if the call had not been made. */
static bool is_excepted(u32 n)
{
	const struct step *s = cpus[n].step;
	const struct outcome *o = &cpus[n].outcome;

	switch (s->op) {
	case OP_HOSTCALL:
		/* Another CPU has the VM in hand. */
		if (s->x[0] == STOCKADE_HC_VM_DESTROY)
			return o->ret == STOCKADE_EBUSY;
		/* A page is on its way, or was with a call that was refused. */
		return o->ret == STOCKADE_EPERM && contended(n);
	case OP_SHARE_SECURE:
		return o->ret == STOCKADE_EPERM && contended(n);
	case OP_HOST_ABORT:
	case OP_HOST_WRITE:
		return contended(n);
	default:
		return false;
	}
}

/* It was refused after it had zeroed its pages: the host lost what was in them. */
static void may_have_zeroed(struct model *m, u32 n)
{
	const struct step *s = cpus[n].step;

	if (s->op != OP_HOSTCALL || !cpus[n].outcome.ret)
		return;
	for (u64 i = 0, r; i < m->nr_frames; i++) {
		u64 frame = i;

		for (r = 0; frame >= m->range[r].nr; r++)
			frame -= m->range[r].nr;
		frame += m->range[r].first;
		if (m->frame[i].owner == HOST && m->frame[i].content != CONTENT_ANY &&
		    names(s, frame) && !*(const u64 *)fake_ram(frame * PAGE_SIZE))
			m->frame[i].content = CONTENT_ZERO;
	}
}

/* The pages that CPU n gave to the VM whose VM_RECLAIM s is. */
static u64 given(const struct step *s, u32 n)
{
	const struct step *give = cpus[n].step;

	return s->op == OP_HOSTCALL && s->x[0] == STOCKADE_HC_VM_RECLAIM &&
			       give->op == OP_HOSTCALL &&
			       give->x[0] == STOCKADE_HC_HOST_DONATE_GUEST &&
			       give->x[1] == s->x[1] && !cpus[n].outcome.ret ?
		       give->x[4] :
		       0;
}

/*
 * Does the part give what was seen? Of what a VM lost during its VM_RECLAIM, some went by other ways. It may have
 * got some meanwhile, before it was torn down, from the CPUs whose bits are set in came.
 */
static bool apply(struct model *m, const struct part *p, u64 other_ways, u32 came)
{
	struct choice c = cpus[p->cpu].choice;
	const struct step *s = cpus[p->cpu].step;
	struct outcome o;

	for (u32 n = 0; n < nr_cpus; n++) {
		if (!(came & 1u << n))
			continue;
		if (!given(s, n))
			return false;
		c.reclaimed += given(s, n);
	}
	if (other_ways && other_ways > c.reclaimed)
		return false;
	c.reclaimed -= other_ways;

	if (s->op != OP_RUN)
		o = model_step(m, s, &c);
	else if (!p->act && (ran[p->cpu] = model_enter(m, s, &o)))
		return true;
	else if (p->act && !ran[p->cpu])
		return true;
	else if (p->act)
		o = model_act(m, s, &c);
	return !memcmp(&o, &cpus[p->cpu].outcome, sizeof(o));
}

static bool may_be_next(u32 p)
{
	for (u32 i = 0; i < nr_parts; i++)
		if (!used[i] && i != p &&
		    (parts[i].ended < parts[p].began ||
		     (parts[i].cpu == parts[p].cpu && !parts[i].act && parts[p].act)))
			return false;
	return !used[p];
}

static bool find_order(u32 depth)
{
	if (depth == nr_parts) {
		complaint = machine_compare(&states[depth], true);
		return !complaint;
	}
	for (u32 p = 0; p < nr_parts; p++) {
		bool was = ran[parts[p].cpu], found = false;

		if (!may_be_next(p))
			continue;
		used[p] = true;
		for (u64 way = 0; way < (u64)nr_cpus << nr_cpus && !found; way++) {
			states[depth + 1] = states[depth];
			if (!apply(&states[depth + 1], &parts[p], way % nr_cpus, way / nr_cpus))
				continue;
			if (lenient)
				may_have_zeroed(&states[depth + 1], parts[p].cpu);
			found = find_order(depth + 1);
		}
		if (!found && lenient && is_excepted(parts[p].cpu)) {
			states[depth + 1] = states[depth];
			may_have_zeroed(&states[depth + 1], parts[p].cpu);
			found = find_order(depth + 1);
		}
		if (found)
			return true;
		used[p] = false;
		ran[parts[p].cpu] = was;
	}
	return false;
}

static bool find_any_order(const struct model *m)
{
	memset(used, 0, sizeof(used));
	states[0] = *m;
	return find_order(0);
}

const char *batch_run(struct model *m, const struct step *s, u32 nr, struct outcome *outcomes)
{
	if (s->schedule == BY_THREADS)
		run_threads(m, s, nr);
	else
		run_interleaved(m, s, nr);
	nr_parts = 0;
	complaint = NULL;
	for (u32 n = 0; n < nr; n++) {
		infer(&s[n], &cpus[n].outcome, &cpus[n].choice);
		outcomes[n] = cpus[n].outcome;
		for (u32 act = 0; act < (s[n].op == OP_RUN ? 2 : 1); act++)
			parts[nr_parts++] = (struct part){ n, cpus[n].began, cpus[n].ended, act };
	}
	lenient = false;
	if (!find_any_order(m)) {
		lenient = true;
		if (!find_any_order(m))
			return complaint ? complaint :
					   "the answers are those of no order of the calls";
		batch_exceptions++;
	}
	*m = states[nr_parts];
	return NULL;
}
