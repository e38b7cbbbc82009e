// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs: their ioctls, and the run loop.
 *
 * A thread in KVM_RUN has its vCPU bound to the CPU it runs on: preempt notifiers unbind and bind
 * it as the thread is scheduled out and in, so all of the loop may sleep and be preempted.
 *
 * How a kick is not lost: whoever wants something of a vCPU writes it down first (vGIC state, dead,
 * cpu_on), then kicks. The vCPU's thread looks at all that with interrupts masked, just before it
 * enters the guest. If it has not looked yet, it will see. If it has, it is current on its CPU and
 * kick_process's interrupt is pending there, which the guest does not mask: EL2 exits at once. If
 * it sleeps, it is woken. Signals and rescheduling work the same way.
 */
#include "kvm.h"

#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vtime.h>

#include "compat.h"
#include "hostcall.h"
#include "timer.h"
#include "vgic.h"

struct stockade_vcpu *stockade_vcpu_get(struct stockade_vm *vm, unsigned int index)
{
	if (index >= STOCKADE_MAX_VCPUS)
		return NULL;
	return smp_load_acquire(&vm->vcpus[array_index_nospec(index, STOCKADE_MAX_VCPUS)]);
}

void stockade_vcpu_kick(struct stockade_vcpu *vcpu)
{
	struct task_struct *task;

	/* Orders what was written down against our look at who sleeps and who runs. */
	smp_mb();
	/* Who has just woken may have looked already, and seem to sleep still: so both. */
	if (rcuwait_active(&vcpu->wait))
		rcuwait_wake_up(&vcpu->wait);
	rcu_read_lock();
	task = READ_ONCE(vcpu->task);
	if (task)
		kick_process(task);
	rcu_read_unlock();
}

/* Binding to a CPU. Preemption off. */

static void bind(struct stockade_vcpu *vcpu)
{
	/* Refused: enter() will say so. */
	vcpu->bound = !stockade_hc_vcpu_load(vcpu->vm->handle, vcpu->index);
}

static void unbind(struct stockade_vcpu *vcpu)
{
	if (vcpu->bound)
		stockade_hc_vcpu_put();
	vcpu->bound = false;
}

static void sched_in(struct preempt_notifier *notifier, int cpu)
{
	bind(container_of(notifier, struct stockade_vcpu, notifier));
}

static void sched_out(struct preempt_notifier *notifier, struct task_struct *next)
{
	unbind(container_of(notifier, struct stockade_vcpu, notifier));
}

static struct preempt_ops preempt_ops = {
	.sched_in = sched_in,
	.sched_out = sched_out,
};

static void load(struct stockade_vcpu *vcpu)
{
	preempt_disable();
	WRITE_ONCE(vcpu->task, current);
	preempt_notifier_register(&vcpu->notifier);
	bind(vcpu);
	preempt_enable();
}

static void put(struct stockade_vcpu *vcpu)
{
	preempt_disable();
	unbind(vcpu);
	preempt_notifier_unregister(&vcpu->notifier);
	WRITE_ONCE(vcpu->task, NULL);
	preempt_enable();
}

/* Into the guest and out */

static void cpu_on(struct stockade_vcpu *vcpu, u64 index)
{
	struct stockade_vcpu *target = NULL;

	if (index < STOCKADE_MAX_VCPUS)
		target = stockade_vcpu_get(vcpu->vm, index);
	if (!target)
		return;
	atomic_inc(&target->cpu_on);
	stockade_vcpu_kick(target);
}

/* Exits that need neither sleep nor interrupts; true: done, back to the guest. */
static bool handle_fast(struct stockade_vcpu *vcpu, u64 exit)
{
	switch (exit) {
	case STOCKADE_EXIT_ABORT:
		return stockade_abort_fast(vcpu);
	case STOCKADE_EXIT_SGI:
		vgic_sgi(vcpu, vcpu->run->arg[0]);
		return true;
	case STOCKADE_EXIT_CPU_ON:
		cpu_on(vcpu, vcpu->run->arg[0]);
		return true;
	case STOCKADE_EXIT_WFI:
		return stockade_wfi_done(vcpu);
	default:
		return false;
	}
}

/* Interrupts masked, FP state saved. An errno, or 0 and the exit, which may be EXIT_NONE. */
static int enter_masked(struct stockade_vcpu *vcpu, u64 *exit)
{
	int err;

	do {
		*exit = STOCKADE_EXIT_NONE;
		/* Kicks: see the top of this file. */
		if (stockade_has_work() || READ_ONCE(vcpu->vm->dead))
			return 0;
		if (!vcpu->bound)
			return -EIO;
		vgic_flush(vcpu);
		stockade_timer_flush(vcpu);
		err = stockade_hc_vcpu_run(exit);
		/* Then the guest has not run, and all is as it was. */
		if (err)
			return -EIO;
		stockade_timer_exited(vcpu);
		vgic_sync(vcpu);
		stockade_timer_sync(vcpu);
	} while (handle_fast(vcpu, *exit));
	return 0;
}

static int enter(struct stockade_vcpu *vcpu, u64 *exit)
{
	int err;

	/*
	 * The task's FP, SVE and SME state goes to memory, so that EL2 need not care for it. Only
	 * with interrupts unmasked can it go there.
	 */
	stockade_fp_begin(&vcpu->fp);
	local_irq_disable();
	vtime_account_guest_enter();
	err = enter_masked(vcpu, exit);
	/* The tick that ended the guest's run, if it was that, is the guest's time. */
	local_irq_enable();
	isb();
	local_irq_disable();
	vtime_account_guest_exit();
	local_irq_enable();
	stockade_fp_end(&vcpu->fp);
	return err;
}

/* Exits */

static int wait_wfi(struct stockade_vcpu *vcpu)
{
	stockade_wfi_start(vcpu, vcpu->run->timer_deadline);
	/* A signal is dealt with by the loop. */
	rcuwait_wait_event(&vcpu->wait, stockade_wfi_done(vcpu) || READ_ONCE(vcpu->vm->dead),
			   TASK_INTERRUPTIBLE);
	stockade_wfi_end(vcpu);
	return 1;
}

/* seen: cpu_on as it was before EL2 said that this vCPU is off; so no CPU_ON since is missed. */
static int wait_cpu_on(struct stockade_vcpu *vcpu, int seen)
{
	rcuwait_wait_event(&vcpu->wait,
			   atomic_read(&vcpu->cpu_on) != seen || READ_ONCE(vcpu->vm->dead),
			   TASK_INTERRUPTIBLE);
	return 1;
}

static void end_vm(struct stockade_vm *vm, bool by_guest)
{
	struct stockade_vcpu *vcpu;
	unsigned int i;

	if (by_guest)
		WRITE_ONCE(vm->ended, true);
	smp_store_release(&vm->dead, true);
	for (i = 0; i < STOCKADE_MAX_VCPUS; i++) {
		vcpu = stockade_vcpu_get(vm, i);
		if (vcpu)
			stockade_vcpu_kick(vcpu);
	}
}

static int system_event(struct stockade_vcpu *vcpu, u32 type)
{
	struct kvm_run *user = vcpu->kvm_run;

	end_vm(vcpu->vm, true);
	vcpu->told_end = true;
	memset(&user->system_event, 0, sizeof(user->system_event));
	user->system_event.type = type;
	user->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	return 0;
}

static int interrupted(struct stockade_vcpu *vcpu)
{
	vcpu->kvm_run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

/*
 * The VM has ended. A VMM that hears of it from one vCPU expects the others to be quiet until it
 * stops them, as KVM does it, not to fail: so they sleep until a signal comes.
 */
static int wait_end(struct stockade_vcpu *vcpu)
{
	struct stockade_vm *vm = vcpu->vm;
	unsigned int ticks = 0;

	vcpu->told_end = true;
	/* EL2 may have told us that the VM is dead before the thread that ended it can say so. */
	while (!READ_ONCE(vm->ended) && !signal_pending(current) && ticks++ < HZ / 10)
		schedule_timeout_interruptible(1);
	if (!READ_ONCE(vm->ended))
		return -EPERM;
	rcuwait_wait_event(&vcpu->wait, !READ_ONCE(vm->ended), TASK_INTERRUPTIBLE);
	return interrupted(vcpu);
}

static int handle_exit(struct stockade_vcpu *vcpu, u64 exit, int seen)
{
	switch (exit) {
	case STOCKADE_EXIT_NONE:
	case STOCKADE_EXIT_IRQ:
		return 1;
	case STOCKADE_EXIT_WFI:
		return wait_wfi(vcpu);
	case STOCKADE_EXIT_ABORT:
		return stockade_abort(vcpu);
	case STOCKADE_EXIT_POISON:
		return -EFAULT;
	case STOCKADE_EXIT_RELINQUISH:
		stockade_guest_page_relinquished(vcpu->vm, vcpu->run->arg[0] >> PAGE_SHIFT);
		return 1;
	case STOCKADE_EXIT_TOPUP:
		return stockade_vm_give(vcpu->vm->handle, vcpu->run->arg[0]) ?: 1;
	case STOCKADE_EXIT_CPU_OFF:
		return wait_cpu_on(vcpu, seen);
	case STOCKADE_EXIT_SYSTEM_OFF:
		return system_event(vcpu, KVM_SYSTEM_EVENT_SHUTDOWN);
	case STOCKADE_EXIT_SYSTEM_RESET:
		return system_event(vcpu, KVM_SYSTEM_EVENT_RESET);
	case STOCKADE_EXIT_DEAD:
		end_vm(vcpu->vm, false);
		return 1;
	default:
		return -EIO;
	}
}

static int run_loop(struct stockade_vcpu *vcpu)
{
	u64 exit;
	int seen, ret;

	do {
		/* This thread is in no trampoline of the kernel's, however long the guest computes and nothing else. */
		cond_resched_tasks_rcu_qs();
		if (smp_load_acquire(&vcpu->vm->dead))
			return wait_end(vcpu);
		ret = stockade_do_work();
		if (ret)
			break;
		seen = atomic_read(&vcpu->cpu_on);
		ret = enter(vcpu, &exit);
		if (!ret)
			ret = handle_exit(vcpu, exit, seen);
	} while (ret > 0);
	return ret == -EINTR ? interrupted(vcpu) : ret;
}

static int run_bound(struct stockade_vcpu *vcpu)
{
	int ret;

	load(vcpu);
	ret = run_loop(vcpu);
	put(vcpu);
	return ret;
}

static int first_run(struct stockade_vm *vm)
{
	int err;

	if (smp_load_acquire(&vm->created))
		return 0;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	err = stockade_vm_create_el2(vm);
	mutex_unlock(&vm->lock);
	return err;
}

static int vcpu_run(struct stockade_vcpu *vcpu)
{
	struct kvm_run *user = vcpu->kvm_run;
	struct stockade_vm *vm = vcpu->vm;
	int ret;

	if (!READ_ONCE(vcpu->initialised))
		return -ENOEXEC;
	if (vcpu->told_end)
		return -EPERM;
	ret = READ_ONCE(vm->dead) ? 0 : first_run(vm);
	if (ret)
		return ret;
	user->exit_reason = KVM_EXIT_UNKNOWN;
	user->flags = 0;
	stockade_mmio_complete(vcpu);
	if (stockade_immediate_exit(user))
		return interrupted(vcpu);

	/* real_blocked: a signal that is blocked but for here is not to be dropped as ignored. */
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);
	ret = READ_ONCE(vm->dead) ? wait_end(vcpu) : run_bound(vcpu);
	if (vcpu->sigset_active) {
		sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
		sigemptyset(&current->real_blocked);
	}
	return ret;
}

/* ioctls */

static int set_signal_mask(struct stockade_vcpu *vcpu, struct kvm_signal_mask __user *user)
{
	sigset_t set;
	u32 len;

	if (!user) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (get_user(len, &user->len))
		return -EFAULT;
	if (len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, user->sigset, sizeof(set)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = set;
	vcpu->sigset_active = true;
	return 0;
}

/* Ioctls that show or set more of a vCPU than a pVM's host may: none is offered, sealed or not. */
static int refuse(struct stockade_vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->created) ? -EPERM : -EINVAL;
}

static int get_mp_state(struct stockade_vcpu *vcpu, struct kvm_mp_state __user *user)
{
	struct kvm_mp_state state;
	int err;

	mutex_lock(&vcpu->vm->lock);
	err = stockade_regs_check(vcpu);
	state.mp_state = vcpu->start_off ? KVM_MP_STATE_STOPPED : KVM_MP_STATE_RUNNABLE;
	mutex_unlock(&vcpu->vm->lock);
	if (err)
		return err;
	return copy_to_user(user, &state, sizeof(state)) ? -EFAULT : 0;
}

static long vcpu_ioctl_locked(struct stockade_vcpu *vcpu, unsigned int ioctl, unsigned long arg)
{
	void __user *user = (void __user *)arg;
	struct kvm_vcpu_init init;
	struct kvm_one_reg reg;

	switch (ioctl) {
	case KVM_RUN:
		return arg ? -EINVAL : vcpu_run(vcpu);
	case KVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, user);
	case KVM_ARM_VCPU_INIT:
		if (copy_from_user(&init, user, sizeof(init)))
			return -EFAULT;
		return stockade_regs_init(vcpu, &init);
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		if (copy_from_user(&reg, user, sizeof(reg)))
			return -EFAULT;
		return stockade_regs_access(vcpu, &reg, ioctl == KVM_SET_ONE_REG);
	case KVM_GET_REG_LIST:
		return stockade_regs_list(vcpu, user);
	case KVM_GET_MP_STATE:
		return get_mp_state(vcpu, user);
	case KVM_SET_MP_STATE:
	case KVM_SET_GUEST_DEBUG:
	case KVM_GET_VCPU_EVENTS:
	case KVM_SET_VCPU_EVENTS:
	case KVM_ARM_VCPU_FINALIZE:
		return refuse(vcpu);
	default:
		return -ENOTTY;
	}
}

static long vcpu_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	struct stockade_vcpu *vcpu = file->private_data;
	long ret;

	if (vcpu->vm->mm != current->mm)
		return -EIO;
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	ret = vcpu_ioctl_locked(vcpu, ioctl, arg);
	mutex_unlock(&vcpu->lock);
	return ret;
}

static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct stockade_vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page(vcpu->kvm_run);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_fd_release(struct inode *inode, struct file *file)
{
	struct stockade_vcpu *vcpu = file->private_data;
	struct stockade_vm *vm = vcpu->vm;

	/* One of the VM's stays until the VM dies. */
	if (!vcpu->added)
		stockade_vcpu_free(vcpu);
	stockade_vm_put(vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_fd_release,
	.llseek = noop_llseek,
};

/* Birth and death */

static struct stockade_vcpu *alloc_vcpu(struct stockade_vm *vm, unsigned int index)
{
	struct stockade_vcpu *vcpu;

	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->index = index;
	mutex_init(&vcpu->lock);
	rcuwait_init(&vcpu->wait);
	preempt_notifier_init(&vcpu->notifier, &preempt_ops);
	stockade_timer_vcpu_init(vcpu);
	vcpu->kvm_run = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	vcpu->vcpu_page = alloc_page(GFP_KERNEL_ACCOUNT);
	/* Of a power of two, so aligned to it. What else is on that page EL2 does not touch. */
	vcpu->run = kzalloc(STOCKADE_RUN_SIZE, GFP_KERNEL_ACCOUNT);
	if (!vcpu->kvm_run || !vcpu->vcpu_page || !vcpu->run) {
		stockade_vcpu_free(vcpu);
		return NULL;
	}
	return vcpu;
}

void stockade_vcpu_free(struct stockade_vcpu *vcpu)
{
	vgic_vcpu_destroy(vcpu);
	/* Else EL2 goes on using them, after an error that cannot be: vm.c has told of it. */
	if (!vcpu->at_el2) {
		kfree(vcpu->run);
		if (vcpu->vcpu_page)
			__free_page(vcpu->vcpu_page);
	}
	/* It may be mapped still: the mapping has its own reference. */
	free_page((unsigned long)vcpu->kvm_run);
	kfree(vcpu);
}

/* With vm->lock: the vCPU becomes one of the VM's. */
static int add_vcpu(struct stockade_vm *vm, struct stockade_vcpu *vcpu)
{
	int err;

	if (vm->created)
		return -EBUSY;
	if (vm->vcpus[vcpu->index])
		return -EEXIST;
	err = vgic_vcpu_create(vcpu);
	if (err)
		return err;
	vcpu->added = true;
	vm->nr_vcpus++;
	smp_store_release(&vm->vcpus[vcpu->index], vcpu);
	return 0;
}

int stockade_vcpu_create(struct stockade_vm *vm, unsigned long id)
{
	struct stockade_vcpu *vcpu;
	struct file *file;
	int fd, err;

	if (id >= STOCKADE_MAX_VCPUS)
		return -EINVAL;
	vcpu = alloc_vcpu(vm, id);
	if (!vcpu)
		return -ENOMEM;
	/* Once others can find the vCPU there is no way back, so all that can fail comes before. */
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		stockade_vcpu_free(vcpu);
		return fd;
	}
	file = anon_inode_getfile("kvm-vcpu", &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		stockade_vcpu_free(vcpu);
		return PTR_ERR(file);
	}
	kref_get(&vm->ref);

	mutex_lock(&vm->lock);
	err = add_vcpu(vm, vcpu);
	mutex_unlock(&vm->lock);
	if (err) {
		/* Its release frees the vCPU. */
		fput(file);
		put_unused_fd(fd);
		return err;
	}
	fd_install(fd, file);
	return fd;
}
