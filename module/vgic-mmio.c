// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vGIC's registers: GICD_* and GICR_* of IHI 0069, chapters 12.8 to 12.13.
 *
 * What this GIC is: affinity routing only (GICD_CTLR.ARE_NS reads as one), one security state (DS
 * too), all interrupts in group 1, five bits of priority, no LPIs, no message-based SPIs, no 1-of-N
 * routing, no power management of redistributors. What a guest does outside of that, and any access
 * of a size or alignment that the register does not have, reads as zero and writes nothing.
 */
#include "vgic-internal.h"

#include <linux/align.h>
#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/irqchip/arm-gic-v3.h>
#include <linux/log2.h>

/* Offsets that Linux's driver has no use for. */
#define GICD_WORDS_END	    0x0400 /* end of the registers with a bit for each interrupt */
#define GICD_IPRIORITYR_END 0x0800
#define GICD_ICFGR_END	    0x0d00
#define GICD_IROUTER_END    0x8000
#define GIC_ID_START	    0xffd0
#define GIC_ID_END	    0x10000
#define GICR_SGI_BASE	    0x10000

/* GICD_IIDR, GICR_IIDR: implementer Arm (as KVM has it), product 'S', revision 0. */
#define IIDR		 (0x43bU | 'S' << GICD_IIDR_PRODUCT_ID_SHIFT)
#define TYPER_NO_1N	 BIT(25)
#define TYPER_IDBITS(n)	 (((n)-1) << 19)
#define IROUTER_AFFINITY GENMASK(23, 0) /* Aff3 is RES0 without GICD_TYPER.A3V, IRM with No1N */

/* PIDR4-7, PIDR0-3, CIDR0-3: Arm's GICv3 (PIDR2.ArchRev = 3), CoreSight component class 0xf. */
static const u8 id_regs[] = {
	0x44, 0, 0, 0, 0x92, 0xb4, GIC_PIDR2_ARCH_GICv3 | 0xb, 0, 0x0d, 0xf0, 0x05, 0xb1,
};

/* One access. */
struct access {
	struct stockade_vcpu *vcpu;  /* whose */
	struct stockade_vcpu *owner; /* of the redistributor; NULL: to the distributor */
	struct vgic_dist *dist;
	DECLARE_BITMAP(kicks, STOCKADE_MAX_VCPUS); /* to be kicked at its end */
};

static void note_kick(struct access *access, u16 index)
{
	if (index < STOCKADE_MAX_VCPUS)
		__set_bit(index, access->kicks);
}

/*
 * Registers with one bit for each interrupt. get: how the bit reads; set: a one is written. Both
 * with the interrupt's lock; set returns what vgic_requeue does.
 */
struct bit_reg {
	bool (*get)(const struct vgic_irq *irq);
	u16 (*set)(struct stockade_vm *vm, struct vgic_irq *irq);
	bool hw_state; /* other vCPUs' LRs know better */
};

static bool get_group(const struct vgic_irq *irq)
{
	return true;
}

static bool get_enabled(const struct vgic_irq *irq)
{
	return irq->enabled;
}

static u16 set_enabled(struct stockade_vm *vm, struct vgic_irq *irq)
{
	if (irq->enabled)
		return VGIC_NO_VCPU;
	irq->enabled = true;
	return vgic_requeue(vm, irq);
}

static u16 clear_enabled(struct stockade_vm *vm, struct vgic_irq *irq)
{
	if (!irq->enabled)
		return VGIC_NO_VCPU;
	irq->enabled = false;
	return vgic_requeue(vm, irq);
}

static u16 set_pending(struct stockade_vm *vm, struct vgic_irq *irq)
{
	irq->latch = true;
	return vgic_requeue(vm, irq);
}

static u16 clear_pending(struct stockade_vm *vm, struct vgic_irq *irq)
{
	irq->latch = false;
	irq->lr_latch = false;
	return vgic_requeue(vm, irq);
}

static u16 set_active(struct stockade_vm *vm, struct vgic_irq *irq)
{
	irq->active = true;
	return vgic_requeue(vm, irq);
}

static u16 clear_active(struct stockade_vm *vm, struct vgic_irq *irq)
{
	irq->active = false;
	irq->lr_killed = true;
	return vgic_requeue(vm, irq);
}

/* By offset / 0x80. */
static const struct bit_reg bit_regs[] = {
	[GICD_IGROUPR / 0x80] = { .get = get_group },
	[GICD_ISENABLER / 0x80] = { .get = get_enabled, .set = set_enabled },
	[GICD_ICENABLER / 0x80] = { .get = get_enabled, .set = clear_enabled },
	[GICD_ISPENDR / 0x80] = { .get = vgic_irq_pending, .set = set_pending, .hw_state = true },
	[GICD_ICPENDR / 0x80] = { .get = vgic_irq_pending, .set = clear_pending, .hw_state = true },
	[GICD_ISACTIVER / 0x80] = { .get = vgic_irq_active, .set = set_active, .hw_state = true },
	[GICD_ICACTIVER / 0x80] = { .get = vgic_irq_active, .set = clear_active, .hw_state = true },
};

static_assert(ARRAY_SIZE(bit_regs) == GICD_WORDS_END / 0x80);

/* Time that one access may wait for other vCPUs. */
#define SETTLE_US 500

/*
 * Make other vCPUs that have some of these 32 interrupts in their LRs exit once, so that a read
 * sees a state not older than itself: guests wait by ISACTIVER for another vCPU's handler to end
 * (Linux: synchronize_irq). An exit takes microseconds; should it not come, the read is as of the
 * last one.
 */
static void settle(struct access *access, u32 first)
{
	struct stockade_vm *vm = access->vcpu->vm;
	struct vgic_cpu *cpu;
	unsigned int budget = SETTLE_US;
	struct vgic_irq *irq;
	u32 i, syncs;
	u16 index;

	for (i = 0; i < 32; i++) {
		irq = vgic_irq(access->dist, access->owner, first + i);
		if (!irq)
			continue;
		index = READ_ONCE(irq->lr_cpu);
		if (index >= access->dist->nr_vcpus || index == access->vcpu->index ||
		    __test_and_set_bit(index, access->kicks))
			continue;
		cpu = vm->vcpus[index]->vgic;
		syncs = smp_load_acquire(&cpu->syncs);
		vgic_kick(vm, index);
		while (budget && smp_load_acquire(&cpu->syncs) == syncs) {
			/* It may have come out before we looked at syncs. */
			if (READ_ONCE(irq->lr_cpu) != index)
				break;
			udelay(1);
			budget--;
		}
	}
	bitmap_zero(access->kicks, STOCKADE_MAX_VCPUS); /* done */
}

static u32 bits_read(struct access *access, const struct bit_reg *reg, u32 first)
{
	raw_spinlock_t *lock = vgic_irq_lock(access->dist, access->owner);
	const struct vgic_irq *irq;
	unsigned long flags;
	u32 i, value = 0;

	if (!reg->get)
		return 0;
	if (reg->hw_state)
		settle(access, first);
	raw_spin_lock_irqsave(lock, flags);
	for (i = 0; i < 32; i++) {
		irq = vgic_irq(access->dist, access->owner, first + i);
		if (irq && reg->get(irq))
			value |= BIT(i);
	}
	raw_spin_unlock_irqrestore(lock, flags);
	return value;
}

static void bits_write(struct access *access, const struct bit_reg *reg, u32 first, u32 value)
{
	raw_spinlock_t *lock = vgic_irq_lock(access->dist, access->owner);
	unsigned long bits = value, flags;
	struct vgic_irq *irq;
	unsigned int i;

	if (!reg->set)
		return;
	raw_spin_lock_irqsave(lock, flags);
	for_each_set_bit(i, &bits, 32)
	{
		irq = vgic_irq(access->dist, access->owner, first + i);
		if (irq)
			note_kick(access, reg->set(access->vcpu->vm, irq));
	}
	raw_spin_unlock_irqrestore(lock, flags);
}

/* GICD_IPRIORITYR<n>, GICR_IPRIORITYR<n>: one byte for each interrupt. */
static u64 priorities_read(struct access *access, u32 first, unsigned int len)
{
	const struct vgic_irq *irq;
	unsigned int i;
	u64 value = 0;

	for (i = 0; i < len; i++) {
		irq = vgic_irq(access->dist, access->owner, first + i);
		if (irq)
			value |= (u64)READ_ONCE(irq->priority) << (8 * i);
	}
	return value;
}

/* An interrupt already in an LR keeps its priority there until the next exit. */
static void priorities_write(struct access *access, u32 first, unsigned int len, u64 value)
{
	struct vgic_irq *irq;
	unsigned int i;

	for (i = 0; i < len; i++) {
		irq = vgic_irq(access->dist, access->owner, first + i);
		if (irq)
			WRITE_ONCE(irq->priority, (value >> (8 * i)) & VGIC_PRIORITY_MASK);
	}
}

/* GICD_ICFGR<n>, GICR_ICFGR<n>: two bits for each interrupt, the upper one: edge-triggered. */
static u32 config_read(struct access *access, u32 first)
{
	const struct vgic_irq *irq;
	u32 i, value = 0;

	for (i = 0; i < 16; i++) {
		irq = vgic_irq(access->dist, access->owner, first + i);
		if (irq && READ_ONCE(irq->edge))
			value |= 2U << (2 * i);
	}
	return value;
}

static void config_write(struct access *access, u32 first, u32 value)
{
	raw_spinlock_t *lock = vgic_irq_lock(access->dist, access->owner);
	struct vgic_irq *irq;
	unsigned long flags;
	bool edge;
	u32 i;

	raw_spin_lock_irqsave(lock, flags);
	for (i = 0; i < 16; i++) {
		irq = vgic_irq(access->dist, access->owner, first + i);
		edge = value & 2U << (2 * i);
		/* Fixed: SGIs, and the timer, whose LR is tied to a level-triggered interrupt. */
		if (!irq || irq->intid < VGIC_NR_SGIS || irq->intid == STOCKADE_GUEST_VTIMER ||
		    irq->edge == edge)
			continue;
		WRITE_ONCE(irq->edge, edge);
		note_kick(access, vgic_requeue(access->vcpu->vm, irq));
	}
	raw_spin_unlock_irqrestore(lock, flags);
}

static u32 route_read(struct access *access, u32 intid)
{
	const struct vgic_irq *irq = vgic_irq(access->dist, NULL, intid);

	return irq ? READ_ONCE(irq->route) : 0;
}

static void route_write(struct access *access, u32 intid, u32 value)
{
	struct vgic_irq *irq = vgic_irq(access->dist, NULL, intid);
	unsigned long flags;

	if (!irq)
		return;
	raw_spin_lock_irqsave(&access->dist->lock, flags);
	WRITE_ONCE(irq->route, value & IROUTER_AFFINITY);
	irq->target = vgic_find_vcpu(access->dist, irq->route);
	note_kick(access, vgic_requeue(access->vcpu->vm, irq));
	raw_spin_unlock_irqrestore(&access->dist->lock, flags);
}

static void ctlr_write(struct access *access, u32 value)
{
	bool enabled = value & GICD_CTLR_ENABLE_SS_G1;

	if (READ_ONCE(access->dist->enabled) == enabled)
		return;
	WRITE_ONCE(access->dist->enabled, enabled);
	bitmap_set(access->kicks, 0, access->dist->nr_vcpus);
}

static u32 id_read(u32 offset)
{
	u32 i = (offset - GIC_ID_START) / 4;

	return id_regs[array_index_nospec(i, ARRAY_SIZE(id_regs))];
}

/*
 * What a distributor and a redistributor's SGI_base frame have in common: a read goes to *data, a
 * write comes from it. len fits offset's alignment. Which INTIDs exist, vgic_irq knows.
 */
static void irq_regs(struct access *access, u32 offset, bool write, unsigned int len, u64 *data)
{
	const struct bit_reg *reg;
	u32 first;

	if (offset >= GICD_IPRIORITYR && offset < GICD_IPRIORITYR_END && (len == 1 || len == 4)) {
		first = offset - GICD_IPRIORITYR;
		if (write)
			priorities_write(access, first, len, *data);
		else
			*data = priorities_read(access, first, len);
		return;
	}
	if (len != 4)
		return;

	if (offset >= GICD_IGROUPR && offset < GICD_WORDS_END) {
		reg = &bit_regs[array_index_nospec(offset / 0x80, ARRAY_SIZE(bit_regs))];
		first = (offset & 0x7f) * 8;
		if (write)
			bits_write(access, reg, first, *data);
		else
			*data = bits_read(access, reg, first);
	} else if (offset >= GICD_ICFGR && offset < GICD_ICFGR_END) {
		first = (offset - GICD_ICFGR) * 4;
		if (write)
			config_write(access, first, *data);
		else
			*data = config_read(access, first);
	}
}

static void dist_regs(struct access *access, u32 offset, bool write, unsigned int len, u64 *data)
{
	const struct vgic_dist *dist = access->dist;

	if (offset >= GICD_IROUTER && offset < GICD_IROUTER_END) {
		/* The upper half is Aff3. */
		if (len < 4 || offset & 4)
			return;
		if (write)
			route_write(access, (offset - GICD_IROUTER) / 8, *data);
		else
			*data = route_read(access, (offset - GICD_IROUTER) / 8);
		return;
	}
	if (offset >= GICD_IGROUPR && offset < GICD_ICFGR_END) {
		irq_regs(access, offset, write, len, data);
		return;
	}
	if (len != 4)
		return;
	if (write) {
		if (offset == GICD_CTLR)
			ctlr_write(access, *data);
		return;
	}
	switch (offset) {
	case GICD_CTLR:
		*data = GICD_CTLR_DS | GICD_CTLR_ARE_NS |
			(READ_ONCE(dist->enabled) ? GICD_CTLR_ENABLE_SS_G1 : 0);
		break;
	case GICD_TYPER:
		/* CPUNumber is about PEs without affinity routing: there are none. */
		*data = (dist->nr_irqs / 32 - 1) | TYPER_IDBITS(10) | TYPER_NO_1N;
		break;
	case GICD_IIDR:
		*data = IIDR;
		break;
	case GIC_ID_START ... GIC_ID_END - 4:
		*data = id_read(offset);
		break;
	}
}

static u64 redist_typer(const struct stockade_vcpu *owner, bool last)
{
	return (u64)vgic_affinity(owner->index) << 32 | (u64)owner->index << 8 |
	       (last ? GICR_TYPER_LAST : 0);
}

static void redist_regs(struct access *access, bool last, u32 offset, bool write, unsigned int len,
			u64 *data)
{
	if (offset >= GICR_SGI_BASE) {
		irq_regs(access, offset - GICR_SGI_BASE, write, len, data);
		return;
	}
	if (write)
		return;
	/* GICR_CTLR and GICR_WAKER: nothing to control, always awake. */
	if ((offset & ~4U) == GICR_TYPER && len >= 4)
		*data = redist_typer(access->owner, last) >> (offset & 4 ? 32 : 0);
	else if (offset == GICR_IIDR && len == 4)
		*data = IIDR;
	else if (offset >= GIC_ID_START && offset < GIC_ID_END && len == 4)
		*data = id_read(offset);
}

/* Whose redistributor is at ipa? NULL: nobody's. */
static struct stockade_vcpu *find_redist(struct stockade_vm *vm, const struct vgic_dist *dist,
					 u64 ipa, u32 *offset, bool *last)
{
	const struct vgic_region *region;
	u32 i, count, index, first = 0;

	for (i = 0; i < dist->nr_regions; i++) {
		region = &dist->regions[i];
		count = vgic_region_count(dist, region);
		if (ipa - region->base < (u64)count * VGIC_REDIST_SIZE) {
			index = first + (ipa - region->base) / VGIC_REDIST_SIZE;
			if (index >= dist->nr_vcpus)
				return NULL;
			*offset = (ipa - region->base) % VGIC_REDIST_SIZE;
			*last = index == min(first + count, dist->nr_vcpus) - 1;
			return vm->vcpus[array_index_nospec(index, dist->nr_vcpus)];
		}
		first += count;
	}
	return NULL;
}

bool vgic_mmio(struct stockade_vcpu *vcpu, u64 ipa, bool write, unsigned int len, u64 *data)
{
	struct access access = { .vcpu = vcpu, .dist = READ_ONCE(vcpu->vm->vgic) };
	struct vgic_dist *dist = access.dist;
	bool fits = is_power_of_2(len) && len <= 8 && IS_ALIGNED(ipa, len);
	unsigned int index;
	u32 offset;
	bool last;

	if (!dist || !smp_load_acquire(&dist->ready))
		return false;

	if (ipa - dist->base < VGIC_DIST_SIZE) {
		offset = ipa - dist->base;
	} else {
		access.owner = find_redist(vcpu->vm, dist, ipa, &offset, &last);
		if (!access.owner)
			return false;
	}

	if (!write)
		*data = 0;
	if (fits && access.owner)
		redist_regs(&access, last, offset, write, len, data);
	else if (fits)
		dist_regs(&access, offset, write, len, data);
	if (!write && len < 8)
		*data &= BIT_ULL(len * 8) - 1;

	for_each_set_bit(index, access.kicks, dist->nr_vcpus) vgic_kick(vcpu->vm, index);
	return true;
}
