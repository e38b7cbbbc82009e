/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The secrets of the demonstration, and how to recognise them. They are written down scrambled, and
 * compared scrambled: whoever searches the host's memory for one must not find his own copy, nor the
 * program that hides it. Shared with the kernel module.
 */
#ifndef DEMO_SECRET_H
#define DEMO_SECRET_H

#ifdef __KERNEL__
#include <linux/string.h>
#include <linux/types.h>
#else
#include <linux/types.h>
#include <string.h>
#endif

enum secret { SECRET_PROCESS, SECRET_VM, NR_SECRETS, SECRET_NONE = NR_SECRETS };

#define SECRET_SIZE 32u
#define SECRET_KEY  0x5au

/* Each of these pages is full of it; so are most registers of one CPU. */
#define SECRET_PAGES 6u

#define SECRET_4(a, b, c, d) (a) ^ SECRET_KEY, (b) ^ SECRET_KEY, (c) ^ SECRET_KEY, (d) ^ SECRET_KEY

static const unsigned char secret_scrambled[NR_SECRETS][SECRET_SIZE] = {
	[SECRET_PROCESS] = { SECRET_4('A', ' ', 'p', 'l'), SECRET_4('a', 'i', 'n', ' '),
			     SECRET_4('p', 'r', 'o', 'c'), SECRET_4('e', 's', 's', '\''),
			     SECRET_4('s', ' ', 's', 'e'), SECRET_4('c', 'r', 'e', 't'),
			     SECRET_4(':', ' ', '1', '2'), SECRET_4('3', '4', '5', '.') },
	[SECRET_VM] = { SECRET_4('T', 'h', 'e', ' '), SECRET_4('v', 'a', 'u', 'l'),
			SECRET_4('t', ' ', 'o', 'p'), SECRET_4('e', 'n', 's', ' '),
			SECRET_4('w', 'i', 't', 'h'), SECRET_4(' ', '4', '7', '1'),
			SECRET_4('1', '-', '0', '8'), SECRET_4('1', '5', '.', ' ') },
};

/* Every 8 bytes in a row that a memory full of a secret contains, at whatever alignment. */
struct secret_words {
	__u64 scrambled[NR_SECRETS][SECRET_SIZE];
	unsigned char first[256]; /* 1: words start with this byte */
};

static inline void secret_words_init(struct secret_words *w)
{
	unsigned char twice[2 * SECRET_SIZE];
	unsigned int s, i;

	memset(w, 0, sizeof(*w));
	for (s = 0; s < NR_SECRETS; s++) {
		memcpy(twice, secret_scrambled[s], SECRET_SIZE);
		memcpy(twice + SECRET_SIZE, secret_scrambled[s], SECRET_SIZE);
		for (i = 0; i < SECRET_SIZE; i++) {
			memcpy(&w->scrambled[s][i], twice + i, sizeof(__u64));
			w->first[twice[i]] = 1;
		}
	}
}

/* Which secret is this word of? */
static inline enum secret secret_of(const struct secret_words *w, __u64 word)
{
	unsigned int s, i;

	word ^= SECRET_KEY * 0x0101010101010101ull;
	if (!w->first[word & 0xff])
		return SECRET_NONE;
	for (s = 0; s < NR_SECRETS; s++)
		for (i = 0; i < SECRET_SIZE; i++)
			if (word == w->scrambled[s][i])
				return (enum secret)s;
	return SECRET_NONE;
}

#endif
