/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's console on our stdin and stdout. When stdin is a terminal it is put into raw mode,
 * and Ctrl-] followed by q quits.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

enum console_event {
	CONSOLE_STOPPED, /* the file descriptor given to console_loop became readable */
	CONSOLE_QUIT,	 /* escape key */
	CONSOLE_SIGNAL,	 /* SIGINT, SIGTERM or SIGHUP */
	CONSOLE_FAILED,
};

/* Takes input for the guest, returns how many bytes it took. */
typedef size_t (*console_sink)(void *ctx, const uint8_t *data, size_t len);

int console_init(console_sink sink, void *ctx);

/* Any thread: the sink will take bytes again. */
void console_wake(void);

/* Any thread: a byte of output. */
void console_put(uint8_t c);

/* Pass input on until stop_fd is readable or somebody wants to quit. */
enum console_event console_loop(int stop_fd);

/* Give the terminal back as it was. Harmless when called twice, or without console_init. */
void console_restore(void);

#endif
