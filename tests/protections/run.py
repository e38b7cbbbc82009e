#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Takes each protection of ./list out, one at a time, and sees that its test fails without it.

  run.py [WORD]...     only those whose description has one of the words

A test that passes without what it tests is worth nothing. Each stanza of ./list names a line of code
and a test; here the line is taken out of a copy of the sources, hypervisor and module are built from
it, and the test is run in the host on one CPU model. Every test must pass on the sources as they
are first. Results are a TAP log in LOGDIR and, for people, the first failure of each on the screen.
"""

import os
import re
import shutil
import subprocess
import sys
import time

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(TOP, "tools"))
from tree_copy import copy_tree

BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
HOST = os.environ.get("HOST", "6.12")
LOGDIR = os.environ.get("LOGDIR", os.path.join(BUILD, "log/protections"))
TREE = os.path.join(BUILD, "tests/protections")
KEYS = {"what", "file", "in", "take", "put", "test", "cpu", "host"}


def stanzas():
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "list")
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"^#.*\n", "", f.read(), flags=re.M)
    for stanza in re.split(r"\n\s*\n", text.strip()):
        entry = {"put": "", "cpu": "cortex-a72"}
        key = None
        for line in stanza.splitlines():
            match = re.match(r"(\w+):\s?(.*)$", line)
            if match and match.group(1) in KEYS:
                key = match.group(1)
                entry[key] = match.group(2)
            else:
                entry[key] += "\n" + line
        missing = {"what", "file", "take", "test"} - set(entry)
        if missing:
            sys.exit("list: no %s in:\n%s" % (", ".join(sorted(missing)), stanza))
        yield entry


def squeeze(text):
    """A regular expression for the text, however it is broken into lines."""
    return r"\s+".join(re.escape(word) for word in text.split())


def without(entry):
    """The file's text with and without the line. It must be there exactly once, in that function if one is named."""
    with open(os.path.join(TREE, entry["file"]), encoding="utf-8") as f:
        text = f.read()
    start, end = 0, len(text)
    if "in" in entry:
        # A definition: its name at the start of a line's declaration, its end a brace in column 0.
        match = re.search(r"^\w[^;{}=]*\b%s\([^;{}]*\)\n\{.*?^\}" % re.escape(entry["in"]), text, re.M | re.S)
        if not match:
            sys.exit("list: %s has no function %s" % (entry["file"], entry["in"]))
        start, end = match.span()
    found = list(re.finditer(squeeze(entry["take"]), text[start:end]))
    if len(found) != 1:
        sys.exit("list: %s: found %d times: %s" % (entry["file"], len(found), entry["take"]))
    begin, stop = (start + n for n in found[0].span())
    return text, text[:begin] + entry["put"] + text[stop:]


def run(command, log, limit, **env):
    with open(log, "a", encoding="utf-8") as out:
        try:
            return subprocess.run(command, cwd=TREE, stdout=out, stderr=subprocess.STDOUT,
                                  stdin=subprocess.DEVNULL, timeout=limit, check=False,
                                  env={**os.environ, "BUILD": os.path.join(TREE, "build"),
                                       "HOST": HOST, **env}).returncode
        except subprocess.TimeoutExpired:
            return 124


def try_test(entry, log):
    """None if all is well, or the first failure."""
    shutil.rmtree(os.path.join(TREE, "build/log"), ignore_errors=True)
    layer, _, name = entry["test"].rpartition("/")
    layer = layer or "system"
    if run(["make", "module"], log, 300):
        return "BUILD"
    env = {"LOGDIR": os.path.join(TREE, "build/log"), "O": os.path.join(TREE, "build/tests", layer)}
    if layer == "unit":
        run(["make", "unit", "T=" + name], log, 300)
    elif layer == "launch":
        run(["make", "system", "T=launch", "CASES=" + name], log, 300)
    else:
        run(["make", "system", "T=" + name, "CPUS=" + entry["cpu"], "LIMIT=150"], log, 300)
    result = subprocess.run([os.path.join(TOP, "tools/tap-sum.py"), os.path.join(TREE, "build/log")],
                            capture_output=True, text=True, check=False)
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    if not lines or not re.match(r"[1-9]\d* passed", lines[-1]):
        return lines[0] if len(lines) > 1 else "nothing passed"
    return lines[0] if result.returncode else None


def main():
    entries = [e for e in stanzas() if not sys.argv[1:] or any(w in e["what"] for w in sys.argv[1:])]
    os.makedirs(LOGDIR, exist_ok=True)
    copy_tree(TOP, BUILD, TREE)
    changed = [(entry, *without(entry)) for entry in entries]
    tap = ["1..%d" % (len(entries) + len({(e["test"], e["cpu"]) for e in entries}))]

    def result(good, what):
        tap.append("%sok %d - %s" % ("" if good else "not ", len(tap), what))
        with open(os.path.join(LOGDIR, "protections.tap"), "w", encoding="utf-8") as f:
            f.write("\n".join(tap) + "\n")

    for test, cpu in sorted({(e["test"], e["cpu"]) for e in entries}):
        log = os.path.join(LOGDIR, "whole-%s-%s.log" % (test.replace("/", "-"), cpu))
        open(log, "w", encoding="utf-8").close()
        failure = try_test({"test": test, "cpu": cpu}, log)
        print("%-12s passes with all in place: %s" % (test, failure or "yes"), flush=True)
        result(not failure, "%s on %s, all protections in place" % (test, cpu))
    for number, (entry, text, mutant) in enumerate(changed, 1):
        path = os.path.join(TREE, entry["file"])
        log = os.path.join(LOGDIR, "%02d.log" % number)
        start = time.monotonic()
        with open(path, "w", encoding="utf-8") as f:
            f.write(mutant)
        with open(log, "w", encoding="utf-8") as f:
            f.write("without: %s\n" % entry["take"])
        failure = try_test(entry, log)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        caught = failure not in (None, "BUILD")
        print("%2d %-60s %s (%d s)\n   %s: %s" % (
            number, entry["what"], "noticed" if caught else "NOT NOTICED", time.monotonic() - start,
            entry["test"], failure), flush=True)
        result(caught, "%s: %s fails without it" % (entry["what"], entry["test"]))
    sys.exit(any(line.startswith("not ok") for line in tap))


main()
