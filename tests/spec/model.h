/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The specification of page ownership: who owns each page frame, who borrows it, who has it mapped; what each
 * call demands, answers and changes. It has no code and no header of the hypervisor's.
 *
 * Read struct frame and its table first; then model_hostcall.c, what the host may ask for; model_guest.c, what guests
 * may; model.c, what becomes of a frame, and what happens when the host touches one.
 */
#ifndef TESTS_SPEC_MODEL_H
#define TESTS_SPEC_MODEL_H

#include <stdbool.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int64_t s64;
typedef uint64_t u64;

enum {
	MAX_FRAMES = 4096,
	MAX_RANGES = 4,
	MAX_CPUS = 4,
	MAX_VMS = 8,	  /* of 255: the driver makes no more */
	MAX_VCPUS = 4,	  /* of 256: likewise */
	MAX_MARKS = 512,  /* of one VM */
	MAX_REGIONS = 64, /* likewise */
	MAX_DEVICES = 64,
	MAX_LISTS = 4,	   /* transactions with the secure world */
	BLOCK = 512,	   /* frames of 2 MiB */
	GIB = 512 * BLOCK, /* frames of 1 GiB */
	PIECES = 8,	   /* in which a block is cleaned */
};

/*
 *  owner  borrower  host    EL2  VM   what it is
 *  HOST   NOBODY    RWX     -    -    the host's alone: the only page that can be given away
 *  HOST   HYP       RWX     RW   -    a run page (once for each vCPU that uses it), or the log
 *  HOST   SECURE    RWX     -    -    shared with the secure world: of a list, since a time
 *  HYP    NOBODY    -       RW   -    held for something (enum use)
 *  VM     NOBODY    -       -    RWX  private, at one gfn of one VM; if its block is not yet clean, the VM is to wait
 *  VM     HOST      RWX     -    RWX  shared by the guest
 *
 * Who has a page mapped follows from owner and borrower, and from nothing else (model_maps()).
 */
enum party { NOBODY, HOST, HYP, VM, SECURE };

enum use {
	USE_LAUNCH,  /* image, stacks, page array: mapped at EL2, but not where others are */
	USE_CPU,     /* a CPU's own page */
	USE_POOL,    /* EL2's pool and tables, the host's tables */
	USE_VM,	     /* a VM's page */
	USE_ROOT,    /* its root table */
	USE_VM_POOL, /* its pool and its tables */
	USE_VCPU,
};

struct frame {
	u8 owner, borrower;
	u8 shares;   /* HOST, HYP: how many */
	u8 use;	     /* HYP: for what */
	bool block;  /* VM: it came as a part of 2 MiB, and is mapped so */
	u8 unclean;  /* VM: how often this block is to be gone on with before it is mapped */
	u16 vm;	     /* VM: whose; HYP: for whom; HOST, SECURE: on which list */
	u64 gfn;     /* VM: where; HYP, USE_VCPU: which; HOST, SECURE: since when */
	u64 content; /* each 8 bytes of it */
};

/* A run page has several pieces; VCPU_CREATE names frame and piece in one number. */
#define RUN_PIECES 16
#define RUN_FRAME  ((1ull << 52) - 1)

#define CONTENT_ZERO 0ull
#define CONTENT_ANY  (~0ull) /* nobody says */

enum vm_life { NONE, NEW, SEALED, ENDED, DYING };
enum power { OFF, ON_PENDING, ON };
/* What a VM's empty gfn says. */
enum mark { NO_MARK, POISONED, GUARDED };

struct spec_vcpu {
	u64 page, run; /* frames */
	u32 piece;     /* of the run page */
	u8 power;
	bool bound;
	/* The exit that waits for the host's word: an abort. */
	bool aborted, syndrome, load;
	u64 value; /* that a store has */
};

struct spec_vm {
	u8 life;
	u8 ipa_bits;
	u32 nr_vcpus;
	struct spec_vcpu vcpu[MAX_VCPUS];
	u64 page, root;
	bool empty; /* dying, and all of its memory went back */
	struct {
		u64 gfn;
		u8 mark;
	} marks[MAX_MARKS];
	u32 nr_marks;
	/* 2 MiB of IPA (gfn / BLOCK) that were used by single pages: no block fits there any more. */
	u64 pages_in[MAX_REGIONS];
	u32 nr_pages_in;
};

struct spec_cpu {
	bool has_vcpu;
	u32 vm, vcpu;
	/* The host's last accesses to lost memory by a user address: where, and how often in a row. */
	u64 abort_pc, abort_far;
	u32 repeats;
};

struct model {
	struct {
		u64 first, nr; /* frames of RAM */
	} range[MAX_RANGES];
	u32 nr_ranges;
	u64 nr_frames;
	struct frame frame[MAX_FRAMES]; /* of RAM, in order */
	struct spec_vm vm[MAX_VMS];
	struct spec_cpu cpu[MAX_CPUS];
	/* What is no RAM, and mapped for the host: by blocks of 1, BLOCK or GIB frames. */
	struct {
		u64 first, nr;
	} device[MAX_DEVICES];
	u32 nr_devices;
	u64 text; /* the frame with the instruction that the host's kernel executes */
	u64 time; /* of shares with the secure world */
	bool fwb; /* guests can't look past the caches: a block need not be cleaned */
	bool closed;
	bool full; /* this model's arrays are: nothing is to be learned from it any more */
};

enum op {
	OP_HOSTCALL,	 /* x[0..5] as in stockade/hostcall.h; not VCPU_RUN */
	OP_RUN,		 /* VCPU_RUN; x[0] entry_flags, x[1] enum guest_act, x[2..5] what it does */
	OP_HOST_ABORT,	 /* x[0] physical address, x[1] ABORT_*, x[2] pc */
	OP_HOST_WRITE,	 /* x[0] frame, x[1] what to fill it with */
	OP_SHARE_SECURE, /* x[0] list, x[1] physical address, x[2] frames */
	OP_UNSHARE_SECURE, /* x[0] list, x[1] frames: the last ones */
	NR_OPS,
};

enum guest_act {
	GUEST_IDLE,   /* interrupted */
	GUEST_CALL,   /* x[2..5] its x0 to x3 */
	GUEST_ACCESS, /* x[2] IPA, x[3] ACCESS_*, x[4] the value */
	NR_GUEST_ACTS,
};

#define ACCESS_WRITE	(1u << 0)
#define ACCESS_FETCH	(1u << 1)
#define ACCESS_SYNDROME (1u << 2) /* ESR.ISV */
#define ACCESS_WALK	(1u << 3) /* by the guest's own tables */
#define ACCESS_OTHER	(1u << 4) /* it fails by something else than a translation fault */
#define ACCESS_SIZE	8	  /* bits [9:8]: log2 of bytes */

/* The host's abort. Plain: its kernel's load or store, by a kernel address. */
#define ABORT_USER	 (1u << 0) /* from EL0 */
#define ABORT_USER_VA	 (1u << 1) /* from EL1, by a user address */
#define ABORT_ATOMIC	 (1u << 2) /* exclusive or atomic */
#define ABORT_OVERRUN	 (1u << 3) /* 8 bytes that begin on the page before */
#define ABORT_FETCH	 (1u << 4)
#define ABORT_WALK	 (1u << 5)
#define ABORT_PERMISSION (1u << 6)
#define ABORT_UNKNOWN	 (1u << 7) /* the address can't be had */
#define ABORT_OTHER	 (1u << 8) /* no fault of the tables */
#define ABORT_CONFLICT	 (1u << 9) /* TLB conflict */

struct step {
	u8 op, cpu;
	bool with_next; /* at the same time as the next one */
	u32 schedule;	/* of a batch: which CPU goes on when; or BY_THREADS */
	u64 x[6];
};

/* The build machine's own scheduler, and memory, decide. */
#define BY_THREADS (~0u)

/* What the implementation is free to choose. */
struct choice {
	bool no_tables;	       /* a pool is short: nothing happens, the host is asked for pages */
	u64 wanted, wanted_by; /* how many, and by which pool */
	u64 reclaimed;	       /* VM_RECLAIM: pages; they come by ascending gfn */
	bool more;	       /* and it says that it is not done */
	u64 table; /* VM_RECLAIM_TABLE: which page of the pool; NO_FRAME: none is left */
	u64 free;  /* pages free in EL2's pool, for STATUS */
};

#define NO_FRAME (~0ull)

enum fault { FAULT_NONE, FAULT_TAG, FAULT_ALIGNMENT, FAULT_EXTERNAL };

/* All that the caller sees. */
struct outcome {
	s64 ret;
	u64 x[3];     /* x1 to x3 */
	u64 fault;    /* OP_HOST_ABORT: enum fault */
	u64 guest_x0; /* GUEST_CALL */
	/* The run page. */
	u64 abort_flags, abort_ipa, abort_size, arg;
};

/* What comes of a step; m becomes the next state. */
struct outcome model_step(struct model *m, const struct step *s, const struct choice *choice);

/* OP_RUN in two parts, between which other CPUs may come: false: it never gets to the guest. */
bool model_enter(struct model *m, const struct step *s, struct outcome *o);
struct outcome model_act(struct model *m, const struct step *s, const struct choice *choice);

/* Does that party (HOST, HYP) or the VM that owns it (VM) have the page mapped? */
bool model_maps(const struct frame *f, enum party by);
/* The frame's index, or -1 if it is no RAM. */
long model_index(const struct model *m, u64 frame);
/* Are these all RAM, in one piece? */
bool model_is_ram(const struct model *m, u64 first, u64 nr);
/* The VM's page at gfn, or NULL; the same if it is mapped; what the gfn says if there is none. */
struct frame *model_at(struct model *m, u32 vm, u64 gfn);
struct frame *model_mapped_at(struct model *m, u32 vm, u64 gfn);
enum mark model_mark(const struct model *m, u32 vm, u64 gfn);
bool model_has_pages_in(const struct model *m, u32 vm, u64 gfn);
/* The VM of that handle, or -1. */
long model_vm(const struct model *m, u64 handle);

#endif
