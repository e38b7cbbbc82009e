// SPDX-License-Identifier: GPL-2.0-only
#include "pl011.h"

enum {
	UARTDR = 0x000,
	UARTRSR = 0x004,
	UARTFR = 0x018,
	UARTILPR = 0x020,
	UARTIBRD = 0x024,
	UARTFBRD = 0x028,
	UARTLCR_H = 0x02c,
	UARTCR = 0x030,
	UARTIFLS = 0x034,
	UARTIMSC = 0x038,
	UARTRIS = 0x03c,
	UARTMIS = 0x040,
	UARTICR = 0x044,
	UARTDMACR = 0x048,
	UARTPERIPHID0 = 0xfe0,
};

#define FR_CTS	(1u << 0)
#define FR_DSR	(1u << 1)
#define FR_DCD	(1u << 2)
#define FR_RXFE (1u << 4)
#define FR_RXFF (1u << 6)
#define FR_TXFE (1u << 7)

#define LCR_FEN (1u << 4)

#define CR_UARTEN (1u << 0)
#define CR_TXE	  (1u << 8)
#define CR_RXE	  (1u << 9)

#define INT_RX	 (1u << 4)
#define INT_TX	 (1u << 5)
#define INT_RT	 (1u << 6)
#define INT_MASK 0x7ffu

/* A guest that reads FR this often, and nothing else, is polling for input. */
#define POLLING 64

/* PL011 r1p4 (a FIFO of 16), then the PrimeCell id. */
static const uint8_t periph_id[8] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

void pl011_init(struct pl011 *u, const struct pl011_ops *ops, void *ctx)
{
	*u = (struct pl011){
		.ops = ops,
		.ctx = ctx,
		.cr = CR_TXE | CR_RXE,
		.ifls = 0x12,
	};
	pthread_mutex_init(&u->lock, NULL);
}

static unsigned int rx_size(const struct pl011 *u)
{
	return u->lcr & LCR_FEN ? PL011_FIFO : 1;
}

/* How many bytes raise the RX interrupt. */
static unsigned int rx_trigger(const struct pl011 *u)
{
	static const unsigned int level[8] = { 2, 4, 8, 12, 14, 8, 8, 8 };

	return u->lcr & LCR_FEN ? level[(u->ifls >> 3) & 7] : 1;
}

/* The receive timeout is instant: whatever waits in the FIFO raises RT. */
static uint32_t raw_status(const struct pl011 *u)
{
	uint32_t ris = u->tx_irq ? INT_TX : 0;

	if (u->rx_count)
		ris |= INT_RT;
	if (u->rx_count >= rx_trigger(u))
		ris |= INT_RX;
	return ris;
}

static void update_irq(struct pl011 *u)
{
	bool line = raw_status(u) & u->imsc;

	if (line != u->line) {
		u->line = line;
		u->ops->set_irq(u->ctx, line);
	}
}

/*
 * Is the guest ready for input? Linux's driver empties the FIFO while it starts up, and what was
 * typed or piped in until then would be lost: hold it back until the guest listens.
 */
static bool listening(const struct pl011 *u)
{
	return (u->cr & CR_RXE) && ((u->imsc & (INT_RX | INT_RT)) || u->polls >= POLLING);
}

static void wake_input(struct pl011 *u)
{
	if (listening(u) && !u->rx_count)
		u->ops->rx_ready(u->ctx);
}

static uint32_t read_data(struct pl011 *u)
{
	uint8_t c;

	if (!u->rx_count)
		return 0;
	c = u->rx[u->rx_head];
	u->rx_head = (u->rx_head + 1) % PL011_FIFO;
	u->rx_count--;
	update_irq(u);
	wake_input(u);
	return c;
}

static uint32_t read_flags(struct pl011 *u)
{
	uint32_t fr = FR_CTS | FR_DSR | FR_DCD | FR_TXFE;

	if (u->polls < POLLING && ++u->polls == POLLING)
		wake_input(u);
	if (!u->rx_count)
		fr |= FR_RXFE;
	if (u->rx_count >= rx_size(u))
		fr |= FR_RXFF;
	return fr;
}

static uint32_t read_reg(struct pl011 *u, uint64_t offset)
{
	if (offset != UARTFR && offset != UARTDR)
		u->polls = 0;
	if (offset >= UARTPERIPHID0 && offset < UARTPERIPHID0 + 4 * sizeof(periph_id))
		return periph_id[(offset - UARTPERIPHID0) / 4];

	switch (offset) {
	case UARTDR:
		return read_data(u);
	case UARTFR:
		return read_flags(u);
	case UARTILPR:
		return u->ilpr;
	case UARTIBRD:
		return u->ibrd;
	case UARTFBRD:
		return u->fbrd;
	case UARTLCR_H:
		return u->lcr;
	case UARTCR:
		return u->cr;
	case UARTIFLS:
		return u->ifls;
	case UARTIMSC:
		return u->imsc;
	case UARTRIS:
		return raw_status(u);
	case UARTMIS:
		return raw_status(u) & u->imsc;
	case UARTDMACR:
		return u->dmacr;
	default:
		return 0;
	}
}

uint32_t pl011_read(struct pl011 *u, uint64_t offset)
{
	uint32_t val;

	pthread_mutex_lock(&u->lock);
	val = read_reg(u, offset);
	pthread_mutex_unlock(&u->lock);
	return val;
}

/* Bytes are sent at once, whether the UART is enabled or not: early consoles don't enable it. */
static void write_data(struct pl011 *u, uint8_t c)
{
	u->ops->put(u->ctx, c);
	u->tx_irq = true;
}

void pl011_write(struct pl011 *u, uint64_t offset, uint32_t val)
{
	pthread_mutex_lock(&u->lock);
	u->polls = 0;
	switch (offset) {
	case UARTDR:
		write_data(u, (uint8_t)val);
		break;
	case UARTILPR:
		u->ilpr = val & 0xff;
		break;
	case UARTIBRD:
		u->ibrd = val & 0xffff;
		break;
	case UARTFBRD:
		u->fbrd = val & 0x3f;
		break;
	case UARTLCR_H:
		u->lcr = val & 0xff;
		break;
	case UARTCR:
		u->cr = val & 0xffff;
		break;
	case UARTIFLS:
		u->ifls = val & 0x3f;
		break;
	case UARTIMSC:
		u->imsc = val & INT_MASK;
		break;
	case UARTICR:
		if (val & INT_TX)
			u->tx_irq = false;
		break;
	case UARTDMACR:
		u->dmacr = val & 7;
		break;
	default: /* UARTRSR among them: there are no line errors to clear */
		break;
	}
	update_irq(u);
	if (offset == UARTCR || offset == UARTIMSC)
		wake_input(u);
	pthread_mutex_unlock(&u->lock);
}

size_t pl011_receive(struct pl011 *u, const uint8_t *data, size_t len)
{
	size_t n = 0;

	pthread_mutex_lock(&u->lock);
	if (listening(u)) {
		while (n < len && u->rx_count < rx_size(u)) {
			u->rx[(u->rx_head + u->rx_count) % PL011_FIFO] = data[n++];
			u->rx_count++;
		}
		update_irq(u);
	}
	pthread_mutex_unlock(&u->lock);
	return n;
}
