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
/* How many there were. */
u64 attack_calls(void);
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
/* The singles by turns; who finds one in use tries the next. */
u64 own_next_pfn(void);
u64 own_pool_pfn(void);
u64 own_block_pfn(void);
/* One that nobody else gets from any of these. */
u64 take_pfn(unsigned int order);
/* All that were taken since the mark are the host's again, and nobody else has taken any. */
unsigned int take_mark(void);
void take_back(unsigned int mark);
/* Of the hypervisor (by scan_hyp()), of other VMs (as told by user space); 0: none known. */
u64 hyp_pfn(struct rnd_state *rnd);
u64 victim_pfn(struct rnd_state *rnd);
void add_victim_pfn(u64 pfn);
/* Own pages that can't be read. */
unsigned long own_lost(void);
/* The page that the hypervisor logs to. */
u64 log_pfn(void);

/* check.c: the hypervisor's invariants, if it was built to check them (stockade/debugcall.h) */

struct broken {
	u64 what, pfn; /* enum stockade_broken, and where */
};
/* With all other CPUs stopped, wherever they are; or while they go on. Else -ENOSYS. */
int check_stopped(struct broken *broken);
int check_beside(struct broken *broken);

/* calls.c */

/* Handles that exist now and are not ours are other people's. */
unsigned int mark_victims(void);
struct calls_config {
	u32 seed;
	u32 count;   /* for each CPU */
	bool gentle; /* others make and end VMs meanwhile: end none */
	u32 check;   /* invariants after so many calls of all CPUs; 0: not */
};
int random_calls(const struct calls_config *config, struct seq_buf *out);

/* direct.c: each prints lines "name value" */

int scan_hyp(struct seq_buf *out);
int touch_guest(u64 pfn, struct seq_buf *out);
int try_smcs(struct seq_buf *out);
int try_stub(struct seq_buf *out);
int reclaim_zeroes(struct seq_buf *out);
int block_in_pieces(struct seq_buf *out);
int tables_in_guest(struct seq_buf *out);
int end_tables(struct seq_buf *out);

/* walk.c: translation tables that are not the host's */

int walk_lost_pages(struct seq_buf *out);

/* race.c: two CPUs, each doing its part at the same moment */

int race_donations(u32 seed, struct seq_buf *out);
int race_loads(struct seq_buf *out);
int teardown_while_running(struct seq_buf *out);
int race_teardown(struct seq_buf *out);
/* The first of all handles, all the time, from the last CPU. */
int name_vm(bool start);
int use_as_metadata(u64 pfn, struct seq_buf *out);

/* ffa.c: lines "ffa_NAME result" */

int try_ffa(struct seq_buf *out);
/* power.c: commands "power-...", which print the same */
int power_attack(const char *line, struct seq_buf *out);
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
/* The same without any memory in it; vm->code is not set. */
bool raw_create_bare(struct raw_vm *vm, struct rnd_state *rnd);
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

/* registers.c, planted.c: what of a guest's registers, filled by CMD_PLANT, is to be found */

struct capture {
	u64 x[31], unused;
	u64 v[64];
	u64 fpsr, fpcr; /* after it only */
};
/* A hostcall, x0-x5 of which and all of v0-v31 are there before; and all registers after it. */
void attack_capture(struct capture *capture);
extern const char attack_agent[], attack_agent_end[];

unsigned int count_planted(const void *data, size_t size, u64 seed);
int find_planted(u64 seed, u64 count, u64 expected, struct seq_buf *out);
/* A VM with the agent, of raw hostcalls; CMD_PLANT; a page that it has, lost to it; its end. */
int agent_begin(u64 seed);
int agent_plant(u32 insn, u64 x1, u64 function, struct seq_buf *out);
int agent_lose(u64 ipa);
int agent_end(struct seq_buf *out);
int print_id_registers(struct seq_buf *out);

#endif
