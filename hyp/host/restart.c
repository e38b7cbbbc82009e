// SPDX-License-Identifier: GPL-2.0-only
#include "host/restart.h"

#include "arch/launch.h"
#include "host/ffa.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mem/transition.h"
#include "vm/vcpu.h"

bool end_all_guests(void)
{
	bool let_go;

	if (READ_ONCE(hyp_panicked)) {
		/* Whoever panicked may have held any lock: memory is what can be zeroed without. */
		guest_memory_scrub_in_panic();
		return false;
	}
	vcpu_put_bound();
	vcpu_stop_all();
	vm_unmap_all();
	vcpu_wait_for_exits();
	/* First: a CPU that lets go may be writing registers to where they are scrubbed. */
	let_go = vcpu_wait_for_puts();
	vm_scrub_registers();
	vm_scrub_memory();
	return let_go;
}

void host_soft_restart(struct host_regs *regs)
{
	const struct cpu *cpu = this_cpu();
	u64 args[3] = { regs->x[2], regs->x[3], regs->x[4] };
	pa_t entry = regs->x[1];

	/* A guest's FP registers may be in a CPU that has not let go, and EL2 would be there to read them. */
	if (!end_all_guests()) {
		log_line("no restart: a CPU does not let go of its guest");
		return;
	}
	/* The next kernel maps buffers of its own. */
	ffa_leave(false);
	launch_unload_cpu();
	launch_restart(cpu->stub_sctlr, cpu->stub_vbar, entry, args, image_pa(launch_restarted));
}
