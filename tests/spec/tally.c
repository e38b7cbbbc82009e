// SPDX-License-Identifier: GPL-2.0-only
/* What was called how often, with which answers; and what was not. */
#include <stdio.h>
#include <string.h>

#include "run.h"

/* What the model can answer; success, if there is such a thing, comes first. */
static const struct {
	const char *call, *answers[14];
} possible[] = {
	{ "VERSION", { "OK" } },
	{ "STATUS", { "OK" } },
	{ "SEAL", { "EBUSY" } },
	{ "PROTECT_CPU", { "OK" } },
	{ "UNLAUNCH", { "OK", "EBUSY" } },
	{ "POOL_TOPUP", { "OK", "EINVAL", "EPERM", "ENOMEM" } },
	{ "VM_CREATE", { "OK", "EINVAL", "EPERM", "ENOMEM", "ENOSPC" } },
	{ "VM_TOPUP", { "OK", "ENOENT", "EINVAL", "EPERM", "ENOMEM" } },
	{ "VCPU_CREATE", { "OK", "ENOENT", "EINVAL", "EBUSY", "EPERM", "ENOMEM" } },
	{ "VCPU_SET_REG", { "OK", "ENOENT", "EPERM", "EINVAL" } },
	{ "HOST_DONATE_GUEST",
	  { "OK", "ENOENT", "EINVAL", "EPERM", "EEXIST", "EFAULT", "ENOMEM" } },
	{ "DONATE_GUEST 2M", { "OK", "ENOENT", "EINVAL", "EPERM", "EAGAIN", "EEXIST", "ENOMEM" } },
	{ "VCPU_LOAD", { "OK", "ENOENT", "EBUSY" } },
	{ "VCPU_PUT", { "OK", "ENOENT" } },
	{ "VCPU_MMIO_VALUE", { "OK", "EINVAL" } },
	{ "VM_TEARDOWN", { "OK", "ENOENT", "EBUSY" } },
	{ "VM_RECLAIM", { "OK", "ENOENT", "EINVAL" } },
	{ "VM_RECLAIM_TABLE", { "OK", "ENOENT", "EINVAL", "EBUSY" } },
	{ "VCPU_DESTROY", { "OK", "ENOENT", "EINVAL" } },
	{ "VM_DESTROY", { "OK", "ENOENT", "EINVAL", "EBUSY" } },
	{ "no call", { "ENOSYS" } },
	{ "run: idle", { "OK", "ENOENT", "EINVAL", "cpu-off", "dead" } },
	{ "run: access", { "OK", "ENOENT", "EINVAL", "cpu-off", "dead", "abort", "poison" } },
	{ "run: other call", { "x0=-1" } },
	{ "MEM_SHARE", { "x0=0", "x0=-3", "abort", "ENOENT", "EINVAL", "cpu-off", "dead" } },
	{ "MEM_UNSHARE", { "x0=0", "x0=-3" } },
	{ "MEM_RELINQUISH", { "relinquish", "x0=-3" } },
	{ "MMIO_GUARD", { "x0=0", "x0=-3", "topup" } },
	{ "HYP_MEMINFO", { "x0=4096", "x0=-3" } },
	{ "CPU_ON_64", { "cpu-on", "x0=-4", "x0=-5", "x0=-2" } },
	{ "CPU_OFF", { "cpu-off" } },
	{ "AFFINITY_INFO_64", { "x0=0", "x0=1", "x0=2", "x0=-2" } },
	{ "SYSTEM_OFF", { "system-off" } },
	{ "SYSTEM_RESET", { "system-reset" } },
	{ "host abort", { "OK", "tag-check", "alignment", "external" } },
	{ "host write", { "OK" } },
	{ "share secure", { "OK", "EINVAL", "EPERM" } },
	{ "unshare secure", { "OK" } },
};

void tally_add(const char *call, const char *answer)
{
	u32 i, a;

	for (i = 0; i < tally->nr && strcmp(tally->call[i].name, call); i++)
		;
	if (i == MAX_NAMES)
		return;
	if (i == tally->nr)
		snprintf(tally->call[tally->nr++].name, sizeof(tally->call[i].name), "%s", call);
	for (a = 0; a < tally->call[i].nr && strcmp(tally->call[i].answer[a].name, answer); a++)
		;
	if (a == MAX_CODES)
		return;
	if (a == tally->call[i].nr)
		snprintf(tally->call[i].answer[tally->call[i].nr++].name,
			 sizeof(tally->call[i].answer[a].name), "%s", answer);
	tally->call[i].answer[a].count++;
}

static u64 count_of(const char *call, const char *answer)
{
	for (u32 i = 0; i < tally->nr; i++)
		for (u32 a = 0; a < tally->call[i].nr; a++)
			if (!strcmp(tally->call[i].name, call) &&
			    !strcmp(tally->call[i].answer[a].name, answer))
				return tally->call[i].answer[a].count;
	return 0;
}

void tally_print(void)
{
	for (u32 i = 0; i < tally->nr; i++) {
		printf("# %-18s", tally->call[i].name);
		for (u32 a = 0; a < tally->call[i].nr; a++)
			printf(" %s:%lu", tally->call[i].answer[a].name,
			       tally->call[i].answer[a].count);
		printf("\n");
	}
	printf("# %lu steps at the same time as others, %lu by threads; %lu batches only by an exception\n",
	       tally->together, tally->threads, tally->exceptions);
}

u32 tally_gaps(void)
{
	u32 never = 0;

	for (u32 i = 0; i < sizeof(possible) / sizeof(possible[0]); i++) {
		never += !count_of(possible[i].call, possible[i].answers[0]);
		for (u32 a = 0; possible[i].answers[a]; a++)
			if (!count_of(possible[i].call, possible[i].answers[a]))
				printf("# never: %s %s\n", possible[i].call,
				       possible[i].answers[a]);
	}
	return never;
}
