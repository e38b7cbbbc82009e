// SPDX-License-Identifier: GPL-2.0-only
/*
 * FF-A of a hostile kernel: nothing of a VM or of the hypervisor can be shared with the secure world. On
 * firmware with FF-A (tests/secure-world); elsewhere there is nothing to share with.
 */
#include <inttypes.h>
#include <stdio.h>

#include "hostile.h"

#define NOT_SUPPORTED	   (-1)
#define INVALID_PARAMETERS (-2)
#define DENIED		   (-6)

static const struct {
	const char *name;
	int64_t want;
	const char *what;
} table[] = {
	/* guards: hyp/host/ffa.c map_buffers(), copy_from_host() */
	{ "share_without_buffers", INVALID_PARAMETERS, "no share before there are buffers" },
	{ "map_guest_page", INVALID_PARAMETERS, "no TX in a guest's page" },
	{ "map_hyp_page", INVALID_PARAMETERS, "no RX in the hypervisor's" },
	{ "map_32_hyp_page", INVALID_PARAMETERS, "nor by the 32-bit call" },
	{ "map_two_pages", INVALID_PARAMETERS, "no buffers of two pages" },
	{ "map", 0, "buffers in pages of the host's" },
	{ "map_again", DENIED, "once" },
	/* guards: hyp/mem/secure.c share_one() */
	{ "share_guest_page", DENIED, "a guest's page can't be shared" },
	{ "share_hyp_page", DENIED, "nor the hypervisor's" },
	{ "share_run_page", DENIED, "nor a run page" },
	{ "share_mmio", DENIED, "nor MMIO" },
	{ "share_beyond_ram", DENIED, "nor what is no memory" },
	{ "lend_hyp_page", DENIED, "nor lent" },
	{ "share_32_hyp_page", DENIED, "nor shared by the 32-bit call" },
	/* guards: hyp/host/ffa_mem.c share_ranges() */
	{ "share_own_and_hyp_page", DENIED, "nor behind one of the host's" },
	{ "share_twice_in_one", DENIED, "nor is a page shared twice in one descriptor" },
	{ "share_own_after_all", 0, "after which the host's page can be" },
	{ "reclaim_own_after_all", 0, "and taken back" },
	/* guards: hyp/host/ffa_mem.c ffa_mem_parse() */
	{ "lie_sender", INVALID_PARAMETERS, "a descriptor of another sender" },
	{ "lie_handle", INVALID_PARAMETERS, "... with a handle" },
	{ "lie_no_endpoint", INVALID_PARAMETERS, "... without endpoint" },
	{ "lie_two_endpoints", INVALID_PARAMETERS, "... with two" },
	{ "lie_many_endpoints", INVALID_PARAMETERS, "... with 2^32 - 1" },
	{ "lie_endpoints_in_header", INVALID_PARAMETERS, "... endpoints inside the header" },
	{ "lie_endpoints_beyond", INVALID_PARAMETERS, "... endpoints behind the fragment" },
	{ "lie_endpoints_overflow", INVALID_PARAMETERS, "... endpoints at 2^32 - 8" },
	{ "lie_endpoint_size_0", INVALID_PARAMETERS, "... endpoints of no size" },
	{ "lie_endpoint_size_overflow", INVALID_PARAMETERS, "... endpoints of 2^32 - 1 bytes" },
	{ "lie_composite_in_header", INVALID_PARAMETERS, "... ranges inside the header" },
	{ "lie_composite_at_end", INVALID_PARAMETERS, "... ranges at the end" },
	{ "lie_composite_overflow", INVALID_PARAMETERS, "... ranges at 2^32 - 16" },
	{ "lie_no_range", INVALID_PARAMETERS, "... no range" },
	{ "lie_two_ranges", INVALID_PARAMETERS, "... more ranges than there are" },
	{ "lie_ranges_overflow", INVALID_PARAMETERS, "... ranges whose size overflows" },
	{ "lie_ranges_most", INVALID_PARAMETERS, "... 2^32 - 1 ranges" },
	{ "lie_length_0", INVALID_PARAMETERS, "... of no length" },
	{ "lie_fragment_longer", INVALID_PARAMETERS, "... fragment longer than the whole" },
	{ "lie_longer_than_tx", INVALID_PARAMETERS, "... fragment longer than TX" },
	{ "lie_other_buffer", INVALID_PARAMETERS, "... in another buffer" },
	{ "lie_no_pages", DENIED, "a range of no pages" },
	{ "lie_most_pages", DENIED, "a range of 2^32 - 1 pages" },
	{ "lie_unaligned", DENIED, "a range that is not aligned" },
	{ "lie_wraps", DENIED, "a range round the end of the address space" },
	{ "share_own_after_lies", 0, "after which the host's page can be shared" },
	{ "reclaim_own_after_lies", 0, "and taken back" },
	/* guards: hyp/host/ffa.c copy_from_host(): one copy, checked and sent */
	{ "flips_odd", 0, "a descriptor that changes while it is read" },
	/* guards: hyp/mem/transition.c host_owns(), secure.c */
	{ "share_own", 0, "the host's page is shared" },
	{ "share_again", DENIED, "once" },
	{ "donate_shared", -1, "and can't be donated to a guest" },
	{ "topup_shared", -1, "nor to the hypervisor" },
	{ "reclaim_unknown", INVALID_PARAMETERS, "an unknown handle" },
	{ "reclaim", 0, "it is taken back" },
	{ "reclaim_again", INVALID_PARAMETERS, "once" },
	{ "donate_reclaimed", 0, "and can be donated then" },
	{ "share_donated", DENIED, "and not shared" },
	/* guards: hyp/host/ffa.c takes_over() */
	{ "mem_donate", NOT_SUPPORTED, "MEM_DONATE" },
	{ "retrieve", NOT_SUPPORTED, "MEM_RETRIEVE_REQ" },
	{ "relinquish", NOT_SUPPORTED, "MEM_RELINQUISH" },
	{ "notification", NOT_SUPPORTED, "NOTIFICATION_BIND" },
	{ "features_retrieve", NOT_SUPPORTED, "FEATURES of MEM_RETRIEVE_REQ" },
	{ "donate_tx", 0, "TX is donated to a guest" },
	{ "share_without_tx", INVALID_PARAMETERS, "and read no more" },
	{ "unmap", 0, "the buffers are unmapped" },
	{ "unmap_again", INVALID_PARAMETERS, "once" },
	{ "destroyed", 1, "the VM can be ended" },
};

int main(void)
{
	char name[64];
	size_t i;

	tap_begin(120);
	hostile_begin();
	is_errno(attack("ffa"), 0, "FF-A calls of the kernel's");
	if (got("ffa_version") < 0) {
		skip("firmware has no FF-A", "what the host may share with the secure world");
		return tap_end();
	}
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(name, sizeof(name), "ffa_%s", table[i].name);
		is(got(name), table[i].want, "%s", table[i].what);
	}
	diag("%" PRId64 " flips shared, %" PRId64 " refused", got("ffa_flips_shared"),
	     got("ffa_flips_refused"));
	is(kt_sysfs("vms"), 0, "no VM is left");
	return tap_end();
}
