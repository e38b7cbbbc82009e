// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must not happen to a machine whose EL2 is ours, or only after EL2 was given back.
 */
#include "stockade.h"

#include <linux/memory.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "kvm.h"
#include "launch.h"

/* Reboot, power off, kexec: the next kernel wants its EL2, and nothing of a guest must be left for it. */
static int reboot_call(struct notifier_block *block, unsigned long action, void *unused)
{
	int err = stockade_kvm_stop();

	if (!err && stockade_launched())
		err = stockade_unload();
	if (err)
		pr_err("EL2 could not be given back before the reboot (error %d)\n", err);
	return NOTIFY_DONE;
}

static struct notifier_block reboot_block = { .notifier_call = reboot_call };

static int pm_call(struct notifier_block *block, unsigned long action, void *unused)
{
	if (action != PM_HIBERNATION_PREPARE && action != PM_RESTORE_PREPARE)
		return NOTIFY_DONE;
	pr_err("hibernation is refused: it would write to disk what is protected; unload stockade first\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block pm_block = { .notifier_call = pm_call };

static int memory_call(struct notifier_block *block, unsigned long action, void *unused)
{
	if (action != MEM_GOING_ONLINE)
		return NOTIFY_DONE;
	pr_err("memory that is added now is refused: the page array can't grow; unload stockade first\n");
	return notifier_from_errno(-EBUSY);
}

static struct notifier_block memory_block = { .notifier_call = memory_call };

int stockade_power_init(void)
{
	int err = register_reboot_notifier(&reboot_block);

	if (err)
		return err;
	err = register_pm_notifier(&pm_block);
	if (err)
		goto undo_reboot;
	err = register_memory_notifier(&memory_block);
	if (err)
		goto undo_pm;
	return 0;

undo_pm:
	unregister_pm_notifier(&pm_block);
undo_reboot:
	unregister_reboot_notifier(&reboot_block);
	return err;
}

void stockade_power_exit(void)
{
	unregister_memory_notifier(&memory_block);
	unregister_pm_notifier(&pm_block);
	unregister_reboot_notifier(&reboot_block);
}
