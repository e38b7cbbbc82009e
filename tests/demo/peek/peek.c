// SPDX-License-Identifier: GPL-2.0-only
/*
 * The attacker's kernel module: reads page frames by the kernel's own mapping of all memory, for the
 * demonstration only. It survives what cannot be read.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "peek.h"
#include "secret.h"

static struct secret_words words;
static DEFINE_MUTEX(buf_lock);
static u64 buf[PAGE_SIZE / sizeof(u64)];

static int read_frame(u64 pfn)
{
	if (!pfn_is_map_memory(pfn))
		return -ENXIO;
	return copy_from_kernel_nofault(buf, phys_to_virt(PFN_PHYS(pfn)), PAGE_SIZE);
}

static int peek_read(const struct peek_read *r)
{
	int err = read_frame(r->pfn);

	if (!err && copy_to_user(u64_to_user_ptr(r->buf), buf, PAGE_SIZE))
		err = -EFAULT;
	return err;
}

static void look_at_buf(struct peek_search *s)
{
	bool found[NR_SECRETS] = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(buf); i++) {
		enum secret which = buf[i] ? secret_of(&words, buf[i]) : SECRET_NONE;

		if (which != SECRET_NONE)
			found[which] = true;
	}
	for (i = 0; i < NR_SECRETS; i++)
		s->found[i] += found[i];
}

static int peek_search(struct peek_search *s)
{
	u64 __user *skip = u64_to_user_ptr(s->skip);
	u64 pfn, bits = 0;
	int err;

	for (pfn = s->from; pfn < s->to; pfn++) {
		if ((pfn == s->from || pfn % 64 == 0) && get_user(bits, skip + pfn / 64))
			return -EFAULT;
		if (bits & BIT_ULL(pfn % 64)) {
			s->skipped++;
			continue;
		}
		err = read_frame(pfn);
		if (err) {
			s->refused += err != -ENXIO;
			continue;
		}
		s->read++;
		look_at_buf(s);
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	memset(buf, 0, sizeof(buf));
	return 0;
}

static long peek_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	union {
		struct peek_read read;
		struct peek_search search;
	} u;
	long err;

	BUILD_BUG_ON(ARRAY_SIZE(u.search.found) != NR_SECRETS);
	if (cmd != PEEK_READ && cmd != PEEK_SEARCH)
		return -ENOTTY;
	if (copy_from_user(&u, user, _IOC_SIZE(cmd)))
		return -EFAULT;
	mutex_lock(&buf_lock);
	err = cmd == PEEK_READ ? peek_read(&u.read) : peek_search(&u.search);
	mutex_unlock(&buf_lock);
	if (!err && cmd == PEEK_SEARCH && copy_to_user(user, &u.search, sizeof(u.search)))
		err = -EFAULT;
	return err;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = peek_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "peek",
	.fops = &fops,
	.mode = 0600,
};

static int __init peek_init(void)
{
	secret_words_init(&words);
	return misc_register(&dev);
}

static void __exit peek_exit(void)
{
	misc_deregister(&dev);
}

module_init(peek_init);
module_exit(peek_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Reads page frames, for Stockade's demonstration");
