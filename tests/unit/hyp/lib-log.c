// SPDX-License-Identifier: GPL-2.0-only
/* The log ring, and what is said in it. */
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyptest.h"

static struct stockade_log *ring;

/* With a byte behind the text, to see that it is left alone. */
static void start(void)
{
	ring = fake_ram(fake.launch.log);
	memset(ring, 0, PAGE_SIZE);
	memset((char *)ring + sizeof(*ring), 0x5a, PAGE_SIZE - sizeof(*ring));
	log_init(hyp_va(fake.launch.log));
}

static void assert_log(const char *text)
{
	assert_int_equal(ring->head, strlen(text));
	assert_memory_equal(ring->text, text, strlen(text));
}

/* Numbers of both sizes and bases, and strings. */
static void formats(void)
{
	start();
	log_line("a %u b %u c %u", 0u, 10u, 4294967295u);
	assert_log("a 0 b 10 c 4294967295\n");
	start();
	log_line("%x %x %x", 0u, 0xabcdef01u, 0xffffffffu);
	assert_log("0 abcdef01 ffffffff\n");
	start();
	log_line("0x%lx %lu", 0xfedcba9876543210ul, 18446744073709551615ul);
	assert_log("0xfedcba9876543210 18446744073709551615\n");
	start();
	log_line("%s, %s.", "one", "");
	assert_log("one, .\n");
}

/* What is no format of ours does no harm. */
static void other_formats(void)
{
	const char *volatile format = "%d%%%lz|%q";

	start();
	log_line(format);
	assert_log("???|?\n");
}

/* Round and round: a reader sees the last 2048 bytes, and nothing beyond the ring is written. */
static void the_ring_wraps(void)
{
	static char all[100000];
	size_t length = 0;

	start();
	for (unsigned int i = 0; i < 1000; i++) {
		length += (size_t)sprintf(all + length, "line %u of many\n", i);
		log_line("line %u of many", i);
		assert_int_equal(ring->head, length);
		for (size_t n = 0; n < STOCKADE_LOG_TEXT && n < length; n++)
			assert_int_equal(ring->text[(length - 1 - n) % STOCKADE_LOG_TEXT],
					 all[length - 1 - n]);
	}
	for (size_t i = sizeof(*ring); i < PAGE_SIZE; i++)
		assert_int_equal(((u8 *)ring)[i], 0x5a);
}

/* The host scribbles over the position: the hypervisor goes by its own. */
static void the_hosts_position_is_not_believed(void)
{
	start();
	log_line("one");
	ring->head = 0xdeadbeef;
	log_line("two");
	assert_int_equal(ring->head, 8);
	assert_memory_equal(ring->text, "one\ntwo\n", 8);
}

/* Before there is a ring, lines are dropped. */
static void without_a_ring(void)
{
	start();
	log_init(NULL);
	log_line("nobody hears %u", 1u);
	assert_int_equal(ring->head, 0);
}

/* A panic's line gets out although the lock is held. */
static void a_panic_gets_out(void)
{
	start();
	hyp_panicked = true;
	log_line("last words");
	hyp_panicked = false;
	assert_log("last words\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		hyp_test(formats),	  hyp_test(other_formats),
		hyp_test(the_ring_wraps), hyp_test(the_hosts_position_is_not_believed),
		hyp_test(without_a_ring), hyp_test(a_panic_gets_out),
	};

	return RUN("hyp-lib-log", tests);
}
