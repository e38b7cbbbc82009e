// SPDX-License-Identifier: GPL-2.0-only
#include "lib/log.h"

#include <stdarg.h>

#include "arch/lock.h"
#include "lib/panic.h"
#include "lib/types.h"

static struct spinlock log_lock;
static struct stockade_log *log_ring; /* guarded by log_lock */
/* The ring is the host's to scribble on: the position is our own. */
static u32 log_head;

void log_init(struct stockade_log *ring)
{
	spin_lock(&log_lock);
	log_ring = ring;
	log_head = 0;
	spin_unlock(&log_lock);
}

static void put_char(char c)
{
	log_ring->text[log_head++ % STOCKADE_LOG_TEXT] = c;
}

static void put_number(u64 value, unsigned int base)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put_char(digits[--n]);
}

void log_line(const char *format, ...)
{
	va_list args;
	const char *s;

	/* A panic may have come upon the holder of the lock; its own line must get out. */
	bool locked = !hyp_panicked;

	if (locked)
		spin_lock(&log_lock);
	if (!log_ring)
		goto unlock;
	va_start(args, format);
	for (const char *p = format; *p; p++) {
		bool wide = false;

		if (*p != '%') {
			put_char(*p);
			continue;
		}
		if (*++p == 'l') {
			wide = true;
			p++;
		}
		switch (*p) {
		case 's':
			for (s = va_arg(args, const char *); *s; s++)
				put_char(*s);
			break;
		case 'x':
		case 'u':
			put_number(wide ? va_arg(args, unsigned long) : va_arg(args, unsigned int),
				   *p == 'x' ? 16 : 10);
			break;
		default:
			put_char('?');
			break;
		}
	}
	va_end(args);
	put_char('\n');
	/* The text first, then the position that says it is there. */
	__atomic_store_n(&log_ring->head, log_head, __ATOMIC_RELEASE);
unlock:
	if (locked)
		spin_unlock(&log_lock);
}
