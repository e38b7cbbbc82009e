// SPDX-License-Identifier: GPL-2.0-only
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

#include "../../../vmm/fdt.h"
#include "../../../vmm/layout.h"

static uint32_t cell(const void *fdt, const char *path, const char *prop, int n)
{
	int node = fdt_path_offset(fdt, path), len = 0;
	const fdt32_t *p = fdt_getprop(fdt, node, prop, &len);

	assert_true(node >= 0);
	assert_non_null(p);
	assert_true(len >= 4 * (n + 1));
	return fdt32_to_cpu(p[n]);
}

static void *build(const struct fdt_config *cfg, size_t size)
{
	void *fdt = malloc(size);

	assert_int_equal(fdt_build(fdt, size, cfg), 0);
	assert_int_equal(fdt_check_header(fdt), 0);
	assert_true(fdt_totalsize(fdt) <= size);
	return fdt;
}

static void tree_says_what_was_asked(void **state)
{
	const struct fdt_config cfg = {
		.ram_base = RAM_BASE,
		.ram_size = 5ull << 30,
		.nr_cpus = 3,
		.cmdline = "console=ttyAMA0 quiet",
		.initrd_start = 0x44000000,
		.initrd_end = 0x44123456,
	};
	void *fdt = build(&cfg, 65536);
	int chosen = fdt_path_offset(fdt, "/chosen"), len;

	(void)state;
	assert_string_equal(fdt_getprop(fdt, chosen, "bootargs", &len), cfg.cmdline);
	assert_int_equal(cell(fdt, "/chosen", "linux,initrd-start", 1), 0x44000000);
	assert_int_equal(cell(fdt, "/chosen", "linux,initrd-end", 1), 0x44123456);
	assert_int_equal(cell(fdt, "/memory@40000000", "reg", 1), 0x40000000);
	assert_int_equal(cell(fdt, "/memory@40000000", "reg", 2), 1);
	assert_int_equal(cell(fdt, "/memory@40000000", "reg", 3), 1u << 30);
	assert_int_equal(cell(fdt, "/cpus/cpu@2", "reg", 0), 2);
	assert_true(fdt_path_offset(fdt, "/cpus/cpu@3") < 0);
	assert_string_equal(fdt_getprop(fdt, fdt_path_offset(fdt, "/psci"), "method", &len), "hvc");
	assert_true(fdt_path_offset(fdt, fdt_getprop(fdt, chosen, "stdout-path", &len)) > 0);
	assert_int_equal(cell(fdt, "/intc@8000000", "reg", 7), 3 * GICR_SIZE);
	assert_int_equal(cell(fdt, "/uart@9000000", "interrupts", 1), UART_SPI);
	free(fdt);
}

static void no_initrd_no_property(void **state)
{
	const struct fdt_config cfg = { .ram_base = RAM_BASE, .ram_size = 64 * MIB, .nr_cpus = 1 };
	void *fdt = build(&cfg, 65536);
	int chosen = fdt_path_offset(fdt, "/chosen");

	(void)state;
	assert_null(fdt_getprop(fdt, chosen, "linux,initrd-start", NULL));
	assert_null(fdt_getprop(fdt, chosen, "bootargs", NULL));
	free(fdt);
}

/* As KVM numbers them: 16 to a cluster. */
static void all_cpus_have_their_affinity(void **state)
{
	const struct fdt_config cfg = { .ram_base = RAM_BASE,
					.ram_size = 64 * MIB,
					.nr_cpus = MAX_CPUS };
	void *fdt = build(&cfg, 65536);

	(void)state;
	assert_int_equal(fdt_mpidr(15), 0xf);
	assert_int_equal(fdt_mpidr(16), 0x100);
	assert_int_equal(fdt_mpidr(MAX_CPUS - 1), 0x70a);
	assert_int_equal(cell(fdt, "/cpus/cpu@70a", "reg", 0), 0x70a);
	free(fdt);
}

/* Too small a buffer is an error at every size, never a write beyond it (ASan sees). */
static void small_buffers_are_refused(void **state)
{
	const struct fdt_config cfg = { .ram_base = RAM_BASE, .ram_size = 64 * MIB, .nr_cpus = 2 };
	size_t size;
	int err;

	(void)state;
	for (size = 0; size < 65536; size += 40) {
		void *fdt = malloc(size + !size);

		err = fdt_build(fdt, size, &cfg);
		free(fdt);
		if (!err)
			break;
		assert_int_equal(err, -FDT_ERR_NOSPACE);
	}
	assert_in_range(size, 512, 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tree_says_what_was_asked),
		cmocka_unit_test(no_initrd_no_property),
		cmocka_unit_test(all_cpus_have_their_affinity),
		cmocka_unit_test(small_buffers_are_refused),
	};

	return cmocka_run_group_tests_name("vmm-fdt", tests, NULL, NULL);
}
