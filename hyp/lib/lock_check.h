/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who needs which lock, in words that Clang checks (-Wthread-safety, `make check`): for each path through each
 * function it knows the locks that are held. It looks at one function at a time and believes what the others
 * say of themselves, so what a function needs is said where it is declared. GCC, which builds the image, sees
 * nothing of it.
 *
 * Names are those of the classes in lib/lock_order.h.
 */
#ifndef HYP_LIB_LOCK_CHECK_H
#define HYP_LIB_LOCK_CHECK_H

#ifdef __clang__
#define LOCK_ATTRIBUTE(...) __attribute__((__VA_ARGS__))
#else
#define LOCK_ATTRIBUTE(...)
#endif

#define LOCK_TOKEN(class) lock_class_##class

/* This type is something that can be held. */
#define CAPABILITY LOCK_ATTRIBUTE(capability("lock"))

/* A variable or a field, all of it: only to be read or written with a lock of that class. */
#define GUARDED_BY(class) LOCK_ATTRIBUTE(guarded_by(LOCK_TOKEN(class)))

/* A function: to be called with a lock of that class, which is held afterwards too. */
#define REQUIRES(class) LOCK_ATTRIBUTE(requires_capability(LOCK_TOKEN(class)))
/* Of the locks of its class this one, named by the function's arguments. */
#define REQUIRES_LOCK(lock) LOCK_ATTRIBUTE(requires_capability(lock))

/* A function: takes a lock of that class and gives it back. To be called with none held that may not be. */
#define TAKES(class) LOCK_ATTRIBUTE(locks_excluded(NOT_UNDER_##class(LOCK_TOKEN)))

/*
 * A function: zeroes, cleans or copies a page. Only who wants the same VM, or the FF-A proxy, may have to wait for that. So
 * neither mem's lock is held, nor one under which that may not be taken.
 */
#define PAGE_WORK TAKES(mem)

/* The ways to get a lock and to be rid of it. */
#define ACQUIRES(...) LOCK_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASES(...) LOCK_ATTRIBUTE(release_capability(__VA_ARGS__))

/* A function that is not looked into. It says why. */
#define NO_LOCK_CHECK LOCK_ATTRIBUTE(no_thread_safety_analysis)

#endif
