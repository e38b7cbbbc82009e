# SPDX-License-Identifier: GPL-2.0-only
"""What plugin/count.c counts, and the names of what it finds."""
import bisect
import collections
import os
import re
import subprocess
import tempfile

import host

KERNEL_BASE = 0xffff800080000000
CROSS = os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-")


def nm(path):
    text = subprocess.run([CROSS + "nm", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    return [(int(a, 16), n) for a, n in re.findall(r"^([0-9a-f]+) [tTwW] ([^$\n].*)$", text, re.M)]


def data_symbols(path):
    """{address: name} of variables."""
    text = subprocess.run([CROSS + "nm", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    return {int(a, 16): n for a, n in re.findall(r"^([0-9a-f]+) [bBdD] ([^$\n].*)$", text, re.M)}


def row_names(text):
    """Rows are printed in the order in which they were measured."""
    return [n for n, _ in re.findall(r"^([a-z]\w+) (-?[0-9.]+)$", text[text.index("# group"):], re.M)]


def symbols_of(text):
    return [(int(a, 16), n) for a, n in re.findall(r"^symbol ([0-9a-f]+) (\S+)", text, re.M)]


def kernel_symbols():
    """The kernel tells once; without KASLR they are always the same."""
    with open(f"{host.KERNEL}/release") as f:
        path = f"{host.BUILD}/bench/symbols-{f.read().strip()}"
    if not os.path.exists(path):
        host.say("asking the kernel for its symbols")
        with tempfile.TemporaryDirectory(prefix="bench.") as work:
            host.make_initrd(f"{work}/initrd")
            subprocess.run([f"{host.TOP}/tools/qemu.sh", "-i", f"{work}/initrd", "-c", "max", "-2", f"{work}/out",
                            "-t", "600", "-A", "console=ttyAMA0 kvm-arm.mode=none nokaslr panic=-1 "
                            "SYMBOLS=kernel"], stdout=subprocess.DEVNULL, check=True,
                           env={**os.environ, "HOST": host.HOST})
            with open(f"{work}/out") as f:
                text = f.read().replace("\r", "")
        if "# end" not in text:
            host.fail("the kernel did not tell its symbols")
        with open(path, "w") as f:
            f.write(text)
    with open(path) as f:
        return symbols_of(f.read())


class Functions:
    """What lies at an address, and in which part of the system."""

    def __init__(self):
        self.by_address = []

    def add(self, part, symbols):
        self.by_address += [(a, n, part(n) if callable(part) else part) for a, n in symbols]

    def ready(self):
        self.by_address.sort()
        self.addresses = [a for a, _, _ in self.by_address]

    def find(self, address):
        i = bisect.bisect_right(self.addresses, address) - 1
        if i < 0 or address - self.addresses[i] > 1 << 20:
            return f"{address:#x}", "elsewhere"
        return self.by_address[i][1:]


def plugin(side, out, locks=False):
    """Arguments for QEMU, such that EL2 is known; locks: count them too, which is only for one CPU of Stockade's."""
    if side == "stockade":
        ends = {n: a for a, n in nm(f"{host.BUILD}/hyp/stockade-hyp.elf")}
        el2 = f"el2={ends['image_start']:#x}-{ends['text_end']:#x}"
    else:
        ends = {n: a for a, n in kernel_symbols()}
        el2 = (f"kernel={KERNEL_BASE:#x},el2={ends['__hyp_idmap_text_start']:#x}-"
               f"{ends['__hyp_text_end']:#x}")
    return ["-plugin", f"{host.BUILD}/bench/libcount.so,out={out},{el2}{',locks=on' if locks else ''}"]


def parse(path):
    """[(longest, its address, {address: instructions})] of all rows, and of the whole host."""
    rows, whole = [], None
    with open(path) as f:
        for line in f:
            words = line.split()
            if words[0] == "row":
                rows.append([0, 0, collections.Counter()])
            elif words[0] == "end":
                whole = [0, 0]
            elif words[0] == "longest":
                (whole or rows[-1])[0:2] = int(words[1]), int(words[2], 16)
            elif words[0] == "code":
                rows[-1][2][int(words[1], 16)] += int(words[2]) * int(words[3])
    return rows, whole


LOCK_FIELDS = ("times", "insns", "longest", "longest_at", "zeroed", "zeroed_most", "zeroed_at",
               "cleaned", "cleaned_most", "cleaned_at")


def parse_locks(path):
    """[{address: {field: value}}] of all rows; see plugin/locks.c."""
    rows = []
    with open(path) as f:
        for line in f:
            words = line.split()
            if words[0] == "row":
                rows.append({})
            elif words[0] == "lock":
                rows[-1][int(words[1], 16)] = dict(zip(LOCK_FIELDS, (int(w, 0) for w in words[2:])))
    return rows
