// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "commands.h"
#include "console.h"
#include "fdt.h"
#include "image.h"
#include "msg.h"
#include "pl011.h"
#include "run.h"
#include "vm.h"

#define DEFAULT_MEMORY 512 /* MiB */
#define MIN_MEMORY     4
#define MAX_MEMORY     (1u << 26) /* 64 TiB; the machine's own limit is asked for later */

static const char help[] =
	"Usage: stockade run --kernel IMAGE [OPTION]...\n"
	"\n"
	"Run a Linux kernel as a protected VM: this machine's kernel and root cannot read its memory\n"
	"and registers. The guest's serial port is on stdin and stdout; on a terminal, Ctrl-] and\n"
	"then q quits.\n"
	"\n"
	"  -k, --kernel IMAGE      arm64 Linux kernel, uncompressed (Debian: /boot/vmlinuz-*)\n"
	"  -i, --initrd FILE       initial RAM disk\n"
	"  -a, --cmdline STRING    kernel command line (console=ttyAMA0 is the default console)\n"
	"  -m, --memory MIB        memory in MiB (512)\n"
	"  -c, --cpus N            vCPUs (1)\n"
	"  -q, --quiet             on stderr, only errors\n"
	"  -v, --verbose           also what the guest does that makes no sense\n"
	"      --pidfile FILE      write the process id to FILE\n"
	"      --memory-info FILE  write 'pid hva size gpa' to FILE: where guest memory is in this\n"
	"                          process (for those who want to try to read it)\n"
	"  -h, --help\n"
	"\n"
	"Exit status: 0 the guest powered off; 1 an error; 2 wrong usage; 3 the guest asked for a\n"
	"reset, which ends a protected VM; 4 ended by the escape key or a signal.\n";

struct run_options {
	const char *kernel, *initrd, *cmdline, *pidfile, *memory_info;
	unsigned int memory, cpus;
	bool help;
};

enum { OPT_PIDFILE = 256, OPT_MEMORY_INFO };

/* All of str must be a decimal number within [min, max]. */
static int parse_number(const char *option, const char *str, unsigned int min, unsigned int max,
			unsigned int *out)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(str, &end, 10);
	if (*str < '0' || *str > '9' || *end || errno || v < min || v > max)
		return msg_error("--%s %s: want a number from %u to %u", option, str, min, max);
	*out = (unsigned int)v;
	return 0;
}

static int parse_one(int c, struct run_options *o)
{
	switch (c) {
	case 'k':
		o->kernel = optarg;
		return 0;
	case 'i':
		o->initrd = optarg;
		return 0;
	case 'a':
		o->cmdline = optarg;
		return 0;
	case 'm':
		return parse_number("memory", optarg, MIN_MEMORY, MAX_MEMORY, &o->memory);
	case 'c':
		return parse_number("cpus", optarg, 1, MAX_CPUS, &o->cpus);
	case 'q':
		msg_level = MSG_QUIET;
		return 0;
	case 'v':
		msg_level = MSG_VERBOSE;
		return 0;
	case OPT_PIDFILE:
		o->pidfile = optarg;
		return 0;
	case OPT_MEMORY_INFO:
		o->memory_info = optarg;
		return 0;
	case 'h':
		o->help = true;
		return 0;
	default: /* getopt has said what is wrong */
		return -1;
	}
}

static int parse_options(int argc, char **argv, struct run_options *o)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "initrd", required_argument, NULL, 'i' },
		{ "cmdline", required_argument, NULL, 'a' },
		{ "memory", required_argument, NULL, 'm' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "pidfile", required_argument, NULL, OPT_PIDFILE },
		{ "memory-info", required_argument, NULL, OPT_MEMORY_INFO },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "k:i:a:m:c:qvh", options, NULL)) != -1)
		if (parse_one(c, o))
			return -1;
	if (o->help)
		return 0;
	if (optind < argc)
		return msg_error("what is '%s'? Every argument of run has an option (--help)",
				 argv[optind]);
	if (!o->kernel)
		return msg_error("run needs a kernel: --kernel IMAGE (--help has more)");
	return 0;
}

/* The devices: one PL011, whose line is a shared peripheral interrupt. */

struct machine {
	struct vm vm;
	struct pl011 uart;
	bool strange_access; /* one warning is enough */
};

static void uart_put(void *ctx, uint8_t c)
{
	(void)ctx;
	console_put(c);
}

static void uart_set_irq(void *ctx, bool level)
{
	struct machine *m = ctx;

	vm_set_spi(&m->vm, UART_SPI, level);
}

static void uart_rx_ready(void *ctx)
{
	(void)ctx;
	console_wake();
}

static size_t uart_input(void *ctx, const uint8_t *data, size_t len)
{
	struct machine *m = ctx;

	return pl011_receive(&m->uart, data, len);
}

static uint64_t mmio(void *ctx, uint64_t gpa, unsigned int size, bool write, uint64_t val)
{
	struct machine *m = ctx;

	if (gpa >= UART_BASE && gpa < UART_BASE + UART_SIZE) {
		if (!write)
			return pl011_read(&m->uart, gpa - UART_BASE);
		pl011_write(&m->uart, gpa - UART_BASE, (uint32_t)val);
		return 0;
	}
	if (!__atomic_exchange_n(&m->strange_access, true, __ATOMIC_RELAXED))
		msg_verbose("the guest %s %u bytes at %#" PRIx64 ", where nothing is (said once)",
			    write ? "writes" : "reads", size, gpa);
	return 0;
}

static int write_file(const char *path, const char *text)
{
	char tmp[4096];
	FILE *f;
	bool bad;

	if (!path)
		return 0;
	/* Whoever waits for the file must find it complete. */
	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return msg_error("%s: the name is too long", path);
	f = fopen(tmp, "we");
	if (!f)
		return msg_error("cannot write %s: %s", tmp, strerror(errno));
	bad = fputs(text, f) < 0;
	bad |= fclose(f) != 0;
	if (bad || rename(tmp, path))
		return msg_error("cannot write %s: %s", path, strerror(errno));
	return 0;
}

static int write_files(const struct run_options *o, const struct vm *vm)
{
	char text[128];

	snprintf(text, sizeof(text), "%d\n", getpid());
	if (write_file(o->pidfile, text))
		return -1;
	snprintf(text, sizeof(text), "%d %#" PRIxPTR " %#" PRIx64 " %#" PRIx64 "\n", getpid(),
		 (uintptr_t)vm->ram.hva, vm->ram.size, vm->ram.gpa);
	return write_file(o->memory_info, text);
}

static int get_random(void *buf, size_t len)
{
	if (getrandom(buf, len, 0) != (ssize_t)len)
		return msg_error("no random numbers: %s", strerror(errno));
	return 0;
}

static int load_guest(struct vm *vm, const struct run_options *o)
{
	struct image_layout at;
	struct fdt_config cfg;
	int err;

	if (image_load(o->kernel, o->initrd, &vm->ram, &at))
		return -1;
	cfg = (struct fdt_config){
		.ram_base = vm->ram.gpa,
		.ram_size = vm->ram.size,
		.nr_cpus = vm->nr_cpus,
		.cmdline = o->cmdline,
		.initrd_start = at.initrd_start,
		.initrd_end = at.initrd_end,
	};
	if (get_random(cfg.seed, sizeof(cfg.seed)) ||
	    get_random(&cfg.kaslr_seed, sizeof(cfg.kaslr_seed)))
		return -1;
	err = fdt_build((uint8_t *)vm->ram.hva + (at.dtb - vm->ram.gpa), DTB_SPACE, &cfg);
	if (err == -FDT_ERR_NOSPACE)
		return msg_error("the kernel command line is too long");
	if (err)
		return msg_error("cannot build a device tree: %s", fdt_strerror(err));
	return vm_set_boot(vm, at.entry, at.dtb);
}

static int end_status(enum vm_end end)
{
	switch (end) {
	case VM_POWERED_OFF:
		msg_info("the guest powered off");
		return EXIT_OK;
	case VM_RESET:
		msg_error("the guest asked for a reset: a protected VM cannot start anew in place, "
			  "so it has ended; run it again");
		return EXIT_RESET;
	case VM_QUIT:
		msg_info("quit; the guest has ended");
		return EXIT_QUIT;
	default:
		return EXIT_ERROR;
	}
}

static int run_guest(struct machine *m)
{
	static const struct pl011_ops uart_ops = {
		.put = uart_put,
		.set_irq = uart_set_irq,
		.rx_ready = uart_rx_ready,
	};
	enum vm_end end;

	pl011_init(&m->uart, &uart_ops, m);
	m->vm.mmio = mmio;
	m->vm.mmio_ctx = m;
	if (console_init(uart_input, m) || vm_start(&m->vm)) {
		vm_stop(&m->vm, VM_FAILED);
	} else {
		switch (console_loop(m->vm.end_event)) {
		case CONSOLE_STOPPED:
			break;
		case CONSOLE_QUIT:
		case CONSOLE_SIGNAL:
			vm_stop(&m->vm, VM_QUIT);
			break;
		case CONSOLE_FAILED:
			vm_stop(&m->vm, VM_FAILED);
			break;
		}
	}
	end = vm_join(&m->vm);
	console_restore();
	return end_status(end);
}

static int run_machine(const struct run_options *o)
{
	static struct machine m;
	int status = EXIT_ERROR;

	if (!vm_create(&m.vm, o->memory * MIB, o->cpus) && !load_guest(&m.vm, o) &&
	    !write_files(o, &m.vm)) {
		msg_info("protected VM: %u MiB, %u CPU%s", o->memory, o->cpus,
			 o->cpus == 1 ? "" : "s");
		status = run_guest(&m);
	}
	vm_destroy(&m.vm);
	return status;
}

int run_main(int argc, char **argv)
{
	struct run_options o = { .memory = DEFAULT_MEMORY, .cpus = 1 };

	if (parse_options(argc, argv, &o))
		return EXIT_USAGE;
	if (o.help) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	return run_machine(&o);
}
