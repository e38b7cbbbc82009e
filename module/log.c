// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's log ring (include/stockade/log.h) becomes kernel log lines. */
#include "stockade.h"

#include <linux/mm.h>
#include <linux/panic.h>
#include <linux/workqueue.h>

#include <stockade/log.h>

#include "launch.h"

#define POLL_INTERVAL (HZ / 2)
#define MAX_LINE      160

static struct stockade_log *ring;
static u32 tail; /* bytes taken; guarded by flush_lock */
static char line[MAX_LINE + 1];
static unsigned int line_length;
static DEFINE_RAW_SPINLOCK(flush_lock);

static void poll(struct work_struct *work);
static DECLARE_DELAYED_WORK(poll_work, poll);

static void flush_lines(bool emergency)
{
	unsigned long flags;
	u32 head;

	raw_spin_lock_irqsave(&flush_lock, flags);
	head = smp_load_acquire(&ring->head);
	if (head - tail > STOCKADE_LOG_TEXT) {
		pr_warn("hypervisor: (lines lost)\n");
		tail = head - STOCKADE_LOG_TEXT;
	}
	while (tail != head) {
		char c = ring->text[tail++ % STOCKADE_LOG_TEXT];

		if (c != '\n' && line_length < MAX_LINE) {
			line[line_length++] = c;
			continue;
		}
		line[line_length] = '\0';
		line_length = 0;
		if (emergency)
			pr_emerg("hypervisor: %s\n", line);
		else
			pr_info("hypervisor: %s\n", line);
	}
	raw_spin_unlock_irqrestore(&flush_lock, flags);
}

void stockade_log_flush(void)
{
	flush_lines(false);
}

static void poll(struct work_struct *work)
{
	stockade_log_flush();
	schedule_delayed_work(&poll_work, POLL_INTERVAL);
}

void stockade_el2_panic(void)
{
	flush_lines(true);
	panic("stockade: the hypervisor has panicked");
}

phys_addr_t stockade_log_page(void)
{
	return virt_to_phys(ring);
}

int stockade_log_init(void)
{
	ring = (void *)get_zeroed_page(GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	tail = 0;
	schedule_delayed_work(&poll_work, POLL_INTERVAL);
	return 0;
}

void stockade_log_exit(void)
{
	cancel_delayed_work_sync(&poll_work);
	stockade_log_flush();
	free_page((unsigned long)ring);
}
