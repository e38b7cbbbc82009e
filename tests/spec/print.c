// SPDX-License-Identifier: GPL-2.0-only
/* Names of calls and answers; steps as C. */
#include <stdio.h>
#include <string.h>

#include <stockade/guestcall.h>
#include <stockade/hostcall.h>
#include <stockade/vcpu_run.h>

#include "run.h"

static const char *const hostcalls[] = {
	"VERSION",	    "STATUS",	    "SEAL",
	"PROTECT_CPU",	    "UNLAUNCH",	    "UNLAUNCH_CPU",
	"POOL_TOPUP",	    "VM_CREATE",    "VM_TOPUP",
	"VCPU_CREATE",	    "VCPU_SET_REG", "HOST_DONATE_GUEST",
	"VCPU_LOAD",	    "VCPU_PUT",	    "VCPU_RUN",
	"VCPU_MMIO_VALUE",  "VM_TEARDOWN",  "VM_RECLAIM",
	"VM_RECLAIM_TABLE", "VCPU_DESTROY", "VM_DESTROY",
};

static const struct {
	u64 function;
	const char *name;
} guest_calls[] = {
	{ GUESTCALL_MEM_SHARE, "MEM_SHARE" },
	{ GUESTCALL_MEM_UNSHARE, "MEM_UNSHARE" },
	{ GUESTCALL_MEM_RELINQUISH, "MEM_RELINQUISH" },
	{ GUESTCALL_MMIO_GUARD, "MMIO_GUARD" },
	{ GUESTCALL_HYP_MEMINFO, "HYP_MEMINFO" },
	{ PSCI_CPU_ON_64, "CPU_ON_64" },
	{ PSCI_CPU_OFF, "CPU_OFF" },
	{ PSCI_AFFINITY_INFO_64, "AFFINITY_INFO_64" },
	{ PSCI_SYSTEM_OFF, "SYSTEM_OFF" },
	{ PSCI_SYSTEM_RESET, "SYSTEM_RESET" },
};

static const char *guest_call(u64 function)
{
	for (u32 i = 0; i < sizeof(guest_calls) / sizeof(guest_calls[0]); i++)
		if (guest_calls[i].function == function)
			return guest_calls[i].name;
	return NULL;
}

static bool is_hostcall(u64 function)
{
	return function >= STOCKADE_HC_BASE && function < STOCKADE_HC_END;
}

const char *call_name(const struct step *s)
{
	static const char *const ops[] = { "",		 "run",		 "host abort",
					   "host write", "share secure", "unshare secure" };
	static const char *const acts[] = { "run: idle", "run: other call", "run: access" };

	if (s->op == OP_HOSTCALL && s->x[0] == STOCKADE_HC_HOST_DONATE_GUEST && s->x[4] == BLOCK)
		return "DONATE_GUEST 2M";
	if (s->op == OP_HOSTCALL)
		return is_hostcall(s->x[0]) ? hostcalls[s->x[0] - STOCKADE_HC_BASE] : "no call";
	if (s->op == OP_RUN && s->x[1] == GUEST_CALL && guest_call(s->x[2]))
		return guest_call(s->x[2]);
	return s->op == OP_RUN ? acts[s->x[1]] : ops[s->op];
}

static void print_step(const struct step *s, bool last)
{
	static const char *const ops[] = { "OP_HOSTCALL",   "OP_RUN",	       "OP_HOST_ABORT",
					   "OP_HOST_WRITE", "OP_SHARE_SECURE", "OP_UNSHARE_SECURE" };
	static const char *const acts[] = { "GUEST_IDLE", "GUEST_CALL", "GUEST_ACCESS" };
	u32 nr = 6;

	while (nr && !s->x[nr - 1])
		nr--;
	printf("\t{ %s, .cpu = %u, ", ops[s->op], s->cpu);
	if (s->with_next)
		printf(".with_next = true, ");
	if (s->schedule == BY_THREADS)
		printf(".schedule = BY_THREADS, ");
	else if (s->schedule)
		printf(".schedule = %u, ", s->schedule);
	printf(".x = { ");
	for (u32 i = 0; i < (nr ? nr : 1); i++) {
		if (s->op == OP_HOSTCALL && !i && is_hostcall(s->x[0]))
			printf("STOCKADE_HC_%s", hostcalls[s->x[0] - STOCKADE_HC_BASE]);
		else if (s->op == OP_RUN && i == 1)
			printf("%s", acts[s->x[1]]);
		else if (s->op == OP_RUN && i == 2 && s->x[1] == GUEST_CALL && guest_call(s->x[2]))
			printf("%s%s", s->x[2] >> 8 == 0xc60000 ? "GUESTCALL_" : "PSCI_",
			       guest_call(s->x[2]));
		else
			printf(s->x[i] < 10 ? "%lu" : "0x%lx", s->x[i]);
		printf(i + 1 < nr ? ", " : " ");
	}
	printf("} }%s\n", last ? ");" : ",");
}

void print_case(const struct run *run, const char *name)
{
	printf("/* %s */\n", run->why);
	printf("SPEC_CASE(%s, %lu,\n", name, run->kind);
	for (u32 i = 0; i < run->nr_steps; i++)
		print_step(&run->step[i], i + 1 == run->nr_steps);
}

/* --- answers --- */

static const char *error_name(s64 ret)
{
	switch (ret) {
	case STOCKADE_OK:
		return "OK";
	case STOCKADE_EPERM:
		return "EPERM";
	case STOCKADE_ENOENT:
		return "ENOENT";
	case STOCKADE_EAGAIN:
		return "EAGAIN";
	case STOCKADE_ENOMEM:
		return "ENOMEM";
	case STOCKADE_EFAULT:
		return "EFAULT";
	case STOCKADE_EBUSY:
		return "EBUSY";
	case STOCKADE_EEXIST:
		return "EEXIST";
	case STOCKADE_EINVAL:
		return "EINVAL";
	case STOCKADE_ENOSPC:
		return "ENOSPC";
	case STOCKADE_ENOSYS:
		return "ENOSYS";
	default:
		return "?";
	}
}

const char *answer_name(const struct step *s, const struct outcome *o)
{
	static const char *const faults[] = { "OK", "tag-check", "alignment", "external" };
	static const char *const exits[] = { "none",	   "OK",	   "wfi",	 "abort",
					     "poison",	   "sgi",	   "cpu-on",	 "cpu-off",
					     "system-off", "system-reset", "relinquish", "topup",
					     "dead" };
	static char text[24];

	if (s->op == OP_HOST_ABORT)
		return faults[o->fault];
	if (s->op != OP_RUN || o->ret)
		return error_name(o->ret);
	if (s->x[1] != GUEST_CALL || o->x[0] != STOCKADE_EXIT_IRQ)
		return o->x[0] < sizeof(exits) / sizeof(exits[0]) ? exits[o->x[0]] : "?";
	/* Without an exit: the guest's x0. */
	snprintf(text, sizeof(text), "x0=%ld", (s64)o->guest_x0);
	return text;
}
