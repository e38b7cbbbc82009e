// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hides a secret in memory and in the registers of the last CPU, says where, and obeys commands.
 *
 *   secret vm         in a guest: says physical addresses
 *   secret process    in an ordinary process, to try the attacks: says virtual ones
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "secret.h"
#include "spin.h"

#define PAGE 4096u

static uint8_t text[SECRET_SIZE];
static uint8_t *pages;
static struct spin spinner;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Volatile, or the compiler would put the plain text into the program. */
static void unscramble(enum secret which)
{
	volatile uint8_t key = SECRET_KEY;
	unsigned int i;

	for (i = 0; i < SECRET_SIZE; i++)
		text[i] = secret_scrambled[which][i] ^ key;
}

static void fill(void *to, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		((uint8_t *)to)[i] = text[i % SECRET_SIZE];
}

static bool intact(const void *at, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (((const uint8_t *)at)[i] != text[i % SECRET_SIZE])
			return false;
	return true;
}

static uint64_t physical(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)p / PAGE * 8)) != 8)
		die("pagemap");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static void *run_spinner(void *arg)
{
	spin(arg);
}

static uint32_t spinner_state(void)
{
	return __atomic_load_n(&spinner.state, __ATOMIC_ACQUIRE);
}

static void start_spinner(void)
{
	long cpu = sysconf(_SC_NPROCESSORS_ONLN) - 1;
	pthread_attr_t attr;
	pthread_t thread;
	cpu_set_t set;

	fill(spinner.x, sizeof(spinner.x));
	fill(spinner.v, sizeof(spinner.v));
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(set), &set);
	if (pthread_create(&thread, &attr, run_spinner, &spinner))
		die("thread");
	while (spinner_state() != SPIN_RUNNING)
		usleep(1000);
	memset(spinner.x, 0, sizeof(spinner.x));
	memset(spinner.v, 0, sizeof(spinner.v));
	printf("secret: in registers x2 to x29 and v0 to v31 of CPU %ld\n", cpu);
}

static bool registers_intact(void)
{
	bool ok;

	__atomic_store_n(&spinner.state, SPIN_ASKED, __ATOMIC_RELEASE);
	while (spinner_state() != SPIN_RUNNING)
		usleep(1000);
	ok = intact(spinner.x, sizeof(spinner.x)) && intact(spinner.v, sizeof(spinner.v));
	memset(spinner.x, 0, sizeof(spinner.x));
	memset(spinner.v, 0, sizeof(spinner.v));
	return ok;
}

static void check(void)
{
	unsigned int i, good = 0;

	for (i = 0; i < SECRET_PAGES; i++)
		good += intact(pages + i * PAGE, PAGE);
	printf("secret: %u of %u pages intact, registers %s\n", good, SECRET_PAGES,
	       registers_intact() ? "intact" : "damaged");
}

static void touch(unsigned int i)
{
	if (i >= SECRET_PAGES)
		return;
	printf("secret: reading page %u\n", i);
	printf("secret: page %u is %s\n", i, intact(pages + i * PAGE, PAGE) ? "intact" : "damaged");
}

static void hide(bool say_physical)
{
	unsigned int i;

	pages = mmap(NULL, SECRET_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	if (pages == MAP_FAILED)
		die("mmap");
	madvise(pages, SECRET_PAGES * PAGE, MADV_NOHUGEPAGE);
	fill(pages, SECRET_PAGES * PAGE);
	if (mlock(pages, SECRET_PAGES * PAGE))
		die("mlock");
	printf("secret: in %u pages, %s addresses", SECRET_PAGES,
	       say_physical ? "physical" : "virtual");
	for (i = 0; i < SECRET_PAGES; i++)
		printf("%s%#llx", i % 3 ? " " : "\nsecret:   ",
		       say_physical ? (unsigned long long)physical(pages + i * PAGE) :
				      (unsigned long long)(uintptr_t)(pages + i * PAGE));
	printf("\n");
}

int main(int argc, char **argv)
{
	bool vm = argc == 2 && !strcmp(argv[1], "vm");
	char line[64];
	unsigned int i;

	if (!vm && (argc != 2 || strcmp(argv[1], "process"))) {
		fprintf(stderr, "Usage: secret vm|process\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	unscramble(vm ? SECRET_VM : SECRET_PROCESS);
	hide(vm);
	start_spinner();
	printf("secret: ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "check\n"))
			check();
		else if (sscanf(line, "touch %u", &i) == 1)
			touch(i);
		else
			printf("secret: commands are 'check' and 'touch N'\n");
	}
	return 0;
}
