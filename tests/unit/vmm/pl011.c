// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "test.h"

#include "../../../vmm/pl011.h"

#define DR   0x00
#define FR   0x18
#define LCR  0x2c
#define CR   0x30
#define IFLS 0x34
#define IMSC 0x38
#define RIS  0x3c
#define MIS  0x40
#define ICR  0x44

#define RXFE (1u << 4)
#define RXFF (1u << 6)
#define RX   (1u << 4)
#define TX   (1u << 5)
#define RT   (1u << 6)

static struct {
	char out[64];
	size_t len;
	bool line;
	unsigned int ready;
} seen;

static void put(void *ctx, uint8_t c)
{
	(void)ctx;
	seen.out[seen.len++ % sizeof(seen.out)] = (char)c;
}

static void set_irq(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(seen.line, level); /* only changes are told */
	seen.line = level;
}

static void rx_ready(void *ctx)
{
	(void)ctx;
	seen.ready++;
}

static struct pl011 *fresh(void)
{
	static const struct pl011_ops ops = { put, set_irq, rx_ready };
	static struct pl011 u;

	memset(&seen, 0, sizeof(seen));
	pl011_init(&u, &ops, NULL);
	return &u;
}

static void output_comes_out(void **state)
{
	struct pl011 *u = fresh();

	(void)state;
	pl011_write(u, DR, 'h');
	pl011_write(u, DR, 0x12345600 | 'i');
	assert_memory_equal(seen.out, "hi", 2);
	assert_false(seen.line);
	pl011_write(u, IMSC, TX);
	assert_true(seen.line);
	pl011_write(u, ICR, TX);
	assert_false(seen.line);
}

static void input_waits_until_the_guest_listens(void **state)
{
	struct pl011 *u = fresh();

	(void)state;
	assert_int_equal(pl011_receive(u, (const uint8_t *)"x", 1), 0);
	assert_true(pl011_read(u, FR) & RXFE);
	pl011_write(u, IMSC, RX | RT);
	assert_int_equal(seen.ready, 1);
	assert_int_equal(pl011_receive(u, (const uint8_t *)"x", 1), 1);
	assert_true(seen.line);
	assert_int_equal(pl011_read(u, DR), 'x');
	assert_false(seen.line);
	assert_int_equal(seen.ready, 2);
	assert_int_equal(pl011_read(u, DR), 0);
}

static void a_polling_guest_gets_input_too(void **state)
{
	struct pl011 *u = fresh();
	int i;

	(void)state;
	for (i = 0; i < 100 && !seen.ready; i++)
		assert_true(pl011_read(u, FR) & RXFE);
	assert_int_equal(seen.ready, 1);
	assert_int_equal(pl011_receive(u, (const uint8_t *)"y", 1), 1);
	assert_false(pl011_read(u, FR) & RXFE);
	assert_int_equal(pl011_read(u, DR), 'y');
	assert_false(seen.line);
}

static void fifo_takes_16_or_1(void **state)
{
	static const uint8_t data[32] = "0123456789abcdefghijklmnopqrstu";
	struct pl011 *u = fresh();
	int i;

	(void)state;
	pl011_write(u, IMSC, RX);
	assert_int_equal(pl011_receive(u, data, 32), 1);
	assert_true(pl011_read(u, FR) & RXFF);
	assert_int_equal(pl011_read(u, DR), '0');

	pl011_write(u, LCR, 0x70);
	pl011_write(u, IFLS, 2 << 3); /* half full */
	assert_int_equal(pl011_receive(u, data, 7), 7);
	assert_false(seen.line);
	assert_int_equal(pl011_read(u, RIS) & (RX | RT), RT);
	assert_int_equal(pl011_receive(u, data + 7, 25), 9);
	assert_true(seen.line);
	assert_int_equal(pl011_read(u, MIS), RX);
	assert_true(pl011_read(u, FR) & RXFF);
	for (i = 0; i < 16; i++)
		assert_int_equal(pl011_read(u, DR), data[i]);
	assert_true(pl011_read(u, FR) & RXFE);
}

static void it_is_an_arm_pl011(void **state)
{
	static const uint8_t id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
	struct pl011 *u = fresh();
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++)
		assert_int_equal(pl011_read(u, 0xfe0 + 4 * i), id[i]);
}

/* A guest may read and write anything anywhere, between anything that comes in. */
static void no_access_does_harm(void **state)
{
	struct pl011 *u = fresh();
	uint64_t x = 88172645463325252ull;
	int i;

	(void)state;
	for (i = 0; i < 200000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		if (x & 1)
			pl011_write(u, (x >> 8) & (x & 2 ? 0x7f : ~0ull), (uint32_t)(x >> 32));
		else
			pl011_read(u, (x >> 8) & (x & 2 ? 0x7f : ~0ull));
		pl011_receive(u, (const uint8_t *)&x, (x >> 3) & 7);
	}
	assert_in_range(u->rx_count, 0, PL011_FIFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_comes_out),
		cmocka_unit_test(input_waits_until_the_guest_listens),
		cmocka_unit_test(a_polling_guest_gets_input_too),
		cmocka_unit_test(fifo_takes_16_or_1),
		cmocka_unit_test(it_is_an_arm_pl011),
		cmocka_unit_test(no_access_does_harm),
	};

	return cmocka_run_group_tests_name("vmm-pl011", tests, NULL, NULL);
}
