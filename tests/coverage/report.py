#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What of hyp/ the tests have run: report.py UNREACHABLE DIRECTORY...

Reads the .gcda files below the directories with gcov and adds them up: for each file lines, branches, and
refusals, which are the lines that name an error code that somebody is to be told. Exit status 1 if one of the
ROOMS has less than LINES per cent of its lines run, or a line not run or a branch not taken that UNREACHABLE
does not list, or UNREACHABLE lists what is run.

A branch is gcov's: each operand of a condition has two, taken if it was true and if it was false while those
before it had not yet decided. So an operand of || was true alone if its branch was taken.
"""

import glob
import json
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "../.."))
ROOMS = ["mem", "vm", "host"]
LINES = 95

ERROR = re.compile(r"\b(STOCKADE_E[A-Z]+|SMCCC_RET_(?:NOT|INVALID)\w*|PSCI_RET_(?!SUCCESS)\w+|"
                   r"FFA_(?:DENIED|INVALID_PARAMETERS|NOT_SUPPORTED|NO_MEMORY|BUSY|RETRY|ABORTED|NO_DATA))\b")
# An error code that is looked for, or defined, is no refusal.
NO_REFUSAL = re.compile(r"[=!]=\s*(\(\w+\)\s*)?$|\bcase\s+$|^#\s*define\b.*$")


def gcov(directories):
    """For each source below hyp/: {line: [count, [count of each branch]]}"""
    files = {}
    for directory in directories:
        for path in sorted(glob.glob(os.path.join(directory, "**/*.gcda"), recursive=True)):
            out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities",
                                  os.path.basename(path)], cwd=os.path.dirname(path), check=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
            data = json.loads(out)
            for f in data["files"]:
                name = os.path.relpath(os.path.join(data["current_working_directory"], f["file"]), TOP + "/hyp")
                if not name.startswith(".") and name.endswith(".c"):
                    add(files.setdefault(name, {}), f["lines"])
    return files


def add(lines, more):
    for line in more:
        branches = [b["count"] for b in line["branches"]]
        known = lines.setdefault(line["line_number"], [0, [0] * len(branches)])
        if len(known[1]) != len(branches):
            sys.exit("line %d: compiled in two ways" % line["line_number"])
        known[0] += line["count"]
        known[1] = [a + b for a, b in zip(known[1], branches)]


def refusals(source, lines):
    """The lines that gcov knows and that say an error code."""
    found = set()
    for number, text in enumerate(source, 1):
        for m in ERROR.finditer(text.split("/*")[0]):
            if not NO_REFUSAL.search(text[:m.start()]):
                # A statement of several lines is counted at one of them.
                while number > 0 and number not in lines:
                    number -= 1
                if number:
                    found.add(number)
    return found


def read_unreachable(path):
    """{(file, text of the line): reason}"""
    listed, key = {}, None
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line[0].isspace():
                name, text = line.split(": ", 1)
                key = (name, text)
                listed[key] = ""
            else:
                listed[key] += line.strip()
    for key, reason in listed.items():
        if not reason:
            sys.exit("%s: %s: without a reason" % key)
    return listed


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def row(name, numbers):
    print("%-20s" % name + "".join("  %4d of %4d %6.1f %%" % (a, b, percent(a, b)) for a, b in numbers))


def main():
    listed, used, missed = read_unreachable(sys.argv[1]), set(), []
    rooms = {}
    print("%-20s  %-21s%-21s%s" % ("", "lines", "branches", "refusals"))
    for name, lines in sorted(gcov(sys.argv[2:]).items()):
        with open(os.path.join(TOP, "hyp", name), encoding="utf-8") as f:
            source = f.read().split("\n")
        named = refusals(source, lines)
        branches = [count for line in lines.values() for count in line[1]]
        numbers = [(sum(1 for line in lines.values() if line[0]), len(lines)),
                   (sum(1 for count in branches if count), len(branches)),
                   (sum(1 for number in named if lines[number][0]), len(named))]
        row(name, numbers)
        room = rooms.setdefault(name.split("/")[0], [(0, 0)] * 3)
        rooms[name.split("/")[0]] = [(a + c, b + d) for (a, b), (c, d) in zip(room, numbers)]
        for number, (count, taken) in sorted(lines.items()):
            if count and all(taken):
                continue
            text = source[number - 1].strip()
            if (name, text) in listed:
                used.add((name, text))
                continue
            what = "not run" if not count else \
                "of branches 1 to %d not taken: %s" % (len(taken), ", ".join(
                    str(n) for n, c in enumerate(taken, 1) if not c))
            if name.split("/")[0] in ROOMS:
                missed.append("hyp/%s:%d: %s: %s" % (name, number, what, text))
            else:
                print("  (line %d: %s: %s)" % (number, what, text))
    print()
    for room, numbers in sorted(rooms.items()):
        row(room + "/", numbers)
    for room in ROOMS:
        share = percent(*rooms.get(room, [(0, 1)])[0])
        if share < LINES:
            missed.append("hyp/%s: %.1f %% of the lines, less than %d" % (room, share, LINES))
    missed += ["unreachable, says the list, but run or gone: hyp/%s: %s" % key
               for key in listed if key not in used]
    print("\n".join([""] + missed) if missed else "\nEvery branch was taken, but for %d lines that are listed as "
          "unreachable." % len(used))
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
