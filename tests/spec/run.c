// SPDX-License-Identifier: GPL-2.0-only
#include "run.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stockade/hostcall.h>

#include "batch.h"
#include "fake.h"
#include "generate.h"
#include "machine.h"
#include "maint.h"

#define HANG 120 /* seconds */
/* There is little left to do then. */
#define AFTER_UNLAUNCH 30

struct tally *tally;

static struct run *running;
static jmp_buf failure;
static struct model model;

static void on_failure(const char *text)
{
	snprintf(running->why, sizeof(running->why), "%s", text);
	/* Of a thread, there is no way back. */
	if (fake.threads)
		_exit(1);
	longjmp(failure, 1);
}

static void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(2);
	return p;
}

struct run *new_run(void)
{
	if (!tally)
		tally = shared(sizeof(*tally));
	return shared(sizeof(struct run));
}

static void count(const struct step *s, const struct outcome *o)
{
	tally_add(call_name(s), answer_name(s, o));
}

static bool fail(const char *why)
{
	snprintf(running->why, sizeof(running->why), "%s", why);
	return false;
}

static const char *describe(const struct outcome *o)
{
	static char text[2][256];
	static u32 n;

	n ^= 1;
	snprintf(
		text[n], sizeof(text[n]),
		"%ld, x1-x3 %#lx %#lx %#lx, fault %lu, guest's x0 %#lx, abort %#lx at %#lx size %lu, arg %#lx",
		o->ret, o->x[0], o->x[1], o->x[2], o->fault, o->guest_x0, o->abort_flags,
		o->abort_ipa, o->abort_size, o->arg);
	return text[n];
}

/*
 * What the fake machine has to say of any call, by itself: locks that are held, what EL2's TLB still has, what
 * maintenance is owed.
 */
static void between_calls(void)
{
	fake_lock_check();
	fake_tlb_check();
	maint_check();
}

/* One step on both sides. */
static bool step_once(const struct step *s, struct outcome *o, struct choice *c)
{
	struct outcome should;
	const char *differs;

	machine_predict(&model, s, c);
	machine_step(&model, s, o, c);
	between_calls();
	should = model_step(&model, s, c);
	if (memcmp(&should, o, sizeof(should))) {
		snprintf(running->why, sizeof(running->why), "gives %s\n  should give %s",
			 describe(o), describe(&should));
		return false;
	}
	differs = machine_compare(&model, !running->seed);
	return differs ? fail(differs) : true;
}

/* Several steps at the same time. */
static bool steps_together(const struct step *s, u32 nr)
{
	struct outcome o[MAX_CPUS];
	const char *differs = batch_run(&model, s, nr, o);

	between_calls();
	for (u32 i = 0; i < nr; i++)
		snprintf(running->why + strlen(running->why),
			 sizeof(running->why) - strlen(running->why), "%s\n", describe(&o[i]));
	if (differs) {
		strncat(running->why, differs, sizeof(running->why) - strlen(running->why) - 1);
		return false;
	}
	for (u32 i = 0; i < nr; i++)
		count(&s[i], &o[i]);
	tally->together += nr;
	tally->threads += s->schedule == BY_THREADS ? nr : 0;
	return true;
}

/* What the generator never does: more VMs than the model has. A sequence that is being shrunk lacks their ends. */
static bool too_many_vms(const struct step *s, u32 nr)
{
	u32 vms = 0;

	for (u32 i = 0; i < MAX_VMS; i++)
		vms += model.vm[i].life != NONE;
	for (u32 i = 0; i < nr; i++)
		vms += s[i].op == OP_HOSTCALL && s[i].x[0] == STOCKADE_HC_VM_CREATE;
	return vms > MAX_VMS;
}

static bool run_all(void)
{
	struct generator g = { .random = running->seed,
			       .threads = running->kind & MACHINE_THREADS };
	const char *endless = NULL;
	u32 nr, left = AFTER_UNLAUNCH;
	struct choice c;
	struct outcome o;

	machine_boot(running->kind, &model);
	for (running->done = 0; running->done < running->nr_steps; running->done += nr) {
		struct step *s = &running->step[running->done];

		if (running->seed)
			nr = generate(&g, &model, s, running->nr_steps - running->done);
		else
			nr = batch_size(s, running->nr_steps - running->done);
		if (!running->seed && too_many_vms(s, nr))
			break;
		running->why[0] = '\0';
		if (nr > 1 ? !steps_together(s, nr) : !step_once(s, &o, &c))
			return false;
		if (model.full || (model.closed && !left--)) {
			running->done += nr;
			break;
		}
		if (nr > 1)
			continue;
		count(s, &o);
		if (running->seed)
			endless = generator_saw(&g, s, &o, &c);
		if (endless)
			return fail(endless);
	}
	tally->exceptions += batch_exceptions;
	return true;
}

static bool run_here(void)
{
	fake.failed = on_failure;
	return setjmp(failure) ? false : run_all();
}

bool run_steps(struct run *run)
{
	int status;
	pid_t child;

	running = run;
	run->done = 0;
	run->failed = true;
	snprintf(run->why, sizeof(run->why), "it died");
	fflush(NULL);
	child = fork();
	if (!child) {
		alarm(HANG);
		run->failed = !run_here();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		exit(2);
	if (WIFSIGNALED(status)) {
		run->failed = true;
		snprintf(run->why, sizeof(run->why), "it died of signal %d", WTERMSIG(status));
	}
	return !run->failed;
}
