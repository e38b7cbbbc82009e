/* SPDX-License-Identifier: GPL-2.0-only */
/* An Arm PL011 UART (DDI 0183G): what a guest sees of the console. Knows nothing of KVM. */
#ifndef VMM_PL011_H
#define VMM_PL011_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PL011_FIFO 16

struct pl011_ops {
	void (*put)(void *ctx, uint8_t c);	/* the guest sent a byte */
	void (*set_irq)(void *ctx, bool level); /* the interrupt line changed */
	void (*rx_ready)(void *ctx);		/* pl011_receive() will take bytes again */
};

struct pl011 {
	const struct pl011_ops *ops;
	void *ctx;
	pthread_mutex_t lock; /* guards what follows; held while ops are called */
	uint32_t cr, lcr, ibrd, fbrd, ifls, imsc, dmacr, ilpr;
	bool tx_irq; /* raw interrupt status of TX; those of RX follow from the FIFO */
	bool line;
	uint8_t rx[PL011_FIFO];
	unsigned int rx_head, rx_count;
	unsigned int polls; /* reads of FR in a row */
};

void pl011_init(struct pl011 *u, const struct pl011_ops *ops, void *ctx);

/* Registers; offsets are from the base. Unknown ones read 0 and ignore writes. */
uint32_t pl011_read(struct pl011 *u, uint64_t offset);
void pl011_write(struct pl011 *u, uint64_t offset, uint32_t val);

/* Input for the guest. Returns how many bytes were taken; the rest is welcome after rx_ready. */
size_t pl011_receive(struct pl011 *u, const uint8_t *data, size_t len);

#endif
