// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "msg.h"

#define ESCAPE 0x1d /* Ctrl-] */

static struct {
	console_sink sink;
	void *ctx;
	int wake_fd;
	int signal_fd;
	bool raw;
	struct termios saved;
	bool input_open;
	bool escaped; /* the last key was ESCAPE */
	uint8_t buf[4096];
	size_t at, end; /* what the sink has not taken yet: buf[at, end) */
} con = { .wake_fd = -1, .signal_fd = -1 };

/* Output keeps its processing, so that our own messages come out well. */
static int make_raw(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &con.saved))
		return msg_error("cannot set the terminal up: %s", strerror(errno));
	t = con.saved;
	t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &t))
		return msg_error("cannot set the terminal up: %s", strerror(errno));
	con.raw = true;
	msg_info("press Ctrl-] and then q to quit");
	return 0;
}

int console_init(console_sink sink, void *ctx)
{
	sigset_t set;

	con.sink = sink;
	con.ctx = ctx;
	con.input_open = true;
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	/* Before any thread is made, so that all of them have it blocked. */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	con.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	con.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (con.wake_fd < 0 || con.signal_fd < 0)
		return msg_error("cannot set the console up: %s", strerror(errno));
	if (atexit(console_restore))
		return msg_error("cannot set the console up: no memory");
	return isatty(STDIN_FILENO) ? make_raw() : 0;
}

void console_restore(void)
{
	if (con.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &con.saved);
	con.raw = false;
}

void console_wake(void)
{
	uint64_t one = 1;

	if (write(con.wake_fd, &one, sizeof(one)) < 0)
		return; /* it is awake already: the counter is full */
}

void console_put(uint8_t c)
{
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (write(STDOUT_FILENO, &c, 1) < 0) {
		if (errno == EAGAIN)
			poll(&p, 1, -1);
		else if (errno != EINTR)
			return; /* nobody listens; the guest goes on all the same */
	}
}

/* Drop escape sequences from buf[0, len) in place. Returns the new length, or -1 for quit. */
static ssize_t filter_escape(uint8_t *buf, size_t len)
{
	size_t i, out = 0;

	for (i = 0; i < len; i++) {
		uint8_t c = buf[i];

		if (!con.escaped && c == ESCAPE) {
			con.escaped = true;
			continue;
		}
		if (con.escaped && (c == 'q' || c == 'Q'))
			return -1;
		if (con.escaped && c != ESCAPE)
			msg_info("Ctrl-] q quits, Ctrl-] Ctrl-] sends Ctrl-] to the guest");
		else
			buf[out++] = c;
		con.escaped = false;
	}
	return (ssize_t)out;
}

/*
 * Returns false when the user wants to quit. Only a terminal is read while something is pending:
 * what then does not fit is lost, as it would be on a serial line.
 */
static bool read_input(void)
{
	uint8_t in[256];
	size_t room;
	ssize_t n = read(STDIN_FILENO, in, sizeof(in));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		con.input_open = false; /* the guest lives on without input */
		return true;
	}
	if (con.raw)
		n = filter_escape(in, (size_t)n);
	if (n < 0)
		return false;
	memmove(con.buf, con.buf + con.at, con.end - con.at);
	con.end -= con.at;
	con.at = 0;
	room = sizeof(con.buf) - con.end;
	if ((size_t)n > room)
		n = (ssize_t)room;
	memcpy(con.buf + con.end, in, (size_t)n);
	con.end += (size_t)n;
	return true;
}

static void drain_event(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return; /* nothing was in it */
}

enum console_event console_loop(int stop_fd)
{
	for (;;) {
		bool pending;
		struct pollfd p[4] = {
			{ .fd = stop_fd, .events = POLLIN },
			{ .fd = con.signal_fd, .events = POLLIN },
			{ .fd = con.wake_fd, .events = POLLIN },
			{ .fd = -1, .events = POLLIN },
		};

		con.at += con.sink(con.ctx, con.buf + con.at, con.end - con.at);
		pending = con.at < con.end;
		/* A terminal is read even when the guest is deaf: the escape key must work. */
		if (con.input_open && (!pending || con.raw))
			p[3].fd = STDIN_FILENO;
		if (poll(p, 4, -1) < 0 && errno != EINTR) {
			msg_error("poll: %s", strerror(errno));
			return CONSOLE_FAILED;
		}
		if (p[0].revents)
			return CONSOLE_STOPPED;
		if (p[1].revents)
			return CONSOLE_SIGNAL;
		if (p[2].revents)
			drain_event(con.wake_fd);
		if (p[3].revents && !read_input())
			return CONSOLE_QUIT;
	}
}
