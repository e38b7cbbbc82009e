// SPDX-License-Identifier: GPL-2.0-only
#include "lib/log.h"

#include <stdarg.h>

#include "arch/lock.h"
#include "lib/panic.h"
#include "lib/types.h"

static struct log_lock log_lock;
static struct stockade_log *log_ring GUARDED_BY(log);
/* The ring is the host's to scribble on: the position is our own. */
static u32 log_head GUARDED_BY(log);

void log_init(struct stockade_log *ring)
{
	spin_lock(&log_lock);
	log_ring = ring;
	log_head = 0;
	spin_unlock(&log_lock);
}

static void put_char(char c) REQUIRES(log)
{
	log_ring->text[log_head++ % STOCKADE_LOG_TEXT] = c;
}

static void put_number(u64 value, unsigned int base) REQUIRES(log)
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

static void put_line(const char *format, va_list args) REQUIRES(log)
{
	const char *s;

	if (!log_ring)
		return;
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
	put_char('\n');
	/* The text first, then the position that says it is there. */
	__atomic_store_n(&log_ring->head, log_head, __ATOMIC_RELEASE);
}

/* Without the lock: a panic may have come upon its holder, and its own line must get out. */
static void put_last_line(const char *format, va_list args) NO_LOCK_CHECK
{
	put_line(format, args);
}

void log_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (READ_ONCE(hyp_panicked)) {
		put_last_line(format, args);
	} else {
		spin_lock(&log_lock);
		put_line(format, args);
		spin_unlock(&log_lock);
	}
	va_end(args);
}
