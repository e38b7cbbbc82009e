/* SPDX-License-Identifier: GPL-2.0-only */
/* `stockade run`: a protected VM from a kernel and an initrd, console on the terminal. */
#ifndef VMM_RUN_H
#define VMM_RUN_H

int run_main(int argc, char **argv);

#endif
