/* SPDX-License-Identifier: GPL-2.0-only */
/* `stockade status`, and whether there is a hypervisor at all. */
#ifndef VMM_STATUS_H
#define VMM_STATUS_H

#include <stdbool.h>

bool status_present(void);

/* Say that there is no hypervisor and what to do about it. Returns -1. */
int status_say_missing(void);

int status_main(int argc, char **argv);

#endif
