/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of the hostile module have of each other. */
#ifndef ATTACK_H
#define ATTACK_H

#include <linux/prandom.h>
#include <linux/seq_buf.h>
#include <linux/types.h>

/*
 * A raw hostcall: x[0..5] in, x[0..5] out. Returns how many of x6-x17 and x19-x28 it has changed.
 */
unsigned long attack_call(u64 x[6]);
/* The bare instructions, all of x0-x3 in and out. */
void attack_hvc(u64 x[4]);
void attack_smc(u64 x[4]);
extern const char attack_guest[], attack_guest_end[];

/* pages.c: memory to play with, which never goes back to the kernel */

int pages_init(void);
extern u64 ram_end_pfn;
/* copy_to_kernel_nofault, which is not exported. */
extern long (*write_nofault)(void *dst, const void *src, size_t size);
/* Of those: any; for the hypervisor's pool, which never gives them back; 512, aligned. */
u64 own_pfn(struct rnd_state *rnd);
u64 own_pool_pfn(void);
u64 own_block_pfn(void);
/* One that nobody else gets from any of these. */
u64 take_pfn(unsigned int order);
/* Of the hypervisor (by scan_hyp()), of other VMs (as told by user space); 0: none known. */
u64 hyp_pfn(struct rnd_state *rnd);
u64 victim_pfn(struct rnd_state *rnd);
void add_victim_pfn(u64 pfn);
/* Own pages that can't be read. */
unsigned long own_lost(void);
/* The page that the hypervisor logs to. */
u64 log_pfn(void);

/* calls.c */

/* Handles that exist now and are not ours are other people's. */
unsigned int mark_victims(void);
struct calls_config {
	u32 seed;
	u32 count;   /* for each CPU */
	bool gentle; /* others make and end VMs meanwhile: end none */
};
int random_calls(const struct calls_config *config, struct seq_buf *out);

/* direct.c: each prints lines "name value" */

int scan_hyp(struct seq_buf *out);
int touch_guest(u64 pfn, struct seq_buf *out);
int try_smcs(struct seq_buf *out);
int try_stub(struct seq_buf *out);
int reclaim_zeroes(struct seq_buf *out);
int tables_in_guest(struct seq_buf *out);
int end_tables(struct seq_buf *out);

/* access.c: EINVAL if it is no command of these */

int access_command(const char *line, struct seq_buf *out);

/* vm.c: a VM made of raw hostcalls */

#define RAW_VCPUS 2

struct raw_vm {
	u64 handle;
	u64 vm, root, code, vcpu[RAW_VCPUS], run[RAW_VCPUS];
};

/* Status; topped up when ENOMEM asks for it. */
s64 raw_call(u64 id, u64 a1, u64 a2, u64 a3, u64 a4, u64 *x1);
s64 raw_topup(u64 pool, u64 handle);
/* Of any pages of ours, with rnd. False: not all of it could be done; handle is set if there is a VM. */
bool raw_create(struct raw_vm *vm, struct rnd_state *rnd);
/* False: something was refused that should not be. */
bool raw_destroy(u64 handle);
/* Load, run a few times with what scribble() does to the run page before each, put. */
struct run_stats {
	u64 runs, refused, exits[16], odd;
};
void raw_run(u64 handle, u32 vcpu, u64 run_pfn, unsigned int times, struct rnd_state *rnd,
	     struct run_stats *stats);
void scribble(u64 run_pfn, struct rnd_state *rnd);
int run_pages(u32 seed, u32 count, struct seq_buf *out);

#endif
