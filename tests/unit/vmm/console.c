// SPDX-License-Identifier: GPL-2.0-only
/* Each test runs the console in a child whose stdin is a terminal or a pipe of ours. */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "test.h"

#include "../../../vmm/console.h"
#include "../../../vmm/msg.h"

static size_t take(void *ctx, const uint8_t *data, size_t len)
{
	int *fd = ctx;
	ssize_t n = len ? write(*fd, data, len > 3 ? 3 : len) : 0; /* never all at once */

	if (n > 0)
		console_wake();
	return n > 0 ? (size_t)n : 0;
}

/* Returns the child; it exits with the event, and its input comes out of *out. */
static pid_t start(int input, int *out, int stop_fd)
{
	int fd[2];
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		dup2(input, STDIN_FILENO);
		msg_level = MSG_QUIET;
		if (console_init(take, &fd[1]))
			_exit(99);
		exit((int)console_loop(stop_fd));
	}
	close(fd[1]);
	*out = fd[0];
	return pid;
}

static int wait_event(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool raw(int tty)
{
	struct termios t;

	tcgetattr(tty, &t);
	return !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static void escape_key_quits(void **state)
{
	char got[64] = { 0 };
	int master, slave, out, i;
	pid_t pid;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	pid = start(slave, &out, eventfd(0, 0));
	for (i = 0; i < 2000 && !raw(slave); i++)
		usleep(1000);
	assert_true(raw(slave));
	/* Ctrl-C is the guest's; an escaped escape key too; another escaped key is nobody's. */
	assert_int_equal(write(master,
			       "ab\x03\x1d\x1d"
			       "c\x1dx",
			       8),
			 8);
	while (strlen(got) < 5 && read(out, got + strlen(got), 1) == 1)
		;
	assert_string_equal(got, "ab\x03\x1d"
				 "c");
	assert_int_equal(write(master, "\x1d", 1), 1);
	usleep(20000);
	assert_int_equal(write(master, "q", 1), 1);
	assert_int_equal(wait_event(pid), CONSOLE_QUIT);
	assert_false(raw(slave)); /* the terminal is as it was */
	close(master);
	close(slave);
	close(out);
}

static void a_pipe_is_passed_on_whole(void **state)
{
	static char sent[20000], got[20000];
	int in[2], out, stop = eventfd(0, 0);
	size_t i, n = 0;
	pid_t pid;

	(void)state;
	for (i = 0; i < sizeof(sent); i++)
		sent[i] = (char)i; /* escape keys among them: no terminal, no meaning */
	assert_int_equal(pipe(in), 0);
	pid = start(in[0], &out, stop);
	assert_int_equal(write(in[1], sent, sizeof(sent)), sizeof(sent));
	close(in[1]);
	close(in[0]);
	while (n < sizeof(got)) {
		ssize_t r = read(out, got + n, sizeof(got) - n);

		assert_true(r > 0);
		n += (size_t)r;
	}
	assert_memory_equal(got, sent, sizeof(sent));
	usleep(20000);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* the end of input is not the VM's */
	assert_int_equal(eventfd_write(stop, 1), 0);
	assert_int_equal(wait_event(pid), CONSOLE_STOPPED);
	close(out);
}

static void a_signal_ends_it(void **state)
{
	int in[2], out, master, slave, i;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	pid = start(slave, &out, eventfd(0, 0));
	for (i = 0; i < 2000 && !raw(slave); i++)
		usleep(1000);
	kill(pid, SIGTERM);
	assert_int_equal(wait_event(pid), CONSOLE_SIGNAL);
	assert_false(raw(slave));
	close(master);
	close(slave);
	close(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_key_quits),
		cmocka_unit_test(a_pipe_is_passed_on_whole),
		cmocka_unit_test(a_signal_ends_it),
	};

	return cmocka_run_group_tests_name("vmm-console", tests, NULL, NULL);
}
