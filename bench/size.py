# SPDX-License-Identifier: GPL-2.0-only
"""How much code runs at EL2: bytes of text, and lines that are neither blank nor comment."""
import os
import re
import subprocess

CROSS = os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-")


def code_lines(path):
    with open(path, errors="replace") as f:
        text = f.read()
    # Strings first, so that what looks like a comment in one is none.
    text = re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*',
                  lambda m: m[0] if m[0][0] == '"' else "\n" * m[0].count("\n"), text, flags=re.S)
    return sum(bool(line.strip()) for line in text.splitlines())


def stockade(top, build):
    """(bytes, lines of .c and .S, lines of .h); without the pages that text is rounded up to."""
    files = [os.path.join(d, n) for room in ("arch", "mem", "vm", "host", "lib")
             for d, _, names in os.walk(f"{top}/hyp/{room}") for n in names]
    text = 0
    for name in files:
        obj = f"{build}/hyp/" + os.path.relpath(name, f"{top}/hyp")
        obj = obj[:-2] + ".o" if name.endswith(".c") else obj + ".o"
        if os.path.exists(obj) and not name.endswith("asm-offsets.c"):
            sections = subprocess.run([CROSS + "size", "-A", obj], stdout=subprocess.PIPE, text=True,
                                      check=True).stdout
            text += sum(int(size) for size in
                        re.findall(r"^\.(?:text\S*|launch)\s+(\d+)", sections, re.M))
    lines = [sum(code_lines(f) for f in files if f.endswith(e) and not f.endswith("asm-offsets.c"))
             for e in ((".c", ".S"), ".h")]
    return text, lines[0], lines[1]


def upstream_lines(source, config):
    """(lines of .c and .S, of .h) of what nvhe/Makefile links with this configuration."""
    nvhe = f"{source}/arch/arm64/kvm/hyp/nvhe"
    with open(f"{nvhe}/Makefile") as f:
        makefile = f.read().replace("\\\n", " ")
    with open(config) as f:
        on = set(re.findall(r"^(CONFIG_\w+)=[ym]$", f.read(), re.M))
    objs = []
    for cond, names in re.findall(r"^hyp-obj-(\S+)\s*\+?:?=\s*(.*)$", makefile, re.M):
        if cond == "y" or cond[2:-1] in on:
            objs += [n for n in names.split() if n.endswith(".o")]
    lib = re.search(r"^lib-objs\s*:=\s*(.*\.o)$", makefile, re.M)
    objs += ["../../../lib/" + n for n in lib[1].split()]
    lines = 0
    for obj in objs:
        for ext in (".c", ".S"):
            path = os.path.normpath(f"{nvhe}/{obj[:-2]}{ext}")
            if os.path.exists(path):
                lines += code_lines(path)
                break
        else:
            raise FileNotFoundError(obj)
    headers = [os.path.join(d, n) for d, _, names in os.walk(f"{source}/arch/arm64/kvm/hyp/include")
               for n in names if n.endswith(".h")]
    return lines, sum(code_lines(h) for h in headers)
