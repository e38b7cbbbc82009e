// SPDX-License-Identifier: GPL-2.0-only
#include "hyptest.h"
#include "vm/gic.h"

#define PENDING BIT(62)
#define ACTIVE	BIT(63)
#define HW	BIT(61)
#define GROUP	BIT(60)
#define PRIO	FIELD_PUT(GENMASK(55, 48), 0xa0)
#define PINTID	GENMASK(44, 32)
#define EOI	BIT(41)

#define HOST_TIMER 26

static u64 hw(u64 vintid, u64 pintid)
{
	return PENDING | HW | FIELD_PUT(PINTID, pintid) | vintid;
}

/* Only the guest's timer may be linked to a physical interrupt, and only to the host's timer. */
static void hardware_interrupts(void)
{
	vm_gic_init(HOST_TIMER);
	assert_int_equal(vm_gic_lr(hw(27, HOST_TIMER)), hw(27, HOST_TIMER) | GROUP);
	/* The field is 13 bits; without HW it is no INTID, and links to nothing. */
	assert_int_equal(vm_gic_lr(hw(27, HOST_TIMER) | BIT(45)), hw(27, HOST_TIMER) | GROUP);
	assert_int_equal(vm_gic_lr(hw(27, HOST_TIMER) & ~HW), PENDING | GROUP | 27);
	assert_int_equal(vm_gic_lr(hw(27, 27)), PENDING | GROUP | 27);
	assert_int_equal(vm_gic_lr(hw(26, HOST_TIMER)), PENDING | GROUP | 26);
	for (u64 intid = 0; intid < 1024; intid++) {
		u64 linked = hw(27, intid), other = hw(intid, intid);

		if (intid != HOST_TIMER)
			assert_int_equal(vm_gic_lr(linked), PENDING | GROUP | 27);
		assert_int_equal(vm_gic_lr(other), intid < 1020 ? PENDING | GROUP | intid : 0);
	}
}

/* State, priority and INTID are the host's choice; the group is 1; all else is 0. */
static void other_fields(void)
{
	vm_gic_init(HOST_TIMER);
	assert_int_equal(vm_gic_lr(0), GROUP);
	assert_int_equal(vm_gic_lr(ACTIVE | PENDING | PRIO | 42),
			 ACTIVE | PENDING | PRIO | GROUP | 42);
	assert_int_equal(vm_gic_lr(PENDING | EOI | 42), PENDING | EOI | GROUP | 42);
	assert_int_equal(vm_gic_lr(~HW & ~GENMASK(31, 0)),
			 ACTIVE | PENDING | FIELD_PUT(GENMASK(55, 48), 0xff) | GROUP | EOI);
}

/* No LPI, and no INTID that has a meaning of its own: the virtual interface knows none of them. */
static void intids(void)
{
	vm_gic_init(HOST_TIMER);
	assert_int_equal(vm_gic_lr(PENDING | 1019), PENDING | GROUP | 1019);
	assert_int_equal(vm_gic_lr(PENDING | 1020), 0);
	assert_int_equal(vm_gic_lr(PENDING | 8192), 0);
	assert_int_equal(vm_gic_lr(~0ull), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(hardware_interrupts),
		hyp_test(other_fields),
		hyp_test(intids),
	};

	return RUN("hyp-vm-gic", tests);
}
