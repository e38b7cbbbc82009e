/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All locks there are, and their order: the one place that has it. Each class of locks is a type of its own, so
 * that what is checked (lib/lock_check.h while compiling, tests/fake/lock.c while running) follows from here.
 *
 *   vm          a VM's: its state, its vCPUs and their power
 *     guest_mem   a VM's memory: its stage 2 and pool
 *     ffa         the FF-A proxy                            (alone, but for mem)
 *       mem         page array, the host's stage 2, EL2's stage 1, the hypervisor's pool
 *         log         the ring
 *   table       which VMs there are, and references to them   (alone)
 *   psci        power of the host's CPUs                      (alone)
 *   smc         which denied SMCs were logged                 (alone)
 *
 * Who holds one may take those further in; under one that is taken alone, only the log's. Two of one class are
 * never held at once.
 *
 * For arch/lock.h, which has struct spinlock and what takes it and gives it back.
 */
#ifndef HYP_LIB_LOCK_ORDER_H
#define HYP_LIB_LOCK_ORDER_H

#include "arch/lock.h"
#include "lib/lock_check.h"

#define LOCK_CLASSES(_) _(vm) _(guest_mem) _(ffa) _(mem) _(log) _(table) _(psci) _(smc)

/* What may not be held when one of the class is taken. */
#define NOT_UNDER_log(_)       _(log)
#define NOT_UNDER_mem(_)       _(mem), _(table), _(psci), _(smc), NOT_UNDER_log(_)
#define NOT_UNDER_guest_mem(_) _(guest_mem), _(ffa), NOT_UNDER_mem(_)
#define NOT_UNDER_vm(_)	       _(vm), NOT_UNDER_guest_mem(_)
#define NOT_UNDER_ffa(_)       NOT_UNDER_vm(_)
#define NOT_UNDER_table(_)     NOT_UNDER_vm(_)
#define NOT_UNDER_psci(_)      NOT_UNDER_vm(_)
#define NOT_UNDER_smc(_)       NOT_UNDER_vm(_)

#define LOCK_ID(class) LOCK_##class

enum lock_class {
#define LOCK_ENUM(class) LOCK_ID(class),
	LOCK_CLASSES(LOCK_ENUM)
#undef LOCK_ENUM
		NR_LOCK_CLASSES
};

/*
 * "A lock of this class is held", for Clang: in C it can't name one field of a struct in an attribute of
 * another (clang 14). No such variable exists.
 */
struct CAPABILITY lock_token {
	char none;
};

#define LOCK_DECLARE_TOKEN(class) extern struct lock_token LOCK_TOKEN(class);
LOCK_CLASSES(LOCK_DECLARE_TOKEN)
#undef LOCK_DECLARE_TOKEN

/*
 * The class's type of lock, and how one is taken and given back. Not looked into: it is here that what the checks
 * call a lock is made of what the arch has. name: how the code calls the lock. If there are many of the class, it
 * is known too which one is held.
 */
#define LOCK_CLASS(class, ...)                                                              \
	struct CAPABILITY class##_lock                                                      \
	{                                                                                   \
		struct spinlock spin;                                                       \
	};                                                                                  \
	static inline void take_##class##_lock(struct class##_lock *lock, const char *name) \
		ACQUIRES(LOCK_TOKEN(class), ##__VA_ARGS__) TAKES(class) NO_LOCK_CHECK       \
	{                                                                                   \
		arch_spin_lock(&lock->spin, LOCK_ID(class), name);                          \
	}                                                                                   \
	static inline void give_##class##_lock(struct class##_lock *lock, const char *name) \
		RELEASES(LOCK_TOKEN(class), ##__VA_ARGS__) NO_LOCK_CHECK                    \
	{                                                                                   \
		arch_spin_unlock(&lock->spin, LOCK_ID(class), name);                        \
	}

LOCK_CLASS(vm, lock)
LOCK_CLASS(guest_mem, lock)
LOCK_CLASS(ffa)
LOCK_CLASS(mem)
LOCK_CLASS(log)
LOCK_CLASS(table)
LOCK_CLASS(psci)
LOCK_CLASS(smc)

/* Take a lock, waiting for it; give it back. NULL: no lock at all, and no function to call. */
#define LOCK_TAKE(class)  struct class##_lock * : take_##class##_lock,
#define LOCK_GIVE(class)  struct class##_lock * : give_##class##_lock,
#define spin_lock(lock)	  _Generic((lock), LOCK_CLASSES(LOCK_TAKE) default : NULL)(lock, #lock)
#define spin_unlock(lock) _Generic((lock), LOCK_CLASSES(LOCK_GIVE) default : NULL)(lock, #lock)

#endif
