/* SPDX-License-Identifier: GPL-2.0-only */
/* A program that this one starts, feeds and listens to. What it says is shown, line by line. */
#ifndef DEMO_CHILD_H
#define DEMO_CHILD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child_pipe {
	const char *prefix; /* NULL: not shown */
	int fd;
	pthread_t thread;
	struct child *child;
};

struct child {
	pid_t pid;
	int in;
	struct child_pipe out, err;
	pthread_mutex_t lock; /* of what follows: all that out has said, and how much was asked for */
	pthread_cond_t more;
	char *said;
	size_t len, seen;
	char *answer; /* child_expect's last */
	bool ended;
};

/* Ends this program if it can't be started. */
void child_start(struct child *c, char *const argv[], const char *out_prefix,
		 const char *err_prefix);

void child_say(struct child *c, const char *text);

/*
 * Waits until text has come, behind what earlier calls found. Returns what was said since then, text
 * being its end, valid until the next call; NULL if text does not come in time or the output ends.
 */
const char *child_expect(struct child *c, const char *text, unsigned int seconds);

/* Waits until all output has come. The process itself is the caller's to wait for. */
void child_join(struct child *c);

#endif
