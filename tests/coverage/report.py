#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Reads what `gcov -n` says, and sums it up: coverage.py DIRECTORY-OF-THE-SOURCES < OUTPUT"""

import os
import re
import sys


def main():
    top = os.path.realpath(sys.argv[1])
    best = {}
    name = None
    for line in sys.stdin:
        m = re.match(r"File '(.*)'", line)
        if m:
            name = os.path.realpath(m.group(1))
            continue
        m = re.match(r"Lines executed:([0-9.]+)% of (\d+)", line)
        if m and name and name.startswith(top + "/") and name.endswith(".c"):
            lines = int(m.group(2))
            best[os.path.relpath(name, top)] = (round(float(m.group(1)) * lines / 100), lines)
            name = None
    rooms = {}
    for path, (ran, lines) in sorted(best.items()):
        print("  %-20s %4d of %4d  %5.1f %%" % (path, ran, lines, 100.0 * ran / lines))
        room = rooms.setdefault(path.split("/")[0], [0, 0])
        room[0] += ran
        room[1] += lines
    for room, (ran, lines) in sorted(rooms.items()):
        print("%-22s %4d of %4d  %5.1f %%" % (room + "/", ran, lines, 100.0 * ran / lines))


if __name__ == "__main__":
    main()
