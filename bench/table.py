# SPDX-License-Identifier: GPL-2.0-only
"""The table: what was measured beside what is wanted, and beside what the architecture costs."""
import statistics

TOUCHED_PAGES = (64 << 20) // 4096


def floor_values(floor):
    """By row; floor: what floor/ has measured. None if it was not."""
    if not floor:
        return {}
    call, leave = floor["floor_call"], floor["floor_exit"]
    touch = leave + floor["floor_donate"]
    # Without FEAT_S2FWB the data are cleaned too, when they go and when they come.
    clean = 0 if floor.get("fwb") else floor["floor_clean"]
    back = floor["floor_take_back"] + clean
    return {
        "meminfo": call, "vgic_load": leave,
        "mmio_load": leave + floor["floor_user"], "mmio_store": leave + floor["floor_user"],
        "ipi": call + leave, "timer_run": leave, "timer_wfi": leave / 2,
        "touch_4k": touch + clean, "touch_huge": touch / 512 + clean,
        "share_4k": call + floor["floor_share"], "unshare_4k": call + floor["floor_unshare"],
        "destroy_4k": back,
        "life_4k": TOUCHED_PAGES * (touch + clean + back),
        "life_huge": TOUCHED_PAGES * (touch / 512 + clean + back),
    }


# Row, what it is, goal, against whom.
ROWS = [
    ("meminfo", "guest call answered at EL2 (HYP_MEMINFO)", 0.5, "upstream"),
    ("vgic_load", "exit to the host's kernel and back (load of GICD_TYPER)", 0.5, "upstream"),
    ("psci_version", "PSCI_VERSION (upstream: the host's kernel answers; Stockade: EL2)", None, "upstream"),
    ("mmio_load", "MMIO load, to user space and back", 0.7, "upstream"),
    ("mmio_store", "MMIO store, to user space and back", 0.7, "upstream"),
    ("ipi", "virtual IPI, sender to handler", 0.6, "upstream"),
    ("ipi_send", "... of that, until the sender goes on", None, "upstream"),
    ("timer_run", "timer interrupt of a running guest", 0.7, "upstream"),
    ("timer_wfi", "timer interrupt, WFI wake-up", 0.7, "upstream"),
    ("touch_4k", "first touch, per 4 KiB, 4 KiB host pages", 0.5, "upstream"),
    ("touch_huge", "first touch, per 4 KiB, huge host pages", 0.02, "upstream"),
    ("share_4k", "MEM_SHARE, per page", 0.2, "upstream"),
    ("unshare_4k", "MEM_UNSHARE, per page", 0.2, "upstream"),
    ("share_huge", "MEM_SHARE, of memory in huge pages", 0.2, "upstream"),
    ("unshare_huge", "MEM_UNSHARE, of memory in huge pages", 0.2, "upstream"),
    ("life_4k", "create, touch 64 MiB, destroy; 4 KiB host pages", 0.5, "upstream"),
    ("life_huge", "create, touch 64 MiB, destroy; huge host pages", 0.1, "upstream"),
    ("destroy_4k", "destroy, per touched 4 KiB, 4 KiB host pages", 0.2, "upstream"),
    ("life_wait_4k", "... waited meanwhile, not in it; 4 KiB host pages", None, "upstream"),
    ("life_wait_huge", "... the same; huge host pages", None, "upstream"),
    ("destroy_huge", "destroy, per touched 4 KiB, huge host pages", None, "upstream"),
    ("create_close", "create and close of a VM never run", 1.0, "plain"),
    ("guest_boot", "stock Debian guest, start to init and power off", 1.0, "plain"),
    ("host_getpid", "host alone: getpid", 1.01, "none"),
    ("host_fork_exit", "host alone: fork, exit, wait", 1.01, "none"),
    ("host_mmap_touch_munmap", "host alone: mmap, touch, munmap, per page", 1.01, "none"),
    ("host_pipe_ping_pong", "host alone: pipe ping-pong", 1.01, "none"),
    ("host_read_1m", "host alone: read 1 MiB of the page cache", 1.01, "none"),
    ("launch_gib", "bytes held at launch, per GiB of RAM", 0.3, "upstream"),
    ("vm_bytes", "bytes of the host that a VM of one vCPU takes", 0.3, "upstream"),
    ("vcpu_bytes", "bytes of the host that one more vCPU takes", 0.3, "upstream"),
    ("el2_text", "bytes of text at EL2", 0.5, "upstream"),
    ("el2_lines", "lines of code at EL2 (.c and .S)", 0.5, "upstream"),
    ("stretch", "longest stretch of instructions at EL2", 20000, None),
]
SIDES = ("none", "plain", "upstream", "stockade")


def number(value):
    if value is None:
        return ""
    digits = 1 if value < 1000 else 0
    return f"{value:,.{digits}f}"


def judge(value, goal, base):
    """(ratio, goal, verdict) as text."""
    if value is None:
        return "", "" if goal is None else str(goal), "not measured" if goal else ""
    if goal is not None and goal >= 100:  # not a ratio
        return "", f"{goal:,}", "met" if value <= goal else "**missed**"
    if not base:
        return "", "" if goal is None else f"{goal}x", "not measured" if goal else ""
    ratio = value / base
    text = f"{ratio:.3f}x"
    if goal is None:
        return text, "", ""
    return text, f"{goal}x", "met" if ratio <= goal else "**missed**"


def medians(values, floor):
    result = {side: {name: statistics.median(v) for name, v in values.get(side, {}).items()}
              for side in SIDES}
    for side in SIDES:
        if "launch_pages" in result[side]:
            result[side]["launch_gib"] = result[side]["launch_pages"] * 4096 / 2
    return result, floor_values({k: statistics.median(v) for k, v in floor.items()})


def spread(values):
    """The largest difference between boots of any row, relative to its median, and which row."""
    worst = (0, "")
    for side in SIDES:
        for name, v in values.get(side, {}).items():
            if len(v) > 1 and statistics.median(v):
                worst = max(worst, ((max(v) - min(v)) / abs(statistics.median(v)), f"{side}, {name}"))
    return worst


def markdown(result):
    table, floors = medians(result["values"], result["values"].get("floor", {}))
    lines = ["| figure | host, not launched | plain KVM | upstream pVM | Stockade pVM | ratio | of | goal | "
             "| floor | above floor |",
             "|---|--:|--:|--:|--:|--:|---|--:|---|--:|--:|"]
    for name, what, goal, against in ROWS:
        value = table["stockade"].get(name)
        base = table[against].get(name) if against else None
        if value is None and all(table[s].get(name) is None for s in SIDES):
            if goal is None:
                continue
        ratio, goal_text, verdict = judge(value, goal, base)
        floor = floors.get(name)
        above = f"{value / floor:.1f}x" if value and floor else ""
        lines.append("| " + " | ".join(
            [what, *(number(table[s].get(name)) for s in SIDES), ratio, against or "", goal_text,
             verdict, number(floor), above]) + " |")
    return "\n".join(lines) + "\n"
