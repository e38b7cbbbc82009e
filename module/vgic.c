// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vGIC's interrupts: their states, their way into list registers and back. How they live and
 * which lock guards what: vgic-internal.h.
 */
#include "vgic-internal.h"

#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* ICH_LR<n>_EL2 (IHI 0069, 12.4.6) */
#define LR_PINTID_SHIFT	  32
#define LR_EOI		  BIT_ULL(41) /* only with HW clear: the bit is pINTID's */
#define LR_PRIORITY_SHIFT 48
#define LR_GROUP1	  BIT_ULL(60)
#define LR_HW		  BIT_ULL(61)
#define LR_PENDING	  BIT_ULL(62)
#define LR_ACTIVE	  BIT_ULL(63)

/* How many LRs this machine has: set at launch, from ICH_VTR_EL2.ListRegs. */
unsigned int stockade_nr_lrs = 4;

u16 vgic_find_vcpu(const struct vgic_dist *dist, u32 affinity)
{
	u32 index = (affinity & 0xf) | (affinity >> 8 & 0xff) << 4;

	/* Aff2 is 0 in all vCPUs, and Aff0 is below 16. */
	if (affinity & ~0xff0fU || index >= dist->nr_vcpus)
		return VGIC_NO_VCPU;
	return index;
}

void vgic_kick(struct stockade_vm *vm, u16 index)
{
	struct stockade_vcpu *vcpu;

	if (index >= STOCKADE_MAX_VCPUS)
		return;
	vcpu = vm->vcpus[array_index_nospec(index, STOCKADE_MAX_VCPUS)];
	if (!vcpu)
		return;
	/*
	 * A vCPU's own thread is not in the guest, and passes vgic_flush or vgic_pending before it
	 * enters or sleeps. An interrupt handler on that thread may have come in after those.
	 */
	if (in_task() && READ_ONCE(vcpu->task) == current)
		return;
	stockade_vcpu_kick(vcpu);
}

/* Add irq to its home's queue, or take it out. */
static void queue_mark(struct stockade_vm *vm, const struct vgic_irq *irq, bool on)
{
	struct vgic_cpu *cpu = vm->vcpus[irq->home]->vgic;
	struct vgic_queue *queue = &cpu->queue[irq->queue];
	u32 bit;

	if (irq->intid < VGIC_NR_PRIVATE) {
		bit = BIT(irq->intid);
		WRITE_ONCE(queue->private, on ? queue->private | bit : queue->private & ~bit);
	} else if (on) {
		__set_bit(irq->intid, cpu->spis[irq->queue]);
		WRITE_ONCE(queue->nr_spis, queue->nr_spis + 1);
	} else {
		__clear_bit(irq->intid, cpu->spis[irq->queue]);
		WRITE_ONCE(queue->nr_spis, queue->nr_spis - 1);
	}
}

u16 vgic_requeue(struct stockade_vm *vm, struct vgic_irq *irq)
{
	u16 home = irq->target;
	u8 queue = VGIC_UNQUEUED;

	/* The exit that the caller's kick causes will do it. */
	if (irq->lr_cpu != VGIC_NO_VCPU)
		return irq->lr_cpu;

	/* Re-routing does not move an active interrupt: its vCPU alone can end it. */
	if (irq->active && irq->home != VGIC_NO_VCPU)
		home = irq->home;
	if (home == VGIC_NO_VCPU)
		queue = VGIC_UNQUEUED;
	else if (irq->active)
		queue = VGIC_ACTIVE;
	else if (irq->enabled && vgic_irq_pending(irq))
		queue = VGIC_PENDING;

	if (queue == irq->queue && home == irq->home)
		return VGIC_NO_VCPU;
	if (irq->queue != VGIC_UNQUEUED)
		queue_mark(vm, irq, false);
	irq->queue = queue;
	irq->home = home;
	if (queue == VGIC_UNQUEUED)
		return VGIC_NO_VCPU;
	queue_mark(vm, irq, true);
	return queue == VGIC_PENDING ? home : VGIC_NO_VCPU;
}

/* Inputs */

int vgic_set_line(struct stockade_vm *vm, struct stockade_vcpu *vcpu, u32 intid, bool level)
{
	struct vgic_dist *dist = smp_load_acquire(&vm->vgic);
	u16 kick = VGIC_NO_VCPU;
	struct vgic_irq *irq;
	raw_spinlock_t *lock;
	unsigned long flags;

	if (!dist)
		return -ENXIO;
	if (!smp_load_acquire(&dist->initialised))
		return -EBUSY;
	irq = vgic_irq(dist, vcpu, intid);
	if (!irq || intid < VGIC_NR_SGIS)
		return -EINVAL;
	/* The timer's line is driven at each exit, mostly to where it is. */
	if (!READ_ONCE(irq->edge) && READ_ONCE(irq->line) == level)
		return 0;

	lock = vgic_irq_lock(dist, vcpu);
	raw_spin_lock_irqsave(lock, flags);
	WRITE_ONCE(irq->line, level);
	if (irq->edge) {
		/* Like KVM: each 1 is an edge, user space need not write the 0. */
		if (level) {
			irq->latch = true;
			kick = vgic_requeue(vm, irq);
		}
	} else if (irq->lr_cpu == VGIC_NO_VCPU) {
		kick = vgic_requeue(vm, irq);
	} else if (level && !irq->lr_eoi) {
		kick = irq->lr_cpu;
	}
	/*
	 * Not kicked: a rise that the guest's EOI will show us; a fall, since the guest may have
	 * taken the interrupt already and has to live with a spurious one anyway.
	 */
	raw_spin_unlock_irqrestore(lock, flags);
	vgic_kick(vm, kick);
	return 0;
}

static void send_sgi(struct stockade_vm *vm, unsigned int index, u32 intid)
{
	struct stockade_vcpu *target = vm->vcpus[index];
	struct vgic_irq *irq = &target->vgic->irqs[intid];
	unsigned long flags;
	u16 kick;

	raw_spin_lock_irqsave(&target->vgic->lock, flags);
	irq->latch = true;
	kick = vgic_requeue(vm, irq);
	raw_spin_unlock_irqrestore(&target->vgic->lock, flags);
	vgic_kick(vm, kick);
}

void vgic_sgi(struct stockade_vcpu *source, u64 icc_sgi1r)
{
	struct stockade_vm *vm = source->vm;
	struct vgic_dist *dist = smp_load_acquire(&vm->vgic);
	unsigned long targets = icc_sgi1r & ICC_SGI1R_TARGET_LIST_MASK;
	u32 intid = (icc_sgi1r & ICC_SGI1R_SGI_ID_MASK) >> ICC_SGI1R_SGI_ID_SHIFT;
	u32 cluster = (icc_sgi1r & ICC_SGI1R_AFFINITY_1_MASK) >> ICC_SGI1R_AFFINITY_1_SHIFT;
	unsigned int index, bit;

	if (!dist || !smp_load_acquire(&dist->initialised))
		return;
	intid = array_index_nospec(intid, VGIC_NR_SGIS);

	if (icc_sgi1r & BIT_ULL(ICC_SGI1R_IRQ_ROUTING_MODE_BIT)) {
		for (index = 0; index < dist->nr_vcpus; index++)
			if (index != source->index)
				send_sgi(vm, index, intid);
		return;
	}
	/* No vCPU has another Aff3, Aff2, or an Aff0 that needs a range selector. */
	if (icc_sgi1r & (ICC_SGI1R_AFFINITY_3_MASK | ICC_SGI1R_AFFINITY_2_MASK | ICC_SGI1R_RS_MASK))
		return;
	for_each_set_bit(bit, &targets, 16)
	{
		index = cluster << 4 | bit;
		if (index >= dist->nr_vcpus)
			break;
		send_sgi(vm, array_index_nospec(index, dist->nr_vcpus), intid);
	}
}

/* Into the list registers */

/* The best of a vCPU's queues, best first. */
struct choice {
	unsigned int max, nr;
	bool more; /* there were more than max */
	/* The order is the number's: active before pending, then priority, then INTID. */
	u32 key[STOCKADE_RUN_MAX_LRS];
};

#define KEY_PENDING	   BIT(31)
#define KEY_PRIORITY_SHIFT 16
#define KEY_INTID	   GENMASK(9, 0)

static void choose(struct choice *choice, u32 which, const struct vgic_irq *irq)
{
	u32 key = which | (u32)irq->priority << KEY_PRIORITY_SHIFT | irq->intid;
	unsigned int i;

	if (choice->nr < choice->max) {
		i = choice->nr++;
	} else {
		choice->more = true;
		i = choice->max - 1;
		if (key > choice->key[i])
			return;
	}
	for (; i > 0 && choice->key[i - 1] > key; i--)
		choice->key[i] = choice->key[i - 1];
	choice->key[i] = key;
}

static void choose_queue(struct choice *choice, enum vgic_queue_id id, const struct vgic_dist *dist,
			 const struct vgic_cpu *cpu, bool spis)
{
	unsigned long private = cpu->queue[id].private;
	u32 which = id == VGIC_PENDING ? KEY_PENDING : 0;
	unsigned int intid;

	for_each_set_bit(intid, &private, VGIC_NR_PRIVATE) choose(choice, which, &cpu->irqs[intid]);
	if (!spis || !cpu->queue[id].nr_spis)
		return;
	for_each_set_bit(intid, cpu->spis[id], vgic_end_irqs(dist))
		choose(choice, which, &dist->spis[intid - VGIC_NR_PRIVATE]);
}

/*
 * Move a queued interrupt into an LR; returns the LR's value.
 *
 * A level-triggered one goes in as pending or as active, never both: the hardware would make it
 * pending again after EOI without asking the line. Instead, if the line is high, EOI causes an
 * exit. Usually the guest makes the device lower its line before, by MMIO: then the exit for that
 * has put the interrupt back without, and EOI costs nothing.
 */
static u64 load_lr(struct stockade_vcpu *vcpu, struct vgic_irq *irq)
{
	bool hw = irq->intid == STOCKADE_GUEST_VTIMER && stockade_vtimer_intid;
	bool active = irq->active;
	bool pending = irq->enabled && vgic_irq_pending(irq);
	bool here = irq->target == vcpu->index; /* else only to be ended here */
	u64 lr;

	irq->lr_active = active;
	irq->lr_pending = pending && here && (!active || irq->edge);
	irq->lr_latch = irq->lr_pending && irq->latch;
	irq->active = false;
	if (irq->lr_latch)
		irq->latch = false;
	/* Will it be pending, not in the LR, when the guest is done with it? */
	irq->lr_eoi = !hw && irq->enabled && (irq->latch || (!irq->edge && irq->line));
	irq->lr_killed = false;
	irq->lr_cpu = vcpu->index;
	queue_mark(vcpu->vm, irq, false);
	irq->queue = VGIC_UNQUEUED;

	lr = irq->intid | (u64)irq->priority << LR_PRIORITY_SHIFT | LR_GROUP1;
	if (irq->lr_pending)
		lr |= LR_PENDING;
	if (active)
		lr |= LR_ACTIVE;
	if (irq->lr_eoi)
		lr |= LR_EOI;
	/* The guest's deactivation is the physical timer interrupt's too: it fires if due again. */
	if (hw)
		lr |= LR_HW | (u64)stockade_vtimer_intid << LR_PINTID_SHIFT;
	return lr;
}

/* With cpu->lock; with dist->lock if spis. */
static void fill_lrs_locked(struct stockade_vcpu *vcpu, struct vgic_dist *dist, bool spis)
{
	struct stockade_run *run = vcpu->run;
	struct vgic_cpu *cpu = vcpu->vgic;
	struct choice choice = {
		.max = clamp_t(unsigned int, stockade_nr_lrs, 1, STOCKADE_RUN_MAX_LRS),
	};
	struct vgic_irq *irq;
	unsigned int i;
	u32 intid;

	choose_queue(&choice, VGIC_ACTIVE, dist, cpu, spis);
	if (READ_ONCE(dist->enabled))
		choose_queue(&choice, VGIC_PENDING, dist, cpu, spis);

	cpu->spi_in_lr = false;
	for (i = 0; i < choice.nr; i++) {
		intid = choice.key[i] & KEY_INTID;
		if (intid < VGIC_NR_PRIVATE) {
			irq = &cpu->irqs[intid];
		} else {
			irq = &dist->spis[intid - VGIC_NR_PRIVATE];
			cpu->spi_in_lr = true;
		}
		run->lr[i] = load_lr(vcpu, irq);
		cpu->lr_intid[i] = intid;
		if (intid == STOCKADE_GUEST_VTIMER)
			cpu->timer_in_lr = true;
	}
	cpu->nr_used = choice.nr;
	run->nr_lrs = choice.nr;
	if (choice.more)
		run->entry_flags |= STOCKADE_ENTRY_MORE;
}

static noinline void fill_lrs(struct stockade_vcpu *vcpu, struct vgic_dist *dist)
{
	struct vgic_cpu *cpu = vcpu->vgic;

	if (READ_ONCE(cpu->queue[VGIC_ACTIVE].nr_spis) ||
	    READ_ONCE(cpu->queue[VGIC_PENDING].nr_spis)) {
		raw_spin_lock(&dist->lock);
		raw_spin_lock(&cpu->lock);
		fill_lrs_locked(vcpu, dist, true);
		raw_spin_unlock(&cpu->lock);
		raw_spin_unlock(&dist->lock);
	} else {
		raw_spin_lock(&cpu->lock);
		fill_lrs_locked(vcpu, dist, false);
		raw_spin_unlock(&cpu->lock);
	}
}

void vgic_flush(struct stockade_vcpu *vcpu)
{
	struct stockade_run *run = vcpu->run;
	struct vgic_cpu *cpu = vcpu->vgic;
	struct vgic_dist *dist = READ_ONCE(vcpu->vm->vgic);

	cpu->timer_in_lr = false;
	if (unlikely(!dist)) {
		run->nr_lrs = 0;
		run->entry_flags |= STOCKADE_ENTRY_NO_GIC;
		return;
	}
	/* The last flush was not followed by an entry: its LRs are as they were. */
	if (unlikely(cpu->nr_used))
		vgic_sync(vcpu);

	run->entry_flags &= ~STOCKADE_ENTRY_MORE;
	if (likely(!(READ_ONCE(cpu->queue[VGIC_ACTIVE].private) |
		     READ_ONCE(cpu->queue[VGIC_PENDING].private) |
		     READ_ONCE(cpu->queue[VGIC_ACTIVE].nr_spis) |
		     READ_ONCE(cpu->queue[VGIC_PENDING].nr_spis)))) {
		run->nr_lrs = 0;
		return;
	}
	fill_lrs(vcpu, dist);
}

/* And back */

static u16 store_lr(struct stockade_vcpu *vcpu, struct vgic_irq *irq, u64 lr)
{
	/*
	 * The hypervisor gives back what the guest made of the LR; if it gave more, an interrupt
	 * would be made up: mask by what went in.
	 */
	bool pending = irq->lr_pending && (lr & LR_PENDING);
	bool active = (irq->lr_pending || irq->lr_active) && (lr & LR_ACTIVE);

	if (pending && irq->lr_latch)
		irq->latch = true;
	if (active && !irq->lr_killed)
		irq->active = true;
	irq->lr_cpu = VGIC_NO_VCPU;
	/* Active here, wherever it is routed to by now. */
	irq->home = irq->active ? vcpu->index : irq->target;
	return vgic_requeue(vcpu->vm, irq);
}

/*
 * With cpu->lock; with dist->lock if an SPI is in an LR. How many LRs were in use; kick[]: where each is to be
 * noticed now.
 */
static unsigned int read_lrs_locked(struct stockade_vcpu *vcpu, struct vgic_dist *dist, u16 *kick)
{
	struct vgic_cpu *cpu = vcpu->vgic;
	unsigned int i, nr = cpu->nr_used;

	for (i = 0; i < nr; i++) {
		u32 intid = cpu->lr_intid[i];
		struct vgic_irq *irq = intid < VGIC_NR_PRIVATE ?
					       &cpu->irqs[intid] :
					       &dist->spis[intid - VGIC_NR_PRIVATE];

		kick[i] = store_lr(vcpu, irq, READ_ONCE(vcpu->run->lr[i]));
	}
	cpu->nr_used = 0;
	return nr;
}

static noinline void read_lrs(struct stockade_vcpu *vcpu, struct vgic_dist *dist)
{
	u16 kick[STOCKADE_RUN_MAX_LRS];
	struct vgic_cpu *cpu = vcpu->vgic;
	unsigned int i, nr;

	if (cpu->spi_in_lr) {
		raw_spin_lock(&dist->lock);
		raw_spin_lock(&cpu->lock);
		nr = read_lrs_locked(vcpu, dist, kick);
		raw_spin_unlock(&cpu->lock);
		raw_spin_unlock(&dist->lock);
	} else {
		raw_spin_lock(&cpu->lock);
		nr = read_lrs_locked(vcpu, dist, kick);
		raw_spin_unlock(&cpu->lock);
	}
	smp_store_release(&cpu->syncs, cpu->syncs + 1);

	/* Those that were re-routed while they were here. */
	for (i = 0; i < nr; i++)
		if (kick[i] != vcpu->index)
			vgic_kick(vcpu->vm, kick[i]);
}

void vgic_sync(struct stockade_vcpu *vcpu)
{
	if (vcpu->vgic->nr_used)
		read_lrs(vcpu, vcpu->vm->vgic);
}

bool vgic_timer_in_lr(struct stockade_vcpu *vcpu)
{
	return vcpu->vgic->timer_in_lr;
}

bool vgic_pending(struct stockade_vcpu *vcpu)
{
	const struct vgic_dist *dist = READ_ONCE(vcpu->vm->vgic);
	const struct vgic_queue *queue = &vcpu->vgic->queue[VGIC_PENDING];

	return (READ_ONCE(queue->private) | READ_ONCE(queue->nr_spis)) && dist &&
	       READ_ONCE(dist->enabled);
}

/* Birth and death */

static void init_irq(struct vgic_irq *irq, u32 intid, u16 target)
{
	irq->intid = intid;
	irq->target = target;
	irq->home = target;
	irq->lr_cpu = VGIC_NO_VCPU;
	irq->queue = VGIC_UNQUEUED;
	irq->edge = intid < VGIC_NR_SGIS;
	/* The architecture leaves it open; guests that knew only KVM may lean on KVM's choice. */
	irq->enabled = intid < VGIC_NR_SGIS;
}

int vgic_vcpu_create(struct stockade_vcpu *vcpu)
{
	struct vgic_dist *dist = vcpu->vm->vgic;
	struct vgic_cpu *cpu;
	u32 intid;

	/* Routing and redistributors count the vCPUs once. */
	if (dist && dist->initialised)
		return -EBUSY;
	cpu = kzalloc(sizeof(*cpu), GFP_KERNEL_ACCOUNT);
	if (!cpu)
		return -ENOMEM;
	raw_spin_lock_init(&cpu->lock);
	for (intid = 0; intid < VGIC_NR_PRIVATE; intid++)
		init_irq(&cpu->irqs[intid], intid, vcpu->index);
	vcpu->vgic = cpu;
	return 0;
}

void vgic_vcpu_destroy(struct stockade_vcpu *vcpu)
{
	kfree(vcpu->vgic);
	vcpu->vgic = NULL;
}

int vgic_create(struct stockade_vm *vm)
{
	struct vgic_dist *dist;

	if (vm->vgic)
		return -EEXIST;
	/* A vCPU has run without. */
	if (vm->created)
		return -EBUSY;
	dist = kzalloc(sizeof(*dist), GFP_KERNEL_ACCOUNT);
	if (!dist)
		return -ENOMEM;
	raw_spin_lock_init(&dist->lock);
	dist->base = VGIC_UNSET;
	smp_store_release(&vm->vgic, dist);
	return 0;
}

int vgic_init(struct stockade_vm *vm)
{
	struct vgic_dist *dist = vm->vgic;
	u32 intid, end = vgic_end_irqs(dist);

	dist->spis = kvcalloc(end - VGIC_NR_PRIVATE, sizeof(*dist->spis), GFP_KERNEL_ACCOUNT);
	if (!dist->spis)
		return -ENOMEM;
	/* IROUTER<n> = 0: vCPU 0. */
	for (intid = VGIC_NR_PRIVATE; intid < end; intid++)
		init_irq(&dist->spis[intid - VGIC_NR_PRIVATE], intid, 0);
	dist->nr_vcpus = vm->nr_vcpus;
	smp_store_release(&dist->initialised, true);
	return 0;
}

void vgic_destroy(struct stockade_vm *vm)
{
	struct vgic_dist *dist = vm->vgic;

	if (!dist)
		return;
	vm->vgic = NULL;
	kvfree(dist->spis);
	kfree(dist);
}
