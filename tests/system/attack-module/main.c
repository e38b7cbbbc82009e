// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile kernel module, for tests. It does what it is told in debugfs, stockade-attack/control; the
 * pages it plays with are lost until the next boot.
 */
#include <linux/debugfs.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>

#include "attack.h"
#include "compat.h"
#include "hostcall.h"

static bool call_end;
module_param(call_end, bool, 0);
MODULE_PARM_DESC(call_end, "issue the first number that is no hostcall");

static uint leave_kb;
module_param(leave_kb, uint, 0);
MODULE_PARM_DESC(leave_kb, "take all memory but so much, until unloaded");

static LIST_HEAD(taken);

static void take_memory(void)
{
	unsigned int order = MAX_PAGE_ORDER;

	for (;;) {
		unsigned long leave = leave_kb / (PAGE_SIZE / 1024);
		unsigned long nr_free = global_zone_page_state(NR_FREE_PAGES) -
					global_zone_page_state(NR_FREE_CMA_PAGES);
		struct page *page = NULL;

		if (nr_free <= leave)
			return;
		if (nr_free - leave >= 1ul << order)
			page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN, order);
		if (page) {
			set_page_private(page, order);
			list_add(&page->lru, &taken);
		} else if (!order--) {
			return;
		}
	}
}

static void give_memory(void)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &taken, lru) {
		unsigned int order = page_private(page);

		list_del(&page->lru);
		set_page_private(page, 0);
		__free_pages(page, order);
	}
}

/* What ftrace and BPF wait for before they free a trampoline: that each task has been seen in none. */
static int wait_rcu_tasks(void)
{
#ifdef CONFIG_TASKS_RCU
	synchronize_rcu_tasks();
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

static char result[4096];
static DEFINE_MUTEX(lock);

static int run(char *line, struct seq_buf *out)
{
	struct calls_config config = { 0 };
	struct broken broken;
	u32 seed, count;
	u64 pfn, seed64, nr; /* or what else a command has */
	int err;

	if (!strcmp(line, "scan"))
		return scan_hyp(out);
	if (!strcmp(line, "ffa"))
		return try_ffa(out);
	if (!strcmp(line, "smc"))
		return try_smcs(out);
	if (!strcmp(line, "stub"))
		return try_stub(out);
	if (!strcmp(line, "rcu-tasks"))
		return wait_rcu_tasks();
	if (!strcmp(line, "reclaim"))
		return reclaim_zeroes(out);
	if (!strcmp(line, "block"))
		return block_in_pieces(out);
	if (!strcmp(line, "tables-end"))
		return end_tables(out);
	if (!strcmp(line, "check")) {
		err = check_stopped(&broken) ?: broken.what ? 0 : check_beside(&broken);
		seq_buf_printf(out, "broken %llu\nbroken_at 0x%llx\n", broken.what, broken.pfn);
		return err;
	}
	if (!strcmp(line, "count")) {
		seq_buf_printf(out, "count %llu\n", attack_calls());
		return 0;
	}
	if (!strcmp(line, "walk"))
		return walk_lost_pages(out);
	if (!strcmp(line, "name-vm") || !strcmp(line, "name-vm-end"))
		return name_vm(!strcmp(line, "name-vm"));
	if (!strcmp(line, "race-loads"))
		return race_loads(out);
	if (!strcmp(line, "teardown-while-running"))
		return teardown_while_running(out);
	if (!strcmp(line, "race-teardown"))
		return race_teardown(out);
	if (sscanf(line, "race-donations %u", &seed) == 1)
		return race_donations(seed, out);
	if (sscanf(line, "metadata %llx", &pfn) == 1)
		return use_as_metadata(pfn, out);
	if (!strcmp(line, "victims")) {
		seq_buf_printf(out, "victims %u\n", mark_victims());
		return 0;
	}
	if (!strcmp(line, "id-registers"))
		return print_id_registers(out);
	if (sscanf(line, "find-planted %llx %llu %llu", &seed64, &nr, &pfn) == 3)
		return find_planted(seed64, nr, pfn, out);
	if (sscanf(line, "agent-begin %llx", &seed64) == 1)
		return agent_begin(seed64);
	if (sscanf(line, "agent-plant %x %llx %llx", &count, &pfn, &nr) == 3)
		return agent_plant(count, pfn, nr, out);
	if (sscanf(line, "agent-lose %llx", &pfn) == 1)
		return agent_lose(pfn);
	if (!strcmp(line, "agent-end"))
		return agent_end(out);
	if (sscanf(line, "victim-page %llx", &pfn) == 1) {
		add_victim_pfn(pfn);
		return 0;
	}
	if (sscanf(line, "touch %llx", &pfn) == 1)
		return touch_guest(pfn, out);
	if (sscanf(line, "run-pages %u %u", &seed, &count) == 2)
		return run_pages(seed, count, out);
	if (strstarts(line, "power-"))
		return power_attack(line, out);
	config.gentle = strstarts(line, "gentle-calls ");
	if (sscanf(line, "calls %u %u %u", &config.seed, &config.count, &config.check) >= 2 ||
	    sscanf(line, "gentle-calls %u %u %u", &config.seed, &config.count, &config.check) >= 2)
		return random_calls(&config, out);
	return access_command(line, out);
}

/* A command a write; what came of it can be read, lines of "name value". */
static ssize_t control_write(struct file *file, const char __user *user, size_t size, loff_t *pos)
{
	struct seq_buf out;
	char line[64] = { 0 };
	int err;

	if (size >= sizeof(line) || copy_from_user(line, user, size))
		return -EINVAL;
	strim(line);
	/* Does not come back, so it must not have the lock. */
	if (!strcmp(line, "tables")) {
		seq_buf_init(&out, result, sizeof(result));
		return tables_in_guest(&out) ?: size;
	}
	mutex_lock(&lock);
	seq_buf_init(&out, result, sizeof(result));
	err = run(line, &out);
	result[seq_buf_used(&out)] = '\0';
	mutex_unlock(&lock);
	return err ?: size;
}

static ssize_t control_read(struct file *file, char __user *user, size_t size, loff_t *pos)
{
	return simple_read_from_buffer(user, size, pos, result, strlen(result));
}

static const struct file_operations control_fops = {
	.owner = THIS_MODULE,
	.read = control_read,
	.write = control_write,
};

static struct dentry *dir;

static int __init attack_init(void)
{
	if (call_end) {
		pr_info("attack: STOCKADE_HC_END gives %lld\n",
			stockade_hostcall(STOCKADE_HC_END, 0, 0, 0, 0, 0, NULL));
		return 0;
	}
	if (leave_kb) {
		take_memory();
		return 0;
	}
	dir = debugfs_create_dir("stockade-attack", NULL);
	debugfs_create_file("control", 0600, dir, NULL, &control_fops);
	return pages_init();
}

static void __exit attack_exit(void)
{
	debugfs_remove(dir);
	give_memory();
}

module_init(attack_init);
module_exit(attack_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A hostile kernel module, for tests of Stockade");
