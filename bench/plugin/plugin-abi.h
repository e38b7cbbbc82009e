/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What count.c uses of QEMU's interface for TCG plugins (QEMU documentation, "QEMU TCG Plugins"; its
 * versions 3 and 4). Distributions' QEMU comes without the header.
 */
#ifndef BENCH_PLUGIN_ABI_H
#define BENCH_PLUGIN_ABI_H

#include <stddef.h>
#include <stdint.h>

#define PLUGIN_EXPORT  __attribute__((visibility("default")))
#define PLUGIN_ABI     3
#define PLUGIN_NO_REGS 0
#define PLUGIN_MEM_ALL 3 /* loads and stores */

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

typedef void plugin_tb_cb(plugin_id id, struct qemu_plugin_tb *tb);
typedef void plugin_exec_cb(unsigned int cpu, void *data);
typedef void plugin_mem_cb(unsigned int cpu, uint32_t what, uint64_t address, void *data);
typedef void plugin_exit_cb(plugin_id id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, plugin_tb_cb *cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, plugin_exec_cb *cb, int flags,
					  void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, plugin_exec_cb *cb,
					    int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn, plugin_mem_cb *cb, int flags,
				      int kinds, void *data);
void qemu_plugin_register_atexit_cb(plugin_id id, plugin_exit_cb *cb, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

#endif
