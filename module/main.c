// SPDX-License-Identifier: GPL-2.0-only
#include "stockade.h"

#include <linux/module.h>

#include "kvm.h"
#include "launch.h"
#include "timer.h"

static int __init stockade_init(void)
{
	int err = stockade_check();

	if (err)
		return err;
	err = stockade_log_init();
	if (err)
		return err;
	err = stockade_timer_init();
	if (err)
		goto undo_log;
	err = stockade_launch();
	if (err)
		goto undo_timer;
	err = stockade_power_init();
	if (err)
		goto undo_launch;
	err = stockade_sysfs_init();
	if (err)
		goto undo_power;
	err = stockade_kvm_init();
	if (err)
		goto undo_sysfs;
	return 0;

undo_sysfs:
	stockade_sysfs_exit();
undo_power:
	stockade_power_exit();
undo_launch:
	stockade_unload();
undo_timer:
	stockade_timer_exit();
undo_log:
	stockade_log_exit();
	return err;
}

/* No VM is left: each holds a reference to the module. */
static void __exit stockade_exit(void)
{
	stockade_kvm_exit();
	stockade_sysfs_exit();
	stockade_power_exit();
	stockade_unload();
	stockade_timer_exit();
	stockade_log_exit();
}

module_init(stockade_init);
module_exit(stockade_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Protected KVM for stock kernels");
MODULE_VERSION(STOCKADE_VERSION);
