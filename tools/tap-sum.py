#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Sums TAP logs: tap-sum.py FILE-OR-DIRECTORY...

Names every failure, and ends with "N passed, N failed, N skipped". A log may hold several streams
and, being a console's, other lines too. A result that a plan promised and that never came is a
failure, and so is a log without a plan or one that bails out. Exit status 1 if anything failed.
"""

import os
import re
import sys

PLAN = re.compile(r"1\.\.(\d+)(\s*#\s*skip.*)?\s*$", re.IGNORECASE)
RESULT = re.compile(r"(not )?ok\b(?:\s+\d+)?\s*(?:-\s*)?(.*)$")
DIRECTIVE = re.compile(r"#\s*(skip|todo)\b", re.IGNORECASE)


def logs(paths):
    for path in paths:
        if os.path.isdir(path):
            for directory, _, names in sorted(os.walk(path)):
                for name in sorted(names):
                    if name.endswith(".tap"):
                        yield os.path.join(directory, name)
        else:
            yield path


def read(path):
    """Returns passed, [failure...], skipped."""
    passed, failures, skipped = 0, [], 0
    planned = None
    with open(path, encoding="utf-8", errors="replace") as log:
        lines = [line.rstrip("\r\n").lstrip("\r") for line in log]
    for line in lines:
        plan = PLAN.match(line)
        result = RESULT.match(line)
        if plan:
            planned = (planned or 0) + int(plan.group(1))
            if int(plan.group(1)) == 0:
                skipped += 1
                planned += 1
        elif result:
            if DIRECTIVE.search(result.group(2)):
                skipped += 1
            elif result.group(1):
                failures.append(result.group(2) or "(no name)")
            else:
                passed += 1
        elif line.startswith("Bail out!"):
            failures.append(line)
            planned = planned or 0
    came = passed + len(failures) + skipped
    if planned is None:
        failures.append("no plan in the log")
    elif came < planned:
        failures += ["planned, but no result came"] * (planned - came)
    elif came > planned and not any(f.startswith("Bail") for f in failures):
        failures.append("more results than planned")
    return passed, failures, skipped


def main():
    passed = failed = skipped = 0
    for path in logs(sys.argv[1:]):
        ok, failures, skip = read(path)
        passed += ok
        failed += len(failures)
        skipped += skip
        for failure in failures:
            print("FAILED %s: %s" % (path, failure))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
