// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UART, whose registers are a guest's to write: any order of accesses and input. Bytes come out as they went in;
 * the interrupt line is what its registers say; no more is taken than there is room for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../vmm/pl011.h"

#define DR   0x000
#define FR   0x018
#define RIS  0x03c
#define MIS  0x040
#define IMSC 0x038

static struct pl011 uart;
static bool line;
static uint8_t sent;	    /* the last byte that the guest sent */
static uint8_t queue[1024]; /* what was taken and not yet read */
static size_t head, tail;

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void put(void *ctx, uint8_t c)
{
	(void)ctx;
	sent = c;
}

static void set_irq(void *ctx, bool level)
{
	(void)ctx;
	must(level != line);
	line = level;
}

static void rx_ready(void *ctx)
{
	(void)ctx;
}

static void receive(const uint8_t *data, size_t len)
{
	size_t n = pl011_receive(&uart, data, len);

	must(n <= len && n <= PL011_FIFO && tail + n - head <= PL011_FIFO);
	memcpy(queue + tail, data, n);
	tail += n;
}

static void read_data(void)
{
	uint32_t c = pl011_read(&uart, DR);

	must(c == (head < tail ? queue[head++] : 0));
}

static void check(void)
{
	uint32_t ris = pl011_read(&uart, RIS), imsc = pl011_read(&uart, IMSC);

	must(pl011_read(&uart, MIS) == (ris & imsc));
	must(line == ((ris & imsc) != 0));
	/* RT: there is something to read. */
	must(!!(ris & 0x40) == (head < tail));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pl011_ops ops = { put, set_irq, rx_ready };

	pl011_init(&uart, &ops, NULL);
	line = false;
	head = tail = 0;
	/* An operation, an offset, two bytes. */
	for (; size >= 4; data += 4, size -= 4) {
		uint64_t offset = data[1] & 1 ? data[1] * 16u + data[2] : (data[1] & 0x7e) * 2u;
		uint32_t value = data[2] | (uint32_t)data[3] << 8;

		switch (data[0] % 8) {
		case 0:
		case 1:
		case 2:
			pl011_write(&uart, offset, value);
			must(offset != DR || sent == (uint8_t)value);
			break;
		case 3:
			if (offset != DR)
				pl011_read(&uart, offset);
			break;
		case 4:
			for (unsigned int i = 0; i < data[1]; i++)
				pl011_read(&uart, FR);
			break;
		case 5:
		case 6:
			if (tail + 4 > sizeof(queue))
				return 0;
			receive(data, 4);
			break;
		default:
			read_data();
		}
		/* Reading registers counts: guests that poll FR alone are ready for input. */
		if (data[0] & 0x80)
			check();
	}
	check();
	return 0;
}
