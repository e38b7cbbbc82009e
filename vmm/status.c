// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "msg.h"
#include "status.h"

#define SYSFS "/sys/kernel/stockade"

static const char help[] =
	"Usage: stockade status\n"
	"\n"
	"Say whether the hypervisor runs on this machine, its version, what it protects, how many\n"
	"pages it holds, and how many VMs there are. Exit status: 0 it runs, 1 it does not.\n";

bool status_present(void)
{
	return !access(SYSFS, F_OK);
}

int status_say_missing(void)
{
	return msg_error("no hypervisor: load stockade.ko (boot the kernel with kvm-arm.mode=none "
			 "id_aa64mmfr1.vh=0); if that fails, the kernel's log says why");
}

/* One value per file. Returns an empty string if the file can't be read. */
static const char *read_value(const char *name, char *buf, size_t size)
{
	char path[128];
	FILE *f;
	size_t len = 0;

	snprintf(path, sizeof(path), SYSFS "/%s", name);
	f = fopen(path, "re");
	if (f) {
		len = fread(buf, 1, size - 1, f);
		fclose(f);
	}
	buf[len] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

static void print_text(const char *label, const char *name)
{
	char buf[256];

	read_value(name, buf, sizeof(buf));
	printf("%-12s %s\n", label, *buf ? buf : "unknown");
}

static void print_pages(const char *label, const char *name)
{
	char buf[64], *end;
	uint64_t pages;

	read_value(name, buf, sizeof(buf));
	pages = strtoull(buf, &end, 10);
	if (!*buf || *end)
		printf("%-12s unknown\n", label);
	else
		printf("%-12s %" PRIu64 " pages (%.1f MiB)\n", label, pages, (double)pages / 256.0);
}

/* Said only where there is something to know. */
static void print_reliance(void)
{
	char buf[64];

	if (!strcmp(read_value("relies_on", buf, sizeof(buf)), "secure-world"))
		printf("%-12s the secure world: allow_tos=1 lets the host call it past the hypervisor\n",
		       "leans on");
}

int status_main(int argc, char **argv)
{
	static const struct option options[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	char version[64], abi[64];
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c != 'h')
			return EXIT_USAGE;
		fputs(help, stdout);
		return EXIT_OK;
	}
	if (optind < argc) {
		msg_error("status takes no '%s' (see stockade status --help)", argv[optind]);
		return EXIT_USAGE;
	}
	if (!status_present()) {
		status_say_missing();
		return EXIT_ERROR;
	}
	read_value("version", version, sizeof(version));
	read_value("abi", abi, sizeof(abi));
	printf("%-12s running, version %s (ABI %s)\n", "hypervisor", *version ? version : "unknown",
	       *abi ? abi : "unknown");
	print_text("protects", "protects");
	print_reliance();
	print_pages("holds", "pages_held");
	print_pages("free of these", "pages_free");
	print_text("VMs", "vms");
	return EXIT_OK;
}
