// SPDX-License-Identifier: GPL-2.0-only
/* GICv3 by the least that does (Arm IHI 0069): affinity routing, group 1, one priority. */
#include "guest.h"

#define GICD_CTLR	0x0000
#define GICD_IGROUPR	0x0080
#define GICD_ISENABLER	0x0100
#define GICD_IPRIORITYR 0x0400
#define GICD_ICFGR	0x0c00
#define GICD_IROUTER	0x6000
#define GICR_WAKER	0x0014
#define GICR_STRIDE	0x20000
#define GICR_SGI	0x10000

#define CTLR_ARE_NS    (1u << 4)
#define CTLR_ENABLE_G1 (1u << 1)
#define CTLR_RWP       (1u << 31)

#define WAKER_SLEEP  (1u << 1)
#define WAKER_ASLEEP (1u << 2)

#define VTIMER_INTID 27
#define SPURIOUS     1023

void irq_on(void)
{
	asm volatile("msr daifclr, #2" ::: "memory");
}

void irq_off(void)
{
	asm volatile("msr daifset, #2" ::: "memory");
}

static u64 redist(void)
{
	return GUEST_GICR + this_cpu()->index * GICR_STRIDE;
}

static void dist_init(void)
{
	unsigned int i;

	mmio_write32(GUEST_GICD + GICD_CTLR, CTLR_ARE_NS | CTLR_ENABLE_G1);
	while (mmio_read32(GUEST_GICD + GICD_CTLR) & CTLR_RWP)
		;
	mmio_write32(GUEST_GICD + GICD_IGROUPR + 4, ~0u);
	for (i = 32; i < NR_INTIDS; i += 4)
		mmio_write32(GUEST_GICD + GICD_IPRIORITYR + i, 0xa0a0a0a0);
}

void gic_init(void)
{
	u64 base = redist();
	unsigned int i;

	if (!this_cpu()->index)
		dist_init();
	mmio_write32(base + GICR_WAKER, mmio_read32(base + GICR_WAKER) & ~WAKER_SLEEP);
	while (mmio_read32(base + GICR_WAKER) & WAKER_ASLEEP)
		;
	mmio_write32(base + GICR_SGI + GICD_IGROUPR, ~0u);
	for (i = 0; i < 32; i += 4)
		mmio_write32(base + GICR_SGI + GICD_IPRIORITYR + i, 0xa0a0a0a0);
	mmio_write32(base + GICR_SGI + GICD_ISENABLER, 0xffff);

	write_sysreg(7, S3_0_C12_C12_5);  /* ICC_SRE_EL1 */
	write_sysreg(0xf0, S3_0_C4_C6_0); /* ICC_PMR_EL1 */
	write_sysreg(1, S3_0_C12_C12_7);  /* ICC_IGRPEN1_EL1 */
	irq_on();
}

void gic_enable(u32 intid, bool edge, u64 mpidr)
{
	u64 base = intid < 32 ? redist() + GICR_SGI : GUEST_GICD;
	u64 cfgr = base + GICD_ICFGR + intid / 16 * 4;
	u32 bit = 2u << (intid % 16 * 2);
	u32 cfg;

	if (intid >= 32) {
		cfg = mmio_read32(cfgr) & ~bit;
		mmio_write32(cfgr, edge ? cfg | bit : cfg);
		mmio_write64(GUEST_GICD + GICD_IROUTER + 8ul * intid, mpidr & 0xff00ffffff);
	}
	mmio_write32(base + GICD_ISENABLER + intid / 32 * 4, 1u << (intid % 32));
}

void gic_handle_irq(void)
{
	struct cpu *cpu = this_cpu();
	u32 intid = (u32)read_sysreg(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */

	if (intid >= NR_INTIDS) {
		cpu->spurious++;
		return;
	}
	if (intid == VTIMER_INTID)
		write_sysreg(3, cntv_ctl_el0); /* enabled, masked: the line falls */
	if (intid >= 32)
		mmio_write64(TEST_DEV + DEV_IRQ, intid);
	cpu->irqs[intid]++;
	cpu->all_irqs++;
	write_sysreg(intid, S3_0_C12_C12_1); /* ICC_EOIR1_EL1 */
}
