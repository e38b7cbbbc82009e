/* SPDX-License-Identifier: GPL-2.0-only */
/* What the command says on stderr. Each line starts with "stockade: ". */
#ifndef VMM_MSG_H
#define VMM_MSG_H

#include <stdbool.h>

enum msg_level { MSG_QUIET, MSG_NORMAL, MSG_VERBOSE };
extern enum msg_level msg_level;

#define MSG_PRINTF(n) __attribute__((format(printf, n, (n) + 1)))

/* What went wrong and what to do; always shown. Returns -1, for "return msg_error(...)". */
int msg_error(const char *fmt, ...) MSG_PRINTF(1);
void msg_info(const char *fmt, ...) MSG_PRINTF(1);
void msg_verbose(const char *fmt, ...) MSG_PRINTF(1);

#endif
