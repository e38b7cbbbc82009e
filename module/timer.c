// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual timer's and the GIC maintenance interrupt.
 *
 * Both are there to get the CPU out of the guest: when one of them is signalled in the guest, EL2
 * exits, and quiets its source before the host unmasks interrupts. So the host's handlers have
 * nothing to do; but were the interrupts not enabled, they would never cause an exit.
 *
 * While a guest handles its timer interrupt, the timer's output stays high. Then the physical
 * interrupt has to be active, or the CPU would exit again at once, for ever. The list register is
 * tied to it: the guest's deactivation deactivates both.
 */
#include "timer.h"

#include <linux/cpuhotplug.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/of.h>
#include <linux/of_irq.h>
#include <linux/percpu.h>

#include <asm/barrier.h>
#include <asm/sysreg.h>

#include "compat.h"
#include "vgic.h"

#define LR_HW	 BIT_ULL(61)
#define LR_STATE GENMASK_ULL(63, 62)

/* Index of the virtual timer in the timer node's interrupts: secure, non-secure, virtual, hyp. */
#define OF_VIRTUAL 2

u32 stockade_vtimer_intid;

static unsigned int vtimer_irq;
static struct irq_data *vtimer_data; /* of the GIC */
static unsigned int maint_irq;
static enum cpuhp_state cpuhp_state;

/* Is the virtual timer's interrupt active at this CPU's GIC? */
static DEFINE_PER_CPU(bool, vtimer_active);

static irqreturn_t quiet_already(int irq, void *dev)
{
	return IRQ_HANDLED;
}

/*
 * What irq_set_irqchip_state() does, without finding and locking the descriptor, which would be a good part of each timer
 * interrupt of a guest. The state is this CPU's own and the thread stays on it: nobody else changes it meanwhile.
 */
static void set_active(bool active)
{
	vtimer_data->chip->irq_set_irqchip_state(vtimer_data, IRQCHIP_STATE_ACTIVE, active);
	this_cpu_write(vtimer_active, active);
}

/* Interrupts masked from here... */

void stockade_timer_flush(struct stockade_vcpu *vcpu)
{
	bool active = vgic_timer_in_lr(vcpu);

	/* Also if it was active for a vCPU that ran here before. */
	if (active != this_cpu_read(vtimer_active))
		set_active(active);
}

void stockade_timer_exited(struct stockade_vcpu *vcpu)
{
	const struct stockade_run *run = vcpu->run;
	u32 i, nr = min_t(u32, run->nr_lrs, STOCKADE_RUN_MAX_LRS);

	if (!this_cpu_read(vtimer_active))
		return;
	/* An LR that the guest is done with has taken the physical interrupt's state with it. */
	for (i = 0; i < nr; i++)
		if (run->lr[i] & LR_HW && run->lr[i] & LR_STATE)
			return;
	this_cpu_write(vtimer_active, false);
}

void stockade_timer_sync(struct stockade_vcpu *vcpu)
{
	vcpu->timer_level = vcpu->run->timer_level;
	vgic_set_line(vcpu->vm, vcpu, STOCKADE_GUEST_VTIMER, vcpu->timer_level);
}

/* ... to here. */

bool stockade_wfi_done(struct stockade_vcpu *vcpu)
{
	/* Without a vGIC no interrupt gets to the guest; it may still look at its timer. */
	if (!READ_ONCE(vcpu->vm->vgic))
		return READ_ONCE(vcpu->timer_level);
	return vgic_pending(vcpu);
}

static enum hrtimer_restart wfi_expired(struct hrtimer *timer)
{
	struct stockade_vcpu *vcpu = container_of(timer, struct stockade_vcpu, wfi_timer);

	/* What EL2 would find at the next entry. If the vGIC has it masked, the guest sleeps on. */
	WRITE_ONCE(vcpu->timer_level, true);
	if (vgic_set_line(vcpu->vm, vcpu, STOCKADE_GUEST_VTIMER, true))
		stockade_vcpu_kick(vcpu); /* there is no vGIC */
	return HRTIMER_NORESTART;
}

static ktime_t cycles_to_ktime(u64 cycles)
{
	u32 rate = read_sysreg(cntfrq_el0);
	u64 seconds, rest;

	if (!rate)
		return 0;
	seconds = div_u64(cycles, rate);
	rest = cycles - seconds * rate;
	return ktime_set(min_t(u64, seconds, KTIME_SEC_MAX - 1),
			 div_u64(rest * NSEC_PER_SEC, rate));
}

void stockade_wfi_start(struct stockade_vcpu *vcpu, u64 deadline)
{
	u64 now;

	if (deadline == ~0ULL)
		return;
	isb();
	now = read_sysreg(cntvct_el0);
	/* One more, so that the timer has surely fired by then. */
	hrtimer_start(&vcpu->wfi_timer, deadline < now ? 0 : cycles_to_ktime(deadline - now + 1),
		      HRTIMER_MODE_REL);
}

void stockade_wfi_end(struct stockade_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->wfi_timer);
}

void stockade_timer_vcpu_init(struct stockade_vcpu *vcpu)
{
	stockade_hrtimer_setup(&vcpu->wfi_timer, wfi_expired);
}

/* The interrupts */

static int bring_up(unsigned int cpu)
{
	/* It may have been left active by a module that was here before. */
	set_active(false);
	enable_percpu_irq(vtimer_irq, irq_get_trigger_type(vtimer_irq));
	enable_percpu_irq(maint_irq, irq_get_trigger_type(maint_irq));
	return 0;
}

static int take_down(unsigned int cpu)
{
	disable_percpu_irq(maint_irq);
	disable_percpu_irq(vtimer_irq);
	set_active(false);
	return 0;
}

static unsigned int map_vtimer(void)
{
	struct device_node *node;
	unsigned int irq;
	int index;

	node = of_find_compatible_node(NULL, NULL, "arm,armv8-timer");
	if (!node)
		return 0;
	index = of_property_match_string(node, "interrupt-names", "virt");
	irq = irq_of_parse_and_map(node, index < 0 ? OF_VIRTUAL : index);
	of_node_put(node);
	return irq;
}

static unsigned int map_maint(void)
{
	struct device_node *node;
	unsigned int irq;

	node = of_find_compatible_node(NULL, NULL, "arm,gic-v3");
	if (!node)
		return 0;
	irq = irq_of_parse_and_map(node, 0);
	of_node_put(node);
	return irq;
}

int stockade_timer_init(void)
{
	int err;

	vtimer_irq = map_vtimer();
	vtimer_data = vtimer_irq ? irq_get_irq_data(vtimer_irq) : NULL;
	if (!vtimer_data || vtimer_data->hwirq < 16 || vtimer_data->hwirq > 31 ||
	    !vtimer_data->chip->irq_set_irqchip_state) {
		pr_err("no virtual timer interrupt in the device tree (ACPI: not yet)\n");
		return -ENODEV;
	}
	stockade_vtimer_intid = vtimer_data->hwirq;
	maint_irq = map_maint();
	if (!maint_irq) {
		pr_err("no GICv3 maintenance interrupt in the device tree\n");
		return -ENODEV;
	}

	err = request_percpu_irq(vtimer_irq, quiet_already, "stockade-vtimer", &vtimer_active);
	if (err) {
		/* Older KVMs have this from the beginning, EL2 only while there are VMs. */
		if (err == -EBUSY)
			pr_err("EL2 is taken by KVM; boot with kvm-arm.mode=none\n");
		else
			pr_err("can't have the virtual timer's interrupt (%d)\n", err);
		return err;
	}
	err = request_percpu_irq(maint_irq, quiet_already, "stockade-vgic", &vtimer_active);
	if (err) {
		pr_err("can't have the GIC maintenance interrupt (%d)\n", err);
		goto err_vtimer;
	}
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "stockade:online", bring_up, take_down);
	if (err < 0) {
		pr_err("can't watch CPUs come and go (%d)\n", err);
		goto err_maint;
	}
	cpuhp_state = err;
	return 0;

err_maint:
	free_percpu_irq(maint_irq, &vtimer_active);
err_vtimer:
	free_percpu_irq(vtimer_irq, &vtimer_active);
	return err;
}

void stockade_timer_exit(void)
{
	cpuhp_remove_state(cpuhp_state);
	free_percpu_irq(maint_irq, &vtimer_active);
	free_percpu_irq(vtimer_irq, &vtimer_active);
}
