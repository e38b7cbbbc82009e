// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time as a guest has it, which the host cannot turn back; and what the host's own counters and profilers
 * learn of a guest: that it had the CPU.
 *
 * Guards vm_create()'s cntvoff (hyp/vm/vm.c), watch_stop() (hyp/arch/guest.c).
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kvmtest.h"
#include "tap.h"

#define SEED	   0x1f6d93c05a72be00ull
#define LOOP	   0x14000000 /* b . */
#define MRS_CNTVCT 0xd53be040
#define MRS_CNTPCT 0xd53be020
#define ROUNDS	   200
#define WATCH_MS   400
#define RING_PAGES 256
#define REGS	   33				 /* x0-x30, SP, PC */
#define GUEST_CPU  1				 /* of the host's, that the guest is watched on */
#define TIMER_CNT  ARM64_SYS_REG(3, 3, 14, 3, 2) /* as KVM numbers it */
#define TIMER_CTL  ARM64_SYS_REG(3, 3, 14, 3, 1)
#define TIMER_CVAL ARM64_SYS_REG(3, 3, 14, 0, 2)
/* Newer than some headers. */
#define SET_COUNTER_OFFSET _IOW(KVMIO, 0xb5, uint64_t[2])

static uint64_t host_counter(void)
{
	uint64_t v;

	asm volatile("isb; mrs %0, cntvct_el0; isb" : "=r"(v));
	return v;
}

static void try_offset(struct kt_vm *vm, int reg_errno)
{
	static const uint64_t regs[] = { TIMER_CNT, TIMER_CTL, TIMER_CVAL };
	uint64_t offset[2] = { 1ull << 40, 0 };
	struct kvm_device_attr attr = { .group = KVM_ARM_VCPU_TIMER_CTRL,
					.addr = (uintptr_t)offset };
	size_t i;

	for (i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		is_errno(kt_set_reg(&vm->vcpu[0], regs[i], 1ull << 40), reg_errno,
			 "KVM_SET_ONE_REG of timer register %zu", i);
	is_errno(ioctl(vm->fd, SET_COUNTER_OFFSET, offset) ? errno : 0, ENOTTY,
		 "KVM_ARM_SET_COUNTER_OFFSET");
	is_errno(ioctl(vm->vcpu[0].fd, KVM_SET_DEVICE_ATTR, &attr) ? errno : 0, ENOTTY,
		 "KVM_SET_DEVICE_ATTR of the timer");
}

/* The difference of the host's counter and the guest's is within what each look at them allows. */
struct difference {
	int64_t min, max;
	uint64_t last;
	unsigned int backwards;
};

static void compare(struct difference *d, struct kt_vcpu *cpu, uint32_t mrs)
{
	uint64_t before = host_counter(), after, guest;

	guest = kt_do(cpu, CMD_EXEC, mrs, 0, 0, 0);
	after = host_counter();
	d->backwards += guest < d->last;
	d->last = guest;
	if ((int64_t)(before - guest) > d->min)
		d->min = (int64_t)(before - guest);
	if ((int64_t)(after - guest) < d->max)
		d->max = (int64_t)(after - guest);
}

static void test_clock(void)
{
	struct difference v = { INT64_MIN, INT64_MAX, 0, 0 }, p = v;
	uint64_t before = host_counter(), entry;
	unsigned int i, cpus = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	struct kt_vm vm;

	kt_create(&vm, &(struct kt_config){ .nr_vcpus = 2 });
	try_offset(&vm, ENOENT);
	entry = kt_do(&vm.vcpu[0], CMD_SECONDARY, 0, 0, 0, 0);
	kt_hvc(&vm.vcpu[0], 0xc4000003, 1, entry, 0);
	for (i = 0; i < ROUNDS; i++) {
		kt_pin((int)(i % cpus));
		compare(&v, &vm.vcpu[i / 2 % 2], MRS_CNTVCT);
		compare(&p, &vm.vcpu[i / 2 % 2], MRS_CNTPCT);
		if (i == ROUNDS / 2) {
			try_offset(&vm, EPERM);
			usleep(50000);
		}
	}
	kt_pin(-1);
	is(v.backwards, 0, "the virtual counter never goes back: two vCPUs, on all CPUs");
	is(p.backwards, 0, "nor does the physical one");
	ok(v.min <= v.max, "it is the host's, less the same number at any time");
	ok(v.max >= (int64_t)before, "which is not less than when the VM was made");
	ok(p.min <= 0 && p.max >= 0, "the physical one is the host's");
	kt_close(&vm);
}

static int open_event(uint32_t type, uint64_t config, uint64_t period)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config = config,
		.disabled = 1,
		.sample_period = period,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_ADDR |
			       PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_INTR,
		.sample_regs_intr = (1ull << REGS) - 1,
	};

	return (int)syscall(SYS_perf_event_open, &attr, -1, GUEST_CPU, -1, PERF_FLAG_FD_CLOEXEC);
}

/* A guest loops on GUEST_CPU, all of its registers planted; this thread is elsewhere. */
static void start_guest(struct kt_vm *vm)
{
	struct kt_vcpu *cpu = &vm->vcpu[0];

	kt_create(vm, &(struct kt_config){ 0 });
	kt_pin(GUEST_CPU);
	kt_start(cpu, CMD_PLANT, LOOP, SEED, 0, 0);
	kt_pin(0);
	while (cpu->asked)
		usleep(1000);
	usleep(50000);
}

static void stop_guest(struct kt_vm *vm)
{
	kt_kick(&vm->vcpu[0]);
	kt_wait(&vm->vcpu[0]);
	kt_close(vm);
	kt_pin(-1);
}

static volatile bool spin_on;

static void *spin(void *unused)
{
	while (spin_on)
		;
	return unused;
}

static uint64_t count_for(int event, unsigned int ms)
{
	uint64_t count = 0;

	ioctl(event, PERF_EVENT_IOC_RESET, 0);
	ioctl(event, PERF_EVENT_IOC_ENABLE, 0);
	usleep(ms * 1000);
	ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
	if (read(event, &count, sizeof(count)) != sizeof(count))
		bail("perf event: %s", strerror(errno));
	return count;
}

static uint64_t count_host(int event, unsigned int ms)
{
	pthread_t thread;
	uint64_t count;

	spin_on = true;
	kt_pin(GUEST_CPU);
	if (pthread_create(&thread, NULL, spin, NULL))
		bail("pthread_create");
	kt_pin(0);
	usleep(20000);
	count = count_for(event, ms);
	spin_on = false;
	pthread_join(thread, NULL);
	kt_pin(-1);
	return count;
}

static void test_count(uint64_t config, const char *name)
{
	int event = open_event(PERF_TYPE_HARDWARE, config, 0);
	uint64_t host, guest;
	struct kt_vm vm;

	if (event < 0) {
		skip("the PMU does not count them", "%s of a guest", name);
		return;
	}
	host = count_host(event, WATCH_MS);
	start_guest(&vm);
	guest = count_for(event, WATCH_MS);
	stop_guest(&vm);
	close(event);
	diag("%s: %llu in a program, %llu while a guest runs", name, (unsigned long long)host,
	     (unsigned long long)guest);
	ok(host > 0 && guest < host / 2, "%s of a guest are not counted", name);
}

/* 1 / PLANT_MUL modulo 2^64, by Newton. */
static uint64_t plant_inverse(void)
{
	uint64_t x = PLANT_MUL;
	unsigned int i;

	for (i = 0; i < 5; i++)
		x *= 2 - PLANT_MUL * x;
	return x;
}

static void check_samples(const struct perf_event_mmap_page *ring, const char *name,
			  unsigned int want)
{
	const uint8_t *data = (const uint8_t *)ring + KT_PAGE;
	uint64_t head = __atomic_load_n(&ring->data_head, __ATOMIC_ACQUIRE), pos, word;
	unsigned int samples = 0, addresses = 0, values = 0;
	const uint64_t inverse = plant_inverse();

	for (pos = 0; pos + sizeof(struct perf_event_header) <= head;) {
		const struct perf_event_header *h = (const void *)(data + pos);

		samples += h->type == PERF_RECORD_SAMPLE;
		pos += h->size;
	}
	for (pos = 0; pos + 8 <= head; pos += 8) {
		memcpy(&word, data + pos, 8);
		addresses += word >= GUEST_ENTRY && word < GUEST_FREE;
		values += word * inverse - SEED < PLANT_COUNT;
	}
	ok(samples >= want, "%s: %u samples", name, samples);
	is(addresses, 0, "none has an address of the guest's");
	is(values, 0, "none has a value of its registers");
}

static void test_sample(uint32_t type, uint64_t config, uint64_t period, const char *name,
			unsigned int want)
{
	int event = open_event(type, config, period);
	struct kt_vm vm;
	void *ring;

	if (event < 0) {
		skip("there is no such event", "%s", name);
		return;
	}
	ring = mmap(NULL, (1 + RING_PAGES) * KT_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	if (ring == MAP_FAILED)
		bail("perf ring: %s", strerror(errno));
	start_guest(&vm);
	count_for(event, WATCH_MS);
	stop_guest(&vm);
	check_samples(ring, name, want);
	munmap(ring, (1 + RING_PAGES) * KT_PAGE);
	close(event);
}

int main(void)
{
	tap_begin(60);
	if (!kt_protected()) {
		skip("not a protected VM", "counters");
		return tap_end();
	}
	test_clock();
	test_count(PERF_COUNT_HW_CPU_CYCLES, "cycles");
	test_count(PERF_COUNT_HW_INSTRUCTIONS, "instructions");
	test_sample(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, 1000000, "the clock's samples",
		    10);
	test_sample(PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, 1000000, "the PMU's samples", 1);
	return tap_end();
}
