#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Breaks hyp/mem, hyp/vm and hyp/host in one place at a time, and sees that a unit test notices.

  run.py [WORD]...     only mutants in files, or of functions, whose name has one of the words

  SAMPLE=N   only N of them, always the same ones; fails only if fewer than three in four are noticed
  AGAIN=1    only those that nobody noticed the last time
  QUICK=1    without the long tests of other rooms: finds what AGAIN=1 is then to look at
  SPEC=1     those that the unit tests let survive run in the specification's driver too (tests/spec): its cases and
             STEPS=20000 random steps. AGAIN=1 SPEC=1: a second line for what is left
  JOBS=N     how many at a time (default: all CPUs)

Most mutants of a file are compiled into it together and chosen at run time (mutants.schema()); those in
what the compiler must know (macros, tables, case labels) are compiled one by one. Each is run on the tests that
came by the changed place, to the first that fails. A mutant for which the compiler makes the same code is none.
What the specification alone notices is counted apart ("spec"), and is in report: a unit test should know it too.
./survivors explains those that no test can notice; what survives and is not there fails, and so does what is
there and was noticed. Results are a TAP log in LOGDIR, a table, and all survivors, in report there too.
"""

import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys
import threading
import time

import mutants

SRC = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(SRC, "../.."))
BUILD = os.environ.get("BUILD", os.path.join(TOP, "build"))
O = os.environ.get("O", os.path.join(BUILD, "tests/mutation"))
LOGDIR = os.environ.get("LOGDIR", os.path.join(BUILD, "log/mutation"))
JOBS = int(os.environ.get("JOBS", os.cpu_count() or 1))
SAMPLE = int(os.environ.get("SAMPLE", 0))
SAMPLE_NOTICED = 0.75
AGAIN = os.environ.get("AGAIN")
QUICK = os.environ.get("QUICK")
SPEC = os.environ.get("SPEC")
STEPS = os.environ.get("STEPS", "20000")
LONG = 30  # milliseconds
RESULTS = os.path.join(O, "results.json")
ROOMS = ("mem", "vm", "host")
# A test's CPU time with a mutant: more than this is an endless loop. In milliseconds.
LIMIT = 1000
LIMIT_TIMES = 6


def make(*targets):
    subprocess.run(["make", "-s", "--no-print-directory", "-j%d" % JOBS, "-C", SRC, "O=" + O, *targets], check=True,
                   stdin=subprocess.DEVNULL)


def printed():
    text = subprocess.run(["make", "-s", "--no-print-directory", "-C", SRC, "O=" + O, "print"], check=True,
                          capture_output=True, text=True).stdout.splitlines()
    return [line.split() for line in text]


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            if f.read() == text:
                return
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


class Sources:
    """The files, and all their mutants by number."""

    def __init__(self):
        self.text, self.mutants, self.unread = {}, {}, []
        for room in ROOMS:
            for name in sorted(os.listdir(os.path.join(TOP, "hyp", room))):
                self.add("hyp/%s/%s" % (room, name))

    def add(self, file):
        with open(os.path.join(TOP, file), encoding="utf-8") as f:
            self.text[file] = f.read()
        found, unread = mutants.of_file(file, self.text[file])
        self.unread += [(file, *what) for what in unread]
        mine = {}
        for mutant in found:
            if file.endswith(".h"):
                mutant.form = "alone"
            number = len(self.mutants) + 1
            self.mutants[number] = mutant
            if mutant.form != "alone":
                mine[number] = mutant
        if file.endswith(".c"):
            write(os.path.join(O, "schema", file[4:]),
                  '#line 1 "%s"\n' % file + mutants.schema(self.text[file], mine))

    def read(self, mutant):
        return mutants.read(mutant.file, self.text[mutant.file], mutant)

    def key(self, mutant):
        return "\t".join((mutant.file, mutant.where, *self.read(mutant), str(mutant.nth)))

    def changed(self, mutant):
        text = self.text[mutant.file]
        return text[:mutant.start] + mutant.put + text[mutant.end:]

    def line(self, mutant):
        return self.text[mutant.file].count("\n", 0, mutant.start) + 1


class Tests:
    """The program with all tests, and which of them come by what."""

    def __init__(self, sources):
        self.program = os.path.join(O, "tests")
        run = subprocess.run([self.program, "record"], capture_output=True, text=True, check=False)
        if run.returncode:
            sys.exit("with no mutant: status %d after %s" % (
                run.returncode, " ".join(line.split(" ")[0] for line in run.stdout.splitlines()[-1:])))
        self.names, self.cost, self.of, self.noticed = [], [], {}, {}
        for n, line in enumerate(run.stdout.splitlines()):
            name, cost, *met = line.split()
            self.names.append(name)
            self.cost.append(int(cost))
            for number in map(int, met):
                self.of.setdefault(number, set()).add(n)
        # Of what is compiled in alone: all tests that come by its function, or else by its file, or else all.
        around = {}
        for number, tests in self.of.items():
            mutant = sources.mutants[number]
            around.setdefault((mutant.file, mutant.where), set()).update(tests)
            around.setdefault(mutant.file, set()).update(tests)
        for number, mutant in sources.mutants.items():
            if mutant.form == "alone":
                self.of[number] = around.get((mutant.file, mutant.where)) or around.get(mutant.file) or \
                    set(range(len(self.names)))

    def remember(self, mutant, name):
        tests = self.noticed.setdefault((mutant.file, mutant.where), {})
        tests[name] = tests.get(name, 0) + 1

    def arguments(self, number, mutant):
        """First those that noticed others of the same function; its own file's; the quick ones."""
        own = "hyp-" + mutant.file[4:-2].replace("/", "-")
        tests = self.of.get(number, ())
        if QUICK:
            room = "hyp-" + mutant.file.split("/")[1]
            tests = [n for n in tests if self.cost[n] <= LONG or self.names[n].startswith(room)]
        keen = self.noticed.get((mutant.file, mutant.where), {})
        order = sorted(tests, key=lambda n: (-keen.get(self.names[n], 0) / (10 + self.cost[n]),
                                             not self.names[n].startswith(own), self.cost[n]))
        return ["%d:%d" % (n, LIMIT + LIMIT_TIMES * self.cost[n]) for n in order]


class Server:
    """A program that runs tests on mutants, one after the other (driver.c)."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, number, arguments):
        self.process.stdin.write("%d %s\n" % (number, " ".join(arguments)))
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit("the driver ended with status %d at mutant %d" % (self.process.wait(), number))
        return answer

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def specified(number, program, why):
    """What the specification's driver says of a mutant that no unit test notices, for the reason why."""
    run = subprocess.run([program], env=dict(os.environ, MUTANT=str(number), SPEC_SHRINK="0", STEPS=STEPS),
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    if not run.returncode:
        return "survived", why
    failed = re.search(r"^not ok \d+ - (.*)", run.stdout, re.M)
    return "spec", failed.group(1) if failed else "status %d" % run.returncode


class Trial:
    """Tries mutants: what became of each, and the test that told."""

    def __init__(self, sources, tests):
        self.sources, self.tests = sources, tests
        self.compiler, self.sections, self.objects = printed()
        self.of_thread = threading.local()

    def run(self, number, mutant, program=None):
        arguments = self.tests.arguments(number, mutant)
        if not arguments:
            return "survived", "no test comes by"
        server = Server(program) if program else self.server()
        result, *test = server.ask(number if not program else 0, arguments)
        if program:
            server.end()
        if result == "passed":
            return "survived", "%d tests come by" % len(arguments)
        self.tests.remember(mutant, test[0])
        return result, test[0]

    def server(self):
        """This thread's, for all that need no program of their own."""
        if not hasattr(self.of_thread, "server"):
            self.of_thread.server = Server(self.tests.program)
        return self.of_thread.server

    def compile(self, number, mutant):
        """Objects that differ by the mutant: {object: path}; None if it does not compile."""
        root = os.path.join(O, "alone/%d" % number)
        changed = os.path.join(root, mutant.file)
        write(changed, self.sources.changed(mutant))
        if mutant.file.endswith(".c"):
            wanted = [mutant.file[4:-2]]
        else:
            wanted = self.including(mutant.file)
        out = {}
        for name in wanted:
            path = os.path.join(root, name.replace("/", "-") + ".o")
            source = changed if mutant.file.endswith(".c") else os.path.join(TOP, "hyp", name + ".c")
            # Under its own name: hyp_assert() has it.
            command = [self.compiler[0], "-ffile-prefix-map=%s=%s" % (root, TOP), "-I" + os.path.join(root, "hyp"), "-I" + os.path.dirname(source),
                       *self.compiler[1:], "-c", "-o", path + ".all", source]
            if subprocess.run(command, capture_output=True, check=False).returncode:
                return None
            subprocess.run(["objcopy", *self.sections, path + ".all", path], check=True)
            with open(path, "rb") as new, open(os.path.join(O, "plain", name + ".o"), "rb") as old:
                if new.read() != old.read():
                    out[name] = path
        return out

    def including(self, header):
        """What is compiled with the header."""
        names = []
        for name in self.objects:
            with open(os.path.join(O, "plain", name + ".o.d"), encoding="utf-8") as f:
                if re.search(r"\b%s\b" % re.escape(header), f.read()):
                    names.append(name)
        return names

    def link(self, program, fixed, changed, *libraries):
        objects = [changed.get(name, os.path.join(O, "plain", name + ".o")) for name in self.objects]
        subprocess.run([self.compiler[0], "-o", program, os.path.join(O, fixed), *objects, *libraries], check=True)
        return program

    def clean(self, number):
        subprocess.run(["rm", "-rf", os.path.join(O, "alone/%d" % number)], check=True)

    def alone(self, number, mutant):
        changed = self.compile(number, mutant)
        if changed is None:
            return "none", "does not compile"
        if not changed:
            return "none", "same code"
        root = os.path.join(O, "alone/%d" % number)
        result, why = self.run(number, mutant, self.link(root + "/tests", "fixed.o", changed, "-lcmocka"))
        if result == "survived" and SPEC:
            return specified(0, self.link(root + "/spec", "spec-fixed.o", changed, "-pthread"), why)
        return result, why

    def __call__(self, number):
        mutant = self.sources.mutants[number]
        try:
            if mutant.form == "alone":
                return number, *self.alone(number, mutant)
            result, why = self.run(number, mutant)
            if result == "survived" and self.compile(number, mutant) in ({}, None):
                return number, "none", "same code"
            if result == "survived" and SPEC:
                result, why = specified(number, os.path.join(O, "spec"), why)
            return number, result, why
        finally:
            self.clean(number)


def stanzas():
    """What ./survivors has: in the form of tests/protections/list. "..." in take and put is any text."""
    path = os.path.join(SRC, "survivors")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        text = re.sub(r"^#.*\n", "", f.read(), flags=re.M)
    out = []
    for stanza in filter(None, re.split(r"\n\s*\n", text.strip())):
        entry, key = {"in": "...", "take": "...", "put": "..."}, None
        for line in stanza.splitlines():
            match = re.match(r"(file|in|take|put|nth|why):\s?(.*)$", line)
            if match:
                key = match.group(1)
                entry[key] = match.group(2)
            elif key:
                entry[key] += " " + line
        if not {"file", "why"} <= set(entry):
            sys.exit("survivors: no file or why in:\n%s" % stanza)
        entry["used"] = False
        out.append(entry)
    return out


def matches(pattern, text):
    parts = [re.escape(" ".join(part.split())) for part in pattern.split("...")]
    return re.fullmatch(r"\s*.*?\s*".join(parts), text, re.S)


def explains(entry, mutant, how):
    return matches(entry["file"], mutant.file) and matches(entry["in"], mutant.where) and \
        matches(entry["take"], how[0]) and matches(entry["put"], how[1]) and \
        int(entry.get("nth", mutant.nth)) == mutant.nth


def remember(last):
    with open(RESULTS, "w", encoding="utf-8") as f:
        json.dump(last, f, indent=0)


def chosen(sources, last):
    # Headers last: each of theirs takes many objects.
    numbers = sorted(sources.mutants, key=lambda n: (sources.mutants[n].file.endswith(".h"), n))
    words = sys.argv[1:]
    if words:
        numbers = [n for n in numbers if any(w in sources.mutants[n].file or w in sources.mutants[n].where
                                             for w in words)]
    if AGAIN:
        numbers = [n for n in numbers if last.get(sources.key(sources.mutants[n]), ["survived"])[0] == "survived"]
    if SAMPLE:
        numbers = random.Random(1).sample(numbers, min(SAMPLE, len(numbers)))
    return numbers


def show(sources, number, why):
    mutant = sources.mutants[number]
    was, now = sources.read(mutant)
    return "%s:%d: %s, %s (%s)%s\n    - %s\n    + %s\n" % (
        mutant.file, sources.line(mutant), mutant.where, mutant.kind, why,
        "" if mutant.nth == 1 else ", nth: %d" % mutant.nth, was, now)


COLUMNS = ("mutants", "noticed", "timeout", "spec", "explained", "unexplained")


def table(rows):
    out = ["%-22s" % "" + "".join("%13s" % c for c in COLUMNS)]
    total = dict.fromkeys(COLUMNS, 0)
    for name, row in rows.items():
        out.append("%-22s" % name + "".join("%13d" % row[c] for c in COLUMNS))
        for column in COLUMNS:
            total[column] += row[column]
    out.append("%-22s" % "sum" + "".join("%13d" % total[c] for c in COLUMNS))
    return "\n".join(out) + "\n", total


def judge(sources, results, listed):
    """Rows by file and by kind, and the text of all survivors."""
    files, kinds, texts = {}, {}, {"explained": [], "unexplained": [], "timeout": [], "spec": []}
    stale = []
    for number, (result, why) in sorted(results.items()):
        mutant = sources.mutants[number]
        how = sources.read(mutant)
        entries = [e for e in listed if explains(e, mutant, how)]
        # Another compiler may make other code of what is none to this one.
        if result in ("none", "survived"):
            for entry in entries:
                entry["used"] = True
        if result == "none":
            continue
        if result == "survived":
            result = "explained" if entries else "unexplained"
        if result in texts:
            texts[result].append(show(sources, number, why))
        for rows, name in ((files, mutant.file), (kinds, mutant.kind)):
            row = rows.setdefault(name, dict.fromkeys(COLUMNS, 0))
            row["mutants"] += 1
            row[result] += 1
    for entry in listed:
        if not entry["used"] and any(explains(entry, sources.mutants[n], sources.read(sources.mutants[n]))
                                     for n in results):
            stale.append("noticed now: %s: %s: %s" % (entry["file"], entry["in"], entry["take"]))
        elif not entry["used"] and len(results) == len(sources.mutants):
            stale.append("no such mutant: %s: %s: %s" % (entry["file"], entry["in"], entry["take"]))
    return files, kinds, texts, stale


def main():
    start = time.monotonic()
    os.makedirs(LOGDIR, exist_ok=True)
    make()
    sources = Sources()
    for what in sources.unread:
        print("cannot read %s, %s: %s" % what)
    make("schemata")
    if SPEC:
        make("spec")
        if specified(0, os.path.join(O, "spec"), "")[0] != "survived":
            sys.exit("with no mutant: the specification's driver fails")
    last = {}
    if os.path.exists(RESULTS):
        with open(RESULTS, encoding="utf-8") as f:
            last = json.load(f)
    numbers = chosen(sources, last)
    trial = Trial(sources, Tests(sources))
    results, listed = {}, stanzas()
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for number, result, why in pool.map(trial, numbers):
            results[number] = (result, why)
            last[sources.key(sources.mutants[number])] = (result, why)
            if result == "survived" and not any(explains(e, sources.mutants[number],
                                                         sources.read(sources.mutants[number])) for e in listed):
                print(show(sources, number, why), end="", flush=True)
            if len(results) % 100 == 0:
                print("%d of %d, %d s" % (len(results), len(numbers), time.monotonic() - start), flush=True)
                remember(last)
    remember(last)

    files, kinds, texts, stale = judge(sources, results, listed)
    by_file, total = table(files)
    none = {why: sum(r == ("none", why) for r in results.values()) for why in ("same code", "does not compile")}
    summary = "%s\n%s\n%d s; besides, %d that make no difference to the compiler, %d that do not compile\n" % (
        by_file, table({k: kinds[k] for k in mutants.KINDS if k in kinds})[0], time.monotonic() - start,
        none["same code"], none["does not compile"])
    with open(os.path.join(LOGDIR, "report"), "w", encoding="utf-8") as f:
        f.write(summary + "".join("\n%s\n\n%s" % (title, "".join(texts[which])) for title, which in (
            ("Unexplained", "unexplained"), ("Noticed by the specification alone", "spec"),
            ("Explained", "explained"), ("Out of time", "timeout"))))
    if SAMPLE:
        # Of the tool, and of the tests as a whole: what survives is for who runs all to explain.
        noticed = total["noticed"] + total["timeout"]
        good = noticed >= SAMPLE_NOTICED * total["mutants"]
        with open(os.path.join(LOGDIR, "mutation.tap"), "w", encoding="utf-8") as f:
            f.write("1..1\n%sok 1 - of %d mutants, %d are noticed\n" % ("" if good else "not ", total["mutants"],
                                                                      noticed))
        print(summary)
        sys.exit(not good)
    tap = ["1..%d" % (len(files) + len(stale) + bool(sources.unread))]
    for file, row in files.items():
        tap.append("%sok %d - %s: %d mutants, %d survive, %d unexplained" % (
            "not " if row["unexplained"] else "", len(tap), file, row["mutants"],
            row["explained"] + row["unexplained"], row["unexplained"]))
    tap += ["not ok %d - survivors: %s" % (len(tap) + n, what) for n, what in enumerate(stale)]
    if sources.unread:
        tap.append("not ok %d - all sources can be read" % len(tap))
    with open(os.path.join(LOGDIR, "mutation.tap"), "w", encoding="utf-8") as f:
        f.write("\n".join(tap) + "\n")
    print("\n" + summary + "\n".join(stale))
    sys.exit(bool(total["unexplained"] or stale or sources.unread))


if __name__ == "__main__":
    main()
