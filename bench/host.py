# SPDX-License-Identifier: GPL-2.0-only
"""Boots a host that measures (init, main.c)."""
import os
import re
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("BUILD", f"{TOP}/build")
HOST = "7.x"  # upstream's protected VMs are in no older one
KERNEL = f"{BUILD}/kernel/{HOST}"
TIME_LIMIT = 1800  # seconds of one boot; on an idle machine it takes a tenth
LOGS = f"{BUILD}/log/bench"

CPUS = {
    "max": "max,lpa2=off,pauth-impdef=on",
    "cortex-a76": "cortex-a76,cntfrq=1000000000",
}
# What the kernel is booted with, what init is told, and what the kernel must say.
SIDES = {
    "upstream": ("kvm-arm.mode=protected", "PROTECTED=1", r"Protected (hVHE|nVHE) mode"),
    "plain": ("kvm-arm.mode=nvhe", "", r"Hyp nVHE mode"),
    "stockade": ("kvm-arm.mode=none id_aa64mmfr1.vh=0", "PROTECTED=1 LAUNCH=1", None),
    "none": ("kvm-arm.mode=none id_aa64mmfr1.vh=0", "", None),
}
# CPUs of the host by group of rows.
GROUPS = {"exits": 1, "timer": 1, "memory": 1, "share": 1, "create": 1, "bytes": 1, "host": 1,
          "boot": 1, "ipi": 2}
# The same, of bench/grow.
GROW = {"grow_memory": 1, "grow_vms": 1, "grow_split": 1, "grow_vcpus": 4}


def fail(what):
    sys.exit(f"bench: {what}")


def say(what):
    print(f"[bench] {what}", file=sys.stderr, flush=True)


def chosen(variable, known, default=None):
    names = os.environ.get(variable, "").replace(",", " ").split() or list(default or known)
    for name in names:
        if name not in known:
            fail(f"{variable}: no {name}; known are {', '.join(known)}")
    return names


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def versions():
    """Exactly what was measured with what."""
    banner = re.search(rb"Linux version [ -~]*", open(f"{KERNEL}/Image", "rb").read())
    return {
        "host kernel": banner.group().decode() if banner else "?",
        "QEMU": output(f"{TOP}/tools/qemu-system-aarch64", "--version").split("\n")[0],
        "hypervisor's compiler": output(os.environ.get("CROSS_COMPILE", "aarch64-linux-gnu-") + "gcc",
                                        "--version").split("\n")[0],
        "module's compiler": open(f"{KERNEL}/compiler").read().strip(),
        "Stockade": output("git", "-C", TOP, "describe", "--always", "--dirty", "--abbrev=12"),
    }


def make_initrd(path):
    subprocess.run([f"{TOP}/tools/initramfs.sh", "-o", path, "-i", f"{TOP}/bench/init",
                    f"{BUILD}/bench/bench:/bin/", f"{BUILD}/module/{HOST}/stockade.ko:/",
                    f"{BUILD}/vmm/stockade-test:/bin/", f"{BUILD}/bench/guest.cpio:/guest/initrd",
                    f"{KERNEL}/Image:/guest/Image"], check=True, env={**os.environ, "HOST": HOST})


def boot(work, cpu, side, groups, smp, words="", qemu=(), mem="2G", counted=True):
    """
    One boot: what it said, the rows of that, and whether it went as it has to. counted: time is instructions;
    else it is time, and each CPU has a thread.
    """
    mode, told, must_say = SIDES[side]
    out = f"{LOGS}/{cpu}-{side}-{smp}.out"
    open(out, "w").close()
    start = time.monotonic()
    subprocess.run([f"{TOP}/tools/qemu.sh", *(["-d"] if counted else []), "-i", f"{work}/initrd",
                    "-c", CPUS[cpu], "-s", str(smp), "-m", mem, "-t", str(TIME_LIMIT), "-2", out, "-A",
                    f"console=ttyAMA0 {mode} nokaslr panic=-1 quiet {told} {words} "
                    f"ROWS={','.join(groups)}", "--", *qemu],
                   stdout=open(out.replace(".out", ".console"), "w"), stderr=subprocess.STDOUT,
                   env={**os.environ, "HOST": HOST}, check=False)
    text = open(out, errors="replace").read().replace("\r", "")
    if must_say and not re.search(must_say + " initialized successfully", text):
        say(f"{cpu}, {side}: the kernel did not say '{must_say}', see {out}")
        return text, {}, False
    rows, notes = {}, []
    for line in text.splitlines():
        found = re.fullmatch(r"(\w+) (-?[0-9.]+)( derived)?", line)
        if found:
            rows[found[1]] = float(found[2])
        else:
            notes.append(line)
    complaints = [line for line in notes if line.startswith("bench: ")]
    if "# end" not in notes:
        complaints.append("the boot did not end")
    for line in complaints:
        say(f"{cpu}, {side}: {line}; see {out}")
    reserved = re.search(r"Reserved (\d+) MiB", text)
    if reserved:
        rows["launch_pages"] = int(reserved[1]) * 256
    syms = dict(re.findall(r"^# (__hyp_\w+) ([0-9a-f]+)$", text, re.M))
    if side == "upstream":
        rows["el2_text"] = sum(int(syms[f"__hyp_{s}text_end"], 16) - int(syms[f"__hyp_{s}text_start"], 16)
                               for s in ("", "idmap_"))
    say(f"{cpu}, {side}, {smp} CPU{'s' * (smp > 1)}: {len(rows)} rows, {time.monotonic() - start:.0f} s")
    return text, rows, not complaints
