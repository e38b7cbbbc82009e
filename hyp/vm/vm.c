// SPDX-License-Identifier: GPL-2.0-only
#include "vm/vm.h"

#include "arch/layout.h"
#include "lib/string.h"
#include "mem/host_map.h"
#include "mem/page.h"
#include "vm/vcpu.h"

/* Handles are not indexes, so that a stray 0 is none. */
#define HANDLE_BASE 0x1000

#define CONFIG_IPA_BITS	   GENMASK(7, 0)
#define CONFIG_FLAGS_SHIFT 8
#define MIN_IPA_BITS	   32

static struct table_lock table_lock;
static struct vm *table[STOCKADE_MAX_VMS] GUARDED_BY(table);
static unsigned int nr_vms GUARDED_BY(table);
static bool closed GUARDED_BY(table); /* by unload */
static bool ended GUARDED_BY(table);  /* by vm_unmap_all() */

struct vm *vm_get_index(u64 index)
{
	struct vm *vm = NULL;

	spin_lock(&table_lock);
	if (index < STOCKADE_MAX_VMS)
		vm = table[index];
	if (vm)
		vm->users++;
	spin_unlock(&table_lock);
	return vm;
}

struct vm *vm_get(u64 handle)
{
	/* Below the base it wraps: no index either. */
	return vm_get_index(handle - HANDLE_BASE);
}

void vm_put(struct vm *vm)
{
	spin_lock(&table_lock);
	vm->users--;
	spin_unlock(&table_lock);
}

unsigned int vm_count(void)
{
	unsigned int nr;

	spin_lock(&table_lock);
	nr = nr_vms;
	spin_unlock(&table_lock);
	return nr;
}

int vm_close_table(void)
{
	int ret = STOCKADE_OK;

	spin_lock(&table_lock);
	if (nr_vms)
		ret = STOCKADE_EBUSY;
	else
		closed = true;
	spin_unlock(&table_lock);
	return ret;
}

bool vm_table_is_closed(void)
{
	bool is_closed;

	spin_lock(&table_lock);
	is_closed = closed;
	spin_unlock(&table_lock);
	return is_closed;
}

void vm_end(struct vm *vm)
{
	spin_lock(&vm->lock);
	if (vm->state == VM_SEALED)
		vm->state = VM_ENDED;
	spin_unlock(&vm->lock);
}

void vm_unmap_all(void)
{
	spin_lock(&table_lock);
	ended = true;
	spin_unlock(&table_lock);
	for (u32 i = 0; i < STOCKADE_MAX_VMS; i++) {
		struct vm *vm = vm_get_index(i);

		if (!vm)
			continue;
		guest_unmap_all(&vm->mem);
		vm_put(vm);
	}
}

void vm_scrub_registers(void)
{
	for (u32 i = 0; i < STOCKADE_MAX_VMS; i++) {
		struct vm *vm = vm_get_index(i);

		if (!vm)
			continue;
		spin_lock(&vm->lock);
		for (u32 v = 0; v < vm->nr_vcpus; v++)
			vcpu_scrub_locked(vm->vcpus[v]);
		spin_unlock(&vm->lock);
		vm_put(vm);
	}
}

/* No lock that all share is held while a page is zeroed: its VM's keeps it from moving. */
void vm_scrub_memory(void)
{
	const struct stockade_range *ram;

	for (unsigned int i = 0; (ram = page_ram_range(i)); i++) {
		for (pa_t pa = ram->base; pa < ram->base + ram->size; pa += PAGE_SIZE) {
			struct vm *vm = vm_get_index(guest_private_owner(pa));

			/* Nobody's; or a VM's that has given all back since, and went. */
			if (!vm)
				continue;
			guest_scrub(&vm->mem, pa);
			vm_put(vm);
		}
	}
}

static void give_back(pa_t pages, u64 nr)
{
	for (u64 i = 0; i < nr; i++)
		hyp_donate_host(pages + i * PAGE_SIZE);
}

static bool has_room(void)
{
	bool room;

	spin_lock(&table_lock);
	room = !closed && !ended && nr_vms < STOCKADE_MAX_VMS;
	spin_unlock(&table_lock);
	return room;
}

/* Enter the VM into the table. From then on another CPU may destroy it. */
static int publish(struct vm *vm, pa_t root, unsigned int ipa_bits, u64 *handle)
{
	u16 index;

	spin_lock(&table_lock);
	for (index = 0; index < STOCKADE_MAX_VMS && table[index]; index++)
		;
	if (closed || ended || index == STOCKADE_MAX_VMS) {
		spin_unlock(&table_lock);
		return STOCKADE_ENOSPC;
	}
	vm->index = index;
	guest_mem_init(&vm->mem, root, ipa_bits, index);
	vm->world.vttbr = vm->mem.map.vttbr;
	vm->world.vtcr = guest_vtcr(ipa_bits);
	/* A guest's time begins at 0; the host has no say in it. */
	vm->world.cntvoff = arch_counter();
	table[index] = vm;
	nr_vms++;
	*handle = HANDLE_BASE + index;
	spin_unlock(&table_lock);
	return STOCKADE_OK;
}

int vm_create(pa_t page, pa_t root, u64 config, u64 *handle, struct want *want)
{
	unsigned int ipa_bits = (unsigned int)FIELD_GET(CONFIG_IPA_BITS, config);
	u64 nr_root;
	int ret;

	if (ipa_bits < MIN_IPA_BITS || ipa_bits > host_map.ia_bits ||
	    config >> CONFIG_FLAGS_SHIFT != STOCKADE_VM_PROTECTED)
		return STOCKADE_EINVAL;
	nr_root = stockade_s2_root_pages(ipa_bits);
	if (!IS_ALIGNED(root, nr_root * PAGE_SIZE))
		return STOCKADE_EINVAL;

	ret = has_room() ? host_can_donate_both(page, root, nr_root, want) : STOCKADE_ENOSPC;
	if (ret)
		return ret;
	ret = host_donate_hyp(page, 1, want);
	if (ret)
		return ret;
	ret = host_donate_hyp(root, nr_root, want);
	if (ret) {
		give_back(page, 1);
		return ret;
	}
	ret = publish(hyp_va(page), root, ipa_bits, handle);
	if (ret) {
		give_back(root, nr_root);
		give_back(page, 1);
	}
	return ret;
}

int vm_topup(struct vm *vm, pa_t pages, u64 nr, struct want *want)
{
	int ret;

	if (guest_is_dying(&vm->mem))
		return STOCKADE_EPERM;
	ret = host_donate_hyp(pages, nr, want);
	if (ret)
		return ret;
	spin_lock(&vm->mem.lock);
	/* Since. */
	if (vm->mem.dying)
		ret = STOCKADE_EPERM;
	for (u64 i = 0; i < nr && !ret; i++)
		pool_put(&vm->mem.pool, pages + i * PAGE_SIZE);
	spin_unlock(&vm->mem.lock);
	if (ret)
		give_back(pages, nr);
	return ret;
}

int vm_teardown(struct vm *vm)
{
	spin_lock(&vm->lock);
	if (vm->loaded) {
		spin_unlock(&vm->lock);
		return STOCKADE_EBUSY;
	}
	/* Nothing may be donated once the state lets another CPU reclaim: it might come behind the cursor. */
	guest_start_reclaim(&vm->mem);
	vm->state = VM_DYING;
	spin_unlock(&vm->lock);
	return STOCKADE_OK;
}

static bool is_dying(struct vm *vm)
{
	bool dying;

	spin_lock(&vm->lock);
	dying = vm->state == VM_DYING;
	spin_unlock(&vm->lock);
	return dying;
}

int vm_reclaim(struct vm *vm, bool *more)
{
	if (!is_dying(vm))
		return STOCKADE_EINVAL;
	*more = guest_reclaim_some(&vm->mem);
	return STOCKADE_OK;
}

int vm_reclaim_table(struct vm *vm, pa_t *page)
{
	bool more;

	if (!is_dying(vm))
		return STOCKADE_EINVAL;
	spin_lock(&vm->mem.lock);
	more = guest_reclaim_pending(&vm->mem);
	spin_unlock(&vm->mem.lock);
	if (more)
		return STOCKADE_EBUSY;
	*page = guest_reclaim_table(&vm->mem);
	return *page ? STOCKADE_OK : STOCKADE_ENOENT;
}

int vm_destroy(struct vm *vm)
{
	pa_t root = vm->mem.map.root;
	u64 nr_root = stockade_s2_root_pages(vm->mem.map.ia_bits);
	bool dying, left;

	/* Of a dying VM nothing can be added: what is not there now will not be there later. */
	spin_lock(&vm->lock);
	dying = vm->state == VM_DYING;
	left = vm->nr_vcpus;
	spin_unlock(&vm->lock);
	if (!dying)
		return STOCKADE_EINVAL;
	spin_lock(&vm->mem.lock);
	left = left || guest_reclaim_pending(&vm->mem) || vm->mem.pool.free;
	spin_unlock(&vm->mem.lock);

	spin_lock(&table_lock);
	if (left || vm->users != 1) {
		spin_unlock(&table_lock);
		return STOCKADE_EBUSY;
	}
	table[vm->index] = NULL;
	nr_vms--;
	spin_unlock(&table_lock);

	give_back(root, nr_root);
	give_back(hyp_pa(vm), 1);
	return STOCKADE_OK;
}
