// SPDX-License-Identifier: GPL-2.0-only
/* Accesses of the kernel's, one at a time, to pages that user space names. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include <asm/word-at-a-time.h>

#include "attack.h"

#define NR_FOUND 3

/* The kernel's own load of 8 bytes that runs over into a page; `before` of them are in front. */
static int zeropad(u64 pfn, u32 before, struct seq_buf *out)
{
	unsigned long value;

	if (!before || before > 7)
		return -EINVAL;
	value = load_unaligned_zeropad(pfn_to_kaddr(pfn) - before);
	seq_buf_printf(out, "value %lu\n", value);
	return 0;
}

/* Frames that can't be read. There must be no VM, or its pages would be lost to it. */
static int find_hyp(struct seq_buf *out)
{
	unsigned int found = 0;
	unsigned long word;
	u64 pfn;

	for (pfn = ram_end_pfn; pfn-- && found < NR_FOUND;) {
		if (!pfn_valid(pfn) || !page_is_ram(pfn) || PageReserved(pfn_to_page(pfn)))
			continue;
		if (copy_from_kernel_nofault(&word, pfn_to_kaddr(pfn), sizeof(word)))
			seq_buf_printf(out, "frame%u %llu\n", found++, pfn);
		cond_resched();
	}
	return found == NR_FOUND ? 0 : -ENOENT;
}

static atomic_t read_it;

static int peek_thread(void *addr)
{
	unsigned long value = READ_ONCE(*(unsigned long *)addr);

	pr_info("attack: read 0x%lx\n", value);
	atomic_inc(&read_it);
	return 0;
}

/* A load that nobody is prepared for, by a thread that is not to come back. */
static int peek(u64 pfn, struct seq_buf *out)
{
	struct task_struct *task;

	atomic_set(&read_it, 0);
	task = kthread_run(peek_thread, pfn_to_kaddr(pfn), "attack-peek");
	if (IS_ERR(task))
		return PTR_ERR(task);
	msleep(500);
	seq_buf_printf(out, "read %d\n", atomic_read(&read_it));
	return 0;
}

int access_command(const char *line, struct seq_buf *out)
{
	u32 before;
	u64 pfn;

	if (!strcmp(line, "find-hyp"))
		return find_hyp(out);
	if (sscanf(line, "zeropad %llx %u", &pfn, &before) == 2)
		return zeropad(pfn, before, out);
	if (sscanf(line, "peek %llx", &pfn) == 1)
		return peek(pfn, out);
	return -EINVAL;
}
