// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "report.h"

#define MAX_LINE 256

static void remember(struct child *c, const char *data, size_t len)
{
	pthread_mutex_lock(&c->lock);
	c->said = realloc(c->said, c->len + len + 1);
	if (!c->said)
		give_up("no memory");
	memcpy(c->said + c->len, data, len);
	c->len += len;
	c->said[c->len] = '\0';
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->lock);
}

struct shown {
	char line[MAX_LINE];
	size_t len;
	bool escape; /* within an escape sequence */
};

/* Shows whole lines that are not empty, without the terminal's escape sequences. */
static void show(struct shown *s, const char *prefix, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		char c = data[i];

		if (c == '\033' || s->escape) {
			s->escape = c == '\033' || c == '[' || (c >= '0' && c <= '?');
			continue;
		}
		if (c != '\n' && c >= ' ' && s->len < MAX_LINE - 1)
			s->line[s->len++] = c;
		if (c != '\n')
			continue;
		s->line[s->len] = '\0';
		if (s->len)
			say("%s%s", prefix, s->line);
		s->len = 0;
	}
}

static void *listener(void *arg)
{
	struct child_pipe *p = arg;
	struct child *c = p->child;
	struct shown shown = { 0 };
	char buf[1024];
	ssize_t n;

	while ((n = read(p->fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		if (p->prefix)
			show(&shown, p->prefix, buf, (size_t)n);
		if (p == &c->out)
			remember(c, buf, (size_t)n);
	}
	close(p->fd);
	if (p == &c->out) {
		pthread_mutex_lock(&c->lock);
		c->ended = true;
		pthread_cond_broadcast(&c->more);
		pthread_mutex_unlock(&c->lock);
	}
	return NULL;
}

static void listen_to(struct child *c, struct child_pipe *p, int fd, const char *prefix)
{
	*p = (struct child_pipe){ .prefix = prefix, .fd = fd, .child = c };
	if (pthread_create(&p->thread, NULL, listener, p))
		give_up("no thread");
}

void child_start(struct child *c, char *const argv[], const char *out_prefix,
		 const char *err_prefix)
{
	int in[2], out[2], err[2];

	*c = (struct child){ 0 };
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		give_up("pipe: %s", strerror(errno));
	c->pid = fork();
	if (c->pid < 0)
		give_up("fork: %s", strerror(errno));
	if (!c->pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	c->in = in[1];
	listen_to(c, &c->out, out[0], out_prefix);
	listen_to(c, &c->err, err[0], err_prefix);
}

void child_say(struct child *c, const char *text)
{
	if (write(c->in, text, strlen(text)) < 0)
		give_up("a child does not listen: %s", strerror(errno));
}

const char *child_expect(struct child *c, const char *text, unsigned int seconds)
{
	struct timespec until;
	char *from, *at;
	int err = 0;

	free(c->answer);
	c->answer = NULL;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&c->lock);
	while (!(at = c->said ? strstr(c->said + c->seen, text) : NULL) && !c->ended && !err)
		err = pthread_cond_timedwait(&c->more, &c->lock, &until);
	if (at) {
		from = c->said + c->seen;
		at += strlen(text);
		c->seen = (size_t)(at - c->said);
		c->answer = strndup(from, (size_t)(at - from));
	}
	pthread_mutex_unlock(&c->lock);
	return c->answer;
}

void child_join(struct child *c)
{
	pthread_join(c->out.thread, NULL);
	pthread_join(c->err.thread, NULL);
}
