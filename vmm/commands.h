/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands of `stockade` exit with; --help says the same in words. */
#ifndef VMM_COMMANDS_H
#define VMM_COMMANDS_H

enum {
	EXIT_OK = 0,	/* the guest powered off */
	EXIT_ERROR = 1, /* something failed; stderr says what */
	EXIT_USAGE = 2,
	EXIT_RESET = 3, /* the guest asked for a reset, which a protected VM cannot have */
	EXIT_QUIT = 4,	/* ended by the escape key or a signal */
};

#endif
