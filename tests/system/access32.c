// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program without a library: maps the memfd that is the guest's memory, and tries all kinds
 * of access to a page that the guest has.
 */
#include "access32.h"

#define SYS_EXIT	 1
#define SYS_WRITE	 4
#define SYS_RT_SIGACTION 174
#define SYS_MMAP2	 192

#define PROT_RWX   7
#define MAP_SHARED 1
#define SIGILL	   4
#define SIGBUS	   7
#define SIGSEGV	   11
#define SA_SIGINFO 4
#define SA_NODEFER 0x40000000

#define PAGE_BYTES 4096

struct action {
	void (*handler)(int sig, int *info, unsigned int *context);
	unsigned long flags;
	void (*restorer)(void);
	unsigned int mask[2];
};

/* Words of the context that a handler is given. */
#define INFO_ADDR  3
#define CONTEXT_R4 12
#define CONTEXT_PC 23
#define CONTEXT_SR 24
#define THUMB	   0x20u

static int got_signal;
static unsigned int got_addr;

static long call(long nr, long a0, long a1, long a2, long a3, long a4, long a5)
{
	register long r7 asm("r7") = nr;
	register long r0 asm("r0") = a0;
	register long r1 asm("r1") = a1;
	register long r2 asm("r2") = a2;
	register long r3 asm("r3") = a3;
	register long r4 asm("r4") = a4;
	register long r5 asm("r5") = a5;

	asm volatile("svc #0"
		     : "+r"(r0)
		     : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5)
		     : "memory");
	return r0;
}

/* The access gets the way on in r4. */
static void on_signal(int sig, int *info, unsigned int *context)
{
	got_signal = sig;
	got_addr = (unsigned int)info[INFO_ADDR];
	context[CONTEXT_PC] = context[CONTEXT_R4];
	context[CONTEXT_SR] &= ~THUMB;
}

#define ACCESS(name, insn)                                                                 \
	static void name(unsigned char *p)                                                 \
	{                                                                                  \
		register unsigned char *r0 asm("r0") = p;                                  \
                                                                                           \
		asm volatile("adr r4, 1f\n" insn "\n1:"                                    \
			     : "+r"(r0)                                                    \
			     :                                                             \
			     : "r2", "r3", "r4", "r6", "r8", "lr", "d0", "d1", "d2", "d3", \
			       "memory", "cc");                                            \
	}

ACCESS(ldrb, "ldrb r2, [r0]")
ACCESS(ldrh, "ldrh r2, [r0]")
ACCESS(ldr, "ldr r2, [r0]")
ACCESS(ldrd, "ldrd r2, r3, [r0]")
ACCESS(ldm, "ldm r0, {r2, r3, r6, r8}")
ACCESS(ldrex, "ldrex r2, [r0]\nclrex")
ACCESS(ldrexd, "ldrexd r2, r3, [r0]\nclrex")
ACCESS(lda, "lda r2, [r0]")
ACCESS(strb, "strb r2, [r0]")
ACCESS(strh, "strh r2, [r0]")
ACCESS(str, "str r2, [r0]")
ACCESS(strd, "strd r2, r3, [r0]")
ACCESS(stm, "stm r0, {r2, r3, r6, r8}")
ACCESS(vldr, "vldr d0, [r0]")
ACCESS(vld1, "vld1.8 {d0, d1}, [r0]")
ACCESS(vst1, "vst1.8 {d0, d1}, [r0]")
ACCESS(vstm, "vstmia r0, {d0-d3}")
ACCESS(jump, "blx r0")

static const struct {
	const char *name;
	void (*access)(unsigned char *p);
	int offset, touched;
} accesses[] = {
	{ "LDRB", ldrb, 5, 5 },
	{ "LDRH", ldrh, 2, 2 },
	{ "LDR", ldr, 0, 0 },
	{ "LDR, unaligned", ldr, 17, 17 },
	{ "LDR, into the page", ldr, -2, 0 },
	{ "LDR, out of it", ldr, PAGE_BYTES - 2, PAGE_BYTES - 2 },
	{ "LDRD", ldrd, 8, 8 },
	{ "LDM", ldm, 64, 64 },
	{ "LDM, into the page", ldm, -8, 0 },
	{ "LDREX", ldrex, 128, 128 },
	{ "LDREXD", ldrexd, 128, 128 },
	{ "LDA", lda, 256, 256 },
	{ "STRB", strb, PAGE_BYTES - 1, PAGE_BYTES - 1 },
	{ "STRH", strh, 0, 0 },
	{ "STR", str, 4, 4 },
	{ "STR, unaligned", str, 9, 9 },
	{ "STRD", strd, 16, 16 },
	{ "STM", stm, 32, 32 },
	{ "VLDR", vldr, 8, 8 },
	{ "VLD1 of 16 bytes", vld1, 1, 1 },
	{ "VST1 of 16 bytes", vst1, 16, 16 },
	{ "VSTM", vstm, 64, 64 },
	{ "a jump there", jump, 0, 0 },
	{ "a jump there, Thumb", jump, 1, 0 },
};

static void run(void)
{
	static const struct action action = { on_signal, SA_SIGINFO | SA_NODEFER, 0, { 0, 0 } };
	unsigned char *page;
	unsigned int i, j;

	page = (unsigned char *)call(SYS_MMAP2, 0, ACCESS32_SIZE, PROT_RWX, MAP_SHARED, ACCESS32_FD,
				     0) +
	       ACCESS32_PAGE;
	call(SYS_RT_SIGACTION, SIGSEGV, (long)&action, 0, 8, 0, 0);
	call(SYS_RT_SIGACTION, SIGBUS, (long)&action, 0, 8, 0, 0);
	call(SYS_RT_SIGACTION, SIGILL, (long)&action, 0, 8, 0, 0);
	for (i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++) {
		struct access32 result = { .touched = accesses[i].touched };

		for (j = 0; j < sizeof(result.name) - 1 && accesses[i].name[j]; j++)
			result.name[j] = accesses[i].name[j];
		got_signal = 0;
		accesses[i].access(page + accesses[i].offset);
		result.signal = got_signal;
		result.fault = (int)(got_addr - (unsigned int)page);
		call(SYS_WRITE, 1, (long)&result, sizeof(result), 0, 0, 0);
	}
	call(SYS_EXIT, 0, 0, 0, 0, 0, 0);
}

void _start(void)
{
	run();
}
