// SPDX-License-Identifier: GPL-2.0-only
/* Runs the cases of floor.S and prints "NAME INSTRUCTIONS" for each to QEMU's second PL011. */
#include <stdint.h>

typedef uint64_t u64;

#define LOOPS	   1000
#define FEAT_S2FWB (15ul << 40) /* ID_AA64MMFR2_EL1.FWB */
#define UART	   0x09000000ul

typedef void code(void);

extern code call_loop, exit_loop, user_loop, call_vectors, guest_vectors;
extern unsigned char page[4096];

u64 enter(code *function, code *vectors);
u64 ticks(void);
void donate(u64 *host_entry, u64 *guest_entry, u64 *array_entry, u64 page);
void share(u64 *host_entry, u64 *array_entry, u64 page);
void unshare(u64 *host_entry, u64 *array_entry, u64 page);
void take_back(u64 *host_entry, u64 *array_entry, u64 page, u64 block);
void clean(u64 page, u64 line);
void floor_main(void);

static void put(char c)
{
	*(volatile uint32_t *)UART = (uint32_t)c;
}

static void print(const char *name, u64 all)
{
	char digits[24];
	u64 tenths = all * 10 / LOOPS;
	int n = 0;

	while (*name)
		put(*name++);
	put(' ');
	do {
		digits[n++] = (char)('0' + tenths % 10);
		tenths /= 10;
		if (n == 1)
			digits[n++] = '.';
	} while (tenths || n < 3);
	while (n)
		put(digits[--n]);
	put('\n');
}

void floor_main(void)
{
	u64 entry[3], start, empty, block, line, at = (u64)page;
	u64 dczid, ctr, mmfr2;
	int i;

	asm volatile("mrs %0, dczid_el0" : "=r"(dczid));
	asm volatile("mrs %0, ctr_el0" : "=r"(ctr));
	asm volatile("mrs %0, id_aa64mmfr2_el1" : "=r"(mmfr2));
	block = 4ul << (dczid & 15);
	line = 4ul << (ctr >> 16 & 15);

	print("floor_call", enter(call_loop, call_vectors));
	print("floor_exit", enter(exit_loop, guest_vectors));
	print("floor_user", enter(user_loop, guest_vectors));

	start = ticks();
	for (i = 0; i < LOOPS; i++)
		asm volatile("");
	empty = ticks() - start;
	start = ticks();
	for (i = 0; i < LOOPS; i++)
		donate(&entry[0], &entry[1], &entry[2], at);
	print("floor_donate", ticks() - start - empty);
	start = ticks();
	for (i = 0; i < LOOPS; i++)
		share(&entry[0], &entry[2], at);
	print("floor_share", ticks() - start - empty);
	start = ticks();
	for (i = 0; i < LOOPS; i++)
		unshare(&entry[0], &entry[2], at);
	print("floor_unshare", ticks() - start - empty);
	start = ticks();
	for (i = 0; i < LOOPS; i++)
		take_back(&entry[0], &entry[2], at, block);
	print("floor_take_back", ticks() - start - empty);
	start = ticks();
	for (i = 0; i < LOOPS; i++)
		clean(at, line);
	print("floor_clean", ticks() - start - empty);
	print("fwb", mmfr2 & FEAT_S2FWB ? LOOPS : 0);
}
