// SPDX-License-Identifier: GPL-2.0-only
/*
 * stockade: the command. Which file does what:
 *
 *   main.c   finds the command               run.c      `run`: options, devices, the way a VM goes
 *   status.c `status`                        vm.c       /dev/kvm: memory, vCPUs, exits
 *   image.c  loads kernel and initrd         fdt.c      the guest's device tree
 *   pl011.c  the guest's serial port         console.c  our terminal
 *   msg.c    what is said on stderr          layout.h   the guest's address space
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "msg.h"
#include "run.h"
#include "status.h"

static const char help[] =
	"Usage: stockade COMMAND [OPTION]...\n"
	"\n"
	"Stockade runs virtual machines whose memory and registers this machine's kernel and root\n"
	"cannot read. Commands:\n"
	"\n"
	"  status   is the hypervisor there, and what does it hold?\n"
	"  run      run a Linux kernel as a protected VM\n"
	"\n"
	"'stockade COMMAND --help' says more about each.\n";

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "status", status_main },
	{ "run", run_main },
};

int main(int argc, char **argv)
{
	size_t i;

	if (argc < 2) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		fputs(help, stdout);
		return EXIT_OK;
	}
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].main(argc - 1, argv + 1);
	msg_error("there is no command '%s' (see stockade --help)", argv[1]);
	return EXIT_USAGE;
}
