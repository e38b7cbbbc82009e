// SPDX-License-Identifier: GPL-2.0-only
#include "shadow.h"

#include <string.h>

#include "fake.h"
#include "mem/page.h"

#define MAX_FRAMES 4096
#define WORDS	   (PAGE_SIZE / 8)

static struct frame {
	pa_t pa;
	struct page page;
	u64 word;
	bool known; /* it is full of that word */
} frames[MAX_FRAMES];
static unsigned int nr_frames;
static u64 next_word;

/* The hypervisor's pages and own data before a call. */
static struct {
	unsigned int nr;
	pa_t pa[MAX_FRAMES];
	u8 page[MAX_FRAMES][PAGE_SIZE];
	u64 data[FAKE_SECTIONS][32 * 1024];
} before;

static bool is_full_of(pa_t pa, u64 word)
{
	const u64 *at = fake_ram(pa);

	for (size_t i = 0; i < WORDS; i++)
		if (at[i] != word)
			return false;
	return true;
}

/* Enough between two steps: a page is zeroed, or written to, as a whole. */
static bool may_be_full_of(pa_t pa, u64 word)
{
	const u64 *at = fake_ram(pa);

	return at[0] == word && at[WORDS / 2] == word && at[WORDS - 1] == word;
}

static bool is_guests(unsigned int state)
{
	return state == PAGE_GUEST || state == PAGE_GUEST_SHARED;
}

/* Page array entries of a range of RAM: those of one page of the array lie side by side. */
static void read_entries(void (*entry)(pa_t pa, struct page page))
{
	for (unsigned int i = 0; i < fake.launch.nr_ram; i++) {
		const struct stockade_range *ram = &fake.launch.ram[i];
		const struct page *at = NULL;

		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE, at++) {
			if (!at || !((u64)at & (PAGE_SIZE - 1)))
				at = fake_page(pa);
			entry(pa, *at);
		}
	}
}

static void remember(pa_t pa, struct page page)
{
	struct frame *f = &frames[nr_frames++];

	if (nr_frames > MAX_FRAMES)
		fake_fail("too much RAM for a fuzzer");
	*f = (struct frame){ .pa = pa, .page = page, .word = *(u64 *)fake_ram(pa) };
	f->known = page.state == PAGE_HOST && is_full_of(pa, f->word);
}

void shadow_start(void)
{
	nr_frames = 0;
	next_word = 0xf111ed0000000000ull;
	read_entries(remember);
}

static struct frame *frame_of(pa_t pa)
{
	for (unsigned int i = 0; i < nr_frames; i++)
		if (frames[i].pa == (pa & PAGE_MASK))
			return &frames[i];
	fake_fail("0x%lx is no RAM", pa);
}

void shadow_store(pa_t pa)
{
	struct frame *f = frame_of(pa);
	u64 *at = fake_ram(f->pa);

	f->word = next_word++;
	f->known = true;
	for (size_t i = 0; i < WORDS; i++)
		at[i] = f->word;
}

static bool allows(unsigned int allowed, unsigned int owner, struct page was, struct page is)
{
	bool owners = allowed == SHADOW_ANY || (is_guests(was.state) && was.owner == owner);

	if (allowed == SHADOW_ANY)
		return true;
	switch (was.state) {
	case PAGE_HOST:
		return allowed & SHADOW_DONATE;
	case PAGE_HYP:
		return is.state == PAGE_HOST && (allowed & SHADOW_RETURN);
	case PAGE_HOST_SHARED:
		return (is.state == PAGE_HOST || is.state == PAGE_HOST_SHARED) &&
		       (allowed & (SHADOW_DONATE | SHADOW_RETURN));
	case PAGE_GUEST:
	case PAGE_GUEST_SHARED:
		if (is.state == PAGE_HOST)
			return owners && (allowed & SHADOW_RECLAIM);
		return owners && (allowed & SHADOW_SHARE) && is_guests(is.state) &&
		       is.owner == was.owner && is.gfn == was.gfn;
	default:
		return false;
	}
}

/* Nothing that was the hypervisor's or a guest's alone is to be seen by the next one. */
static bool must_be_zero(struct page was, struct page is)
{
	if (was.state == PAGE_HYP)
		return is.state != PAGE_HYP;
	if (was.state != PAGE_GUEST || is.state == PAGE_HYP)
		return false;
	return !is_guests(is.state) || is.owner != was.owner || is.gfn != was.gfn;
}

static unsigned int may, may_owner;

/* Through the hypervisor's hands and back, in a step of several calls; or a block of which part is reclaimed. */
static bool may_be_zeroed(struct page page)
{
	return may == SHADOW_ANY ||
	       ((may & SHADOW_RECLAIM) && page.state == PAGE_GUEST && page.owner == may_owner);
}

static void step_one(pa_t pa, struct page is)
{
	static unsigned int at;
	struct frame *f;
	struct page was;

	at = pa == frames[0].pa ? 0 : at + 1;
	f = &frames[at];
	was = f->page;
	f->page = is;
	/* An exit may have written to any of its places. */
	if (was.state == PAGE_HOST_SHARED)
		f->known = false;
	if (!memcmp(&was, &is, sizeof(was))) {
		if (f->known && may_be_zeroed(is) && !*(u64 *)fake_ram(pa))
			f->word = 0;
		if (f->known && is.state != PAGE_HYP && !may_be_full_of(pa, f->word))
			fake_fail("0x%lx, %s, has changed", pa, fake_state_name(is.state));
		return;
	}
	if (!allows(may, may_owner, was, is))
		fake_fail("0x%lx was %s of %u and is %s of %u", pa, fake_state_name(was.state),
			  was.owner, fake_state_name(is.state), is.owner);
	if (is.state == PAGE_HYP) {
		f->known = false;
		return;
	}
	if (must_be_zero(was, is)) {
		f->word = 0;
		f->known = true;
	} else if (f->known && may == SHADOW_ANY && !*(u64 *)fake_ram(pa)) {
		f->word = 0;
	}
	if (f->known && is.state != PAGE_HOST_SHARED && !is_full_of(pa, f->word))
		fake_fail("0x%lx was %s and is %s, and has 0x%lx in it", pa,
			  fake_state_name(was.state), fake_state_name(is.state),
			  *(u64 *)fake_ram(pa));
	if (is.state == PAGE_HOST_SHARED)
		f->known = false;
}

void shadow_step(unsigned int allowed, unsigned int owner)
{
	may = allowed;
	may_owner = owner;
	read_entries(step_one);
}

void shadow_check_all(void)
{
	for (unsigned int i = 0; i < nr_frames; i++) {
		const struct frame *f = &frames[i];

		if (f->known && !is_full_of(f->pa, f->word))
			fake_fail("0x%lx, %s, has changed", f->pa, fake_state_name(f->page.state));
	}
}

void shadow_check_scrubbed(void)
{
	for (unsigned int i = 0; i < nr_frames; i++)
		if (frames[i].page.state == PAGE_GUEST && !is_full_of(frames[i].pa, 0))
			fake_fail("0x%lx is a guest's and not zeroed", frames[i].pa);
}

/* The sanitizer's red zones between the variables too. */
__attribute__((no_sanitize("address"))) static void copy_words(u64 *to, const u64 *from, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		to[i] = from[i];
}

__attribute__((no_sanitize("address"))) static size_t differing_word(const u64 *a, const u64 *b,
								     size_t nr)
{
	size_t i = 0;

	while (i < nr && a[i] == b[i])
		i++;
	return i;
}

void shadow_before_call(void)
{
	before.nr = 0;
	for (unsigned int i = 0; i < nr_frames; i++) {
		if (frames[i].page.state != PAGE_HYP)
			continue;
		before.pa[before.nr] = frames[i].pa;
		memcpy(before.page[before.nr++], fake_ram(frames[i].pa), PAGE_SIZE);
	}
	for (unsigned int n = 0; n < FAKE_SECTIONS; n++) {
		struct fake_section s = fake_section(n);

		if (s.size > sizeof(before.data[n]))
			fake_fail("the hypervisor has grown: %zu bytes", s.size);
		copy_words(before.data[n], (const u64 *)s.base, s.size / 8);
	}
}

void shadow_check_refused(const char *what)
{
	for (unsigned int i = 0; i < before.nr; i++)
		if (memcmp(before.page[i], fake_ram(before.pa[i]), PAGE_SIZE))
			fake_fail("%s was refused, and changed 0x%lx", what, before.pa[i]);
	for (unsigned int n = 0; n < FAKE_SECTIONS; n++) {
		struct fake_section s = fake_section(n);
		size_t at = differing_word(before.data[n], (const u64 *)s.base, s.size / 8);

		if (at < s.size / 8)
			fake_fail("%s was refused, and changed the hypervisor's data at %s + 0x%zx",
				  what, n ? "data" : "bss", at * 8);
	}
}
