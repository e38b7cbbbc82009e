// SPDX-License-Identifier: GPL-2.0-only
#include <libfdt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "fdt.h"
#include "layout.h"

#define GIC_PHANDLE   1
#define CLOCK_PHANDLE 2

#define IRQ_SPI	       0
#define IRQ_PPI	       1
#define IRQ_LEVEL_HIGH 4

/*
 * libfdt's sequential writer stops at the first error. Keeping that error here spares a check after
 * every property.
 */
struct writer {
	void *fdt;
	int err;
};

static void w_begin(struct writer *w, const char *name)
{
	if (!w->err)
		w->err = fdt_begin_node(w->fdt, name);
}

static void w_begin_at(struct writer *w, const char *name, uint64_t addr)
{
	char full[64];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)addr);
	w_begin(w, full);
}

static void w_end(struct writer *w)
{
	if (!w->err)
		w->err = fdt_end_node(w->fdt);
}

static void w_bytes(struct writer *w, const char *name, const void *val, size_t len)
{
	if (!w->err)
		w->err = fdt_property(w->fdt, name, val, (int)len);
}

static void w_flag(struct writer *w, const char *name)
{
	w_bytes(w, name, "", 0);
}

static void w_string(struct writer *w, const char *name, const char *val)
{
	w_bytes(w, name, val, strlen(val) + 1);
}

/* A list of strings, each ended by \0; len includes the last one's. */
#define w_strings(w, name, list) w_bytes(w, name, list, sizeof(list))

static void w_u32(struct writer *w, const char *name, uint32_t val)
{
	if (!w->err)
		w->err = fdt_property_u32(w->fdt, name, val);
}

static void w_u64(struct writer *w, const char *name, uint64_t val)
{
	if (!w->err)
		w->err = fdt_property_u64(w->fdt, name, val);
}

static void w_cells(struct writer *w, const char *name, const uint32_t *val, size_t nr)
{
	uint32_t be[16];
	size_t i;

	for (i = 0; i < nr; i++)
		be[i] = cpu_to_fdt32(val[i]);
	w_bytes(w, name, be, nr * sizeof(*be));
}

#define w_cell_list(w, name, ...)                           \
	w_cells(w, name, (const uint32_t[]){ __VA_ARGS__ }, \
		sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

#define CELLS(v64) (uint32_t)((uint64_t)(v64) >> 32), (uint32_t)(v64)

static void add_chosen(struct writer *w, const struct fdt_config *cfg)
{
	char stdout_path[32];

	w_begin(w, "chosen");
	if (cfg->cmdline)
		w_string(w, "bootargs", cfg->cmdline);
	snprintf(stdout_path, sizeof(stdout_path), "/uart@%llx", (unsigned long long)UART_BASE);
	w_string(w, "stdout-path", stdout_path);
	if (cfg->initrd_end > cfg->initrd_start) {
		w_u64(w, "linux,initrd-start", cfg->initrd_start);
		w_u64(w, "linux,initrd-end", cfg->initrd_end);
	}
	w_bytes(w, "rng-seed", cfg->seed, sizeof(cfg->seed));
	w_u64(w, "kaslr-seed", cfg->kaslr_seed);
	w_end(w);
}

uint64_t fdt_mpidr(unsigned int cpu)
{
	return (cpu & 0xf) | (uint64_t)((cpu >> 4) & 0xff) << 8 |
	       (uint64_t)((cpu >> 12) & 0xff) << 16;
}

static void add_cpus(struct writer *w, unsigned int nr)
{
	unsigned int i;

	w_begin(w, "cpus");
	w_u32(w, "#address-cells", 1);
	w_u32(w, "#size-cells", 0);
	for (i = 0; i < nr; i++) {
		w_begin_at(w, "cpu", fdt_mpidr(i));
		w_string(w, "device_type", "cpu");
		w_string(w, "compatible", "arm,armv8");
		w_string(w, "enable-method", "psci");
		w_u32(w, "reg", (uint32_t)fdt_mpidr(i));
		w_end(w);
	}
	w_end(w);
	w_begin(w, "psci");
	w_strings(w, "compatible", "arm,psci-1.0\0arm,psci-0.2");
	w_string(w, "method", "hvc");
	w_end(w);
}

static void add_gic_timer(struct writer *w, unsigned int nr_cpus)
{
	w_begin_at(w, "intc", GICD_BASE);
	w_string(w, "compatible", "arm,gic-v3");
	w_u32(w, "#interrupt-cells", 3);
	w_flag(w, "interrupt-controller");
	w_cell_list(w, "reg", CELLS(GICD_BASE), CELLS(GICD_SIZE), CELLS(GICR_BASE),
		    CELLS(GICR_SIZE * nr_cpus));
	w_u32(w, "phandle", GIC_PHANDLE);
	w_end(w);

	/* Secure, non-secure, virtual, hypervisor: the order is the binding's. */
	w_begin(w, "timer");
	w_string(w, "compatible", "arm,armv8-timer");
	w_cell_list(w, "interrupts", IRQ_PPI, 13, IRQ_LEVEL_HIGH, IRQ_PPI, 14, IRQ_LEVEL_HIGH,
		    IRQ_PPI, 11, IRQ_LEVEL_HIGH, IRQ_PPI, 10, IRQ_LEVEL_HIGH);
	w_flag(w, "always-on");
	w_end(w);
}

static void add_uart(struct writer *w)
{
	w_begin(w, "apb-pclk");
	w_string(w, "compatible", "fixed-clock");
	w_u32(w, "#clock-cells", 0);
	w_u32(w, "clock-frequency", 24000000);
	w_u32(w, "phandle", CLOCK_PHANDLE);
	w_end(w);

	w_begin_at(w, "uart", UART_BASE);
	w_strings(w, "compatible", "arm,pl011\0arm,primecell");
	w_cell_list(w, "reg", CELLS(UART_BASE), CELLS(UART_SIZE));
	w_cell_list(w, "interrupts", IRQ_SPI, UART_SPI, IRQ_LEVEL_HIGH);
	w_cell_list(w, "clocks", CLOCK_PHANDLE, CLOCK_PHANDLE);
	w_strings(w, "clock-names", "uartclk\0apb_pclk");
	w_end(w);
}

int fdt_build(void *buf, size_t size, const struct fdt_config *cfg)
{
	struct writer w = { .fdt = buf };

	w.err = fdt_create(buf, (int)size);
	if (!w.err)
		w.err = fdt_finish_reservemap(buf);
	w_begin(&w, "");
	w_string(&w, "compatible", "linux,dummy-virt");
	w_string(&w, "model", "Stockade virtual machine");
	w_u32(&w, "#address-cells", 2);
	w_u32(&w, "#size-cells", 2);
	w_u32(&w, "interrupt-parent", GIC_PHANDLE);
	add_chosen(&w, cfg);
	w_begin_at(&w, "memory", cfg->ram_base);
	w_string(&w, "device_type", "memory");
	w_cell_list(&w, "reg", CELLS(cfg->ram_base), CELLS(cfg->ram_size));
	w_end(&w);
	add_cpus(&w, cfg->nr_cpus);
	add_gic_timer(&w, cfg->nr_cpus);
	add_uart(&w);
	w_end(&w);
	if (!w.err)
		w.err = fdt_finish(buf);
	return w.err;
}
