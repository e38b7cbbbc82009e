/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the vGIC share: vgic.c (states, queues, list registers), vgic-mmio.c (the
 * registers that guests see), vgic-uapi.c (what user space sets up).
 *
 * The life of an interrupt
 *
 *   An interrupt is queued at most once, on its home vCPU: in queue VGIC_ACTIVE while the guest
 *   handles it, in VGIC_PENDING while it waits for the guest and could be taken. An entry moves it
 *   from there into a list register (LR); from then until the exit that follows, only the hardware
 *   knows its pending and active state, and what happens to it meanwhile is noted beside that (see
 *   struct vgic_irq). The exit brings the state back and queues it again.
 *
 *   So between vgic_sync and vgic_flush no interrupt of a vCPU is in an LR; whoever changes one
 *   that is, kicks that vCPU: it exits, syncs, and comes back with the change.
 *
 * Locks (raw: interrupt handlers take them)
 *
 *   vgic_dist.lock   all SPIs, and every vCPU's queues of SPIs
 *   vgic_cpu.lock    this vCPU's SGIs and PPIs, and its queues of them
 *
 *   Order: stockade_vm.lock, vgic_dist.lock, vgic_cpu.lock. Never two vCPUs' locks at a time. A
 *   kick may take any lock, so kicks come after unlock.
 *   Queues are read without lock to learn whether they are empty: a change is always followed by a
 *   kick, so who looked too early will look again.
 */
#ifndef STOCKADE_VGIC_INTERNAL_H
#define STOCKADE_VGIC_INTERNAL_H

#include "timer.h"
#include "vgic.h"

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/nospec.h>

#define VGIC_NR_SGIS	16
#define VGIC_NR_PRIVATE 32   /* SGIs and PPIs: each vCPU has its own */
#define VGIC_END_SPIS	1020 /* INTIDs from here on are special (IHI 0069, 2.2) */
#define VGIC_MAX_IRQS	1024

#define VGIC_PRIORITY_MASK 0xf8 /* any GICv3 CPU interface has these bits (ICH_VTR_EL2.PRIbits) */

#define VGIC_DIST_SIZE	 0x10000
#define VGIC_REDIST_SIZE 0x20000

#define VGIC_NO_VCPU 0xffff
static_assert(STOCKADE_MAX_VCPUS < VGIC_NO_VCPU);

#define VGIC_UNSET	  (~0ULL) /* an address: KVM's value for "not set" */
#define VGIC_MAX_REGIONS  64
#define VGIC_DEFAULT_IRQS 256 /* KVM's, if user space never asked */

enum vgic_queue_id {
	VGIC_ACTIVE,
	VGIC_PENDING,
	VGIC_NR_QUEUES,
	VGIC_UNQUEUED = VGIC_NR_QUEUES,
};

/* Of SPIs alone there may be a thousand: 16 bytes each. */
struct vgic_irq {
	u16 intid : 12;
	u16 queue : 4; /* enum vgic_queue_id */
	u16 target;    /* the vCPU it is routed to; VGIC_NO_VCPU: to none that exists */
	u16 home;      /* on whose queues it is; differs from target only while active */
	u16 lr_cpu;    /* in whose LRs it is, or VGIC_NO_VCPU */
	u32 route;     /* SPI: GICD_IROUTER<n>, affinity 2.1.0 */
	/* Read without the lock, so not bits. */
	u8 priority;
	bool edge;
	bool line; /* the input */
	bool enabled : 1;
	/*
	 * latch: pending whatever the line does, by an edge or a write to ISPENDR. While in an LR:
	 * what came after the interrupt was moved there. The same with active.
	 */
	bool latch : 1;
	bool active : 1;
	/* What went into the LR, if lr_cpu says so. */
	bool lr_pending : 1;
	bool lr_latch : 1; /* of which latched: if it comes back pending, so is the latch */
	bool lr_active : 1;
	bool lr_eoi : 1;    /* the guest's EOI causes an exit */
	bool lr_killed : 1; /* ICACTIVER was written: active does not come back */
};

struct vgic_queue {
	u32 private;
	u32 nr_spis; /* bits set in vgic_cpu.spis */
};

struct vgic_cpu {
	/* First what each entry and exit looks at: one cache line. */
	struct vgic_queue queue[VGIC_NR_QUEUES];
	raw_spinlock_t lock;

	/* The vCPU thread's own. */
	unsigned int nr_used; /* LRs filled by the last flush and not synced */
	bool spi_in_lr;
	bool timer_in_lr;
	u16 lr_intid[STOCKADE_RUN_MAX_LRS];

	u32 syncs; /* counts exits that brought LRs back; read by anyone */
	/* The queues' SPIs, by INTID. */
	unsigned long spis[VGIC_NR_QUEUES][BITS_TO_LONGS(VGIC_MAX_IRQS)];
	struct vgic_irq irqs[VGIC_NR_PRIVATE];
};

struct vgic_region {
	u64 base;
	u32 count; /* redistributors; 0: as many as there are vCPUs (ADDR_TYPE_REDIST) */
};

struct vgic_dist {
	raw_spinlock_t lock;
	bool enabled; /* GICD_CTLR.EnableGrp1 */

	/* Set by user space under stockade_vm.lock. */
	bool initialised; /* from then on constant: nr_irqs, nr_vcpus; spis exists */
	bool ready;	  /* from then on constant: addresses; a vCPU has run */
	u32 nr_irqs;	  /* SGIs, PPIs and SPIs; 0: not set */
	u32 nr_vcpus;
	u64 base;
	u32 nr_regions;
	struct vgic_region regions[VGIC_MAX_REGIONS];

	struct vgic_irq *spis; /* [INTID - VGIC_NR_PRIVATE] */
};

/* First INTID that does not exist. */
static inline u32 vgic_end_irqs(const struct vgic_dist *dist)
{
	return min_t(u32, dist->nr_irqs, VGIC_END_SPIS);
}

/*
 * The interrupt, with owner a vCPU's SGI or PPI, without an SPI; NULL: there is none. The guest may
 * have chosen intid.
 */
static inline struct vgic_irq *vgic_irq(struct vgic_dist *dist, struct stockade_vcpu *owner,
					u32 intid)
{
	u32 end;

	if (owner) {
		if (intid >= VGIC_NR_PRIVATE)
			return NULL;
		return &owner->vgic->irqs[array_index_nospec(intid, VGIC_NR_PRIVATE)];
	}
	end = vgic_end_irqs(dist);
	if (intid < VGIC_NR_PRIVATE || intid >= end)
		return NULL;
	intid -= VGIC_NR_PRIVATE;
	return &dist->spis[array_index_nospec(intid, end - VGIC_NR_PRIVATE)];
}

/* The lock that guards vgic_irq(dist, owner, ...). */
static inline raw_spinlock_t *vgic_irq_lock(struct vgic_dist *dist, struct stockade_vcpu *owner)
{
	return owner ? &owner->vgic->lock : &dist->lock;
}

/* As the guest reads it. With the interrupt's lock. */
static inline bool vgic_irq_pending(const struct vgic_irq *irq)
{
	bool lr = irq->lr_cpu != VGIC_NO_VCPU && irq->lr_latch;

	return irq->latch || lr || (!irq->edge && irq->line);
}

static inline bool vgic_irq_active(const struct vgic_irq *irq)
{
	return irq->active || (irq->lr_cpu != VGIC_NO_VCPU && irq->lr_active && !irq->lr_killed);
}

/* vgic.c */

/*
 * After a change to irq, with its lock: queue it where it belongs now. Returns the index of the
 * vCPU to be kicked after unlock, or VGIC_NO_VCPU.
 */
u16 vgic_requeue(struct stockade_vm *vm, struct vgic_irq *irq);
/* Without locks. index: of a vCPU, or VGIC_NO_VCPU. */
void vgic_kick(struct stockade_vm *vm, u16 index);

/* The vCPU with that affinity (Aff2, Aff1, Aff0 in bits 23..0), or VGIC_NO_VCPU. */
u16 vgic_find_vcpu(const struct vgic_dist *dist, u32 affinity);
/* KVM's numbering: Aff0 counts to 16, because an SGI's target list has no more bits. */
static inline u32 vgic_affinity(unsigned int index)
{
	return (index & 0xf) | (index >> 4) << 8;
}

/* Set up the states. With vm->lock, dist->nr_irqs set. ENOMEM. */
int vgic_init(struct stockade_vm *vm);

/* How many redistributors a region has, final after vgic_init. */
static inline u32 vgic_region_count(const struct vgic_dist *dist, const struct vgic_region *region)
{
	return region->count ? region->count : dist->nr_vcpus;
}

#endif
