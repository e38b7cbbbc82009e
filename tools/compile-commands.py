#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes a compile_commands.json for clang's tools: compile-commands.py BUILD MODULE KDIR > FILE

The commands are those of the Makefiles, from what "make -n" would do, and those of kbuild, from what it left
in MODULE, where the module was built with the headers in KDIR. They are made for clang: the target is named,
and what only gcc knows is taken out. A source that is compiled in several ways is there once, as in the first.
"""

import glob
import json
import os
import re
import shlex
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), ".."))

# What make is asked for in a directory, if not for "all". Nothing is built, so OUT is only a name, but for hyp/:
# what it generates is included.
TARGETS = {
    "hyp": ["O={build}/hyp", "TEST=1", "all"],
    "tests/soak": ["O=OUT", "OUT/mix"],
    "tests/demo": ["O=OUT", "OUT/demo", "OUT/secret"],
}

# Modules of the tests: compiled as ours is, and with these.
MODULES = [
    ("tests/system/attack-module", ["-Itests/system/lib", "-Imodule", "-Itests/guests"]),
    ("tests/demo/peek", ["-Itests/demo"]),
]

# What clang 14 does not know, or says is unused where nothing is linked.
ONLY_GCC = re.compile(
    r"-fno-tree-loop-distribute-patterns$|-fno-allow-store-data-races$|-fconserve-stack$|"
    r"-mabi=lp64$|-Wa,|-Wp,|-M[MPD]+$|-Wno-alloc-size-larger-than$|-Wimplicit-fallthrough=|"
    r"-Wno-(dangling-pointer|format-overflow|stringop-.*|format-truncation|packed-not-aligned|maybe-uninitialized|psabi)$|"
    r"-Werror=designated-init$|-W(no-)?error$|-Werror$|-fno-stack-clash-protection$|-ftrivial-auto-var-init=|-fmin-function-alignment|"
    r"-fstrict-flex-arrays=|-fsanitize=bounds-strict$|"
    r"-static$|-pthread$|-l|.*\.o$")
TAKE_AN_ARGUMENT = {"-o", "-MF", "-MT", "-MQ"}


def for_clang(words):
    """The arguments of a compiler, without its sources."""
    arguments, sources = [], []
    words = iter(words)
    for word in words:
        if word in TAKE_AN_ARGUMENT:
            next(words)
        elif word.endswith(".c"):
            sources.append(word)
        elif word != "-c" and not ONLY_GCC.match(word):
            arguments.append(word)
    return arguments, sources


def driver(program):
    """Clang that compiles for what this compiler does, or None if it is none."""
    m = re.match(r"(?:(.*)-)?(gcc|clang)(?:-\d+)?$", os.path.basename(program))
    if not m:
        return None
    return ["clang"] + (["--target=" + m.group(1)] if m.group(1) else [])


def directories():
    """Those whose Makefile compiles something: in this order, by which a source is the hypervisor's first."""
    yield from ("hyp", "vmm", "bench")
    for path in sorted(glob.glob(os.path.join(TOP, "tests/*/Makefile")) +
                       glob.glob(os.path.join(TOP, "tests/*/*/Makefile"))):
        directory = os.path.relpath(os.path.dirname(path), TOP)
        with open(path, encoding="utf-8") as f:
            if directory in TARGETS or re.search(r"^all:", f.read(), re.MULTILINE):
                yield directory


def from_make(directory, arguments):
    env = dict(os.environ)
    # Not those of the make that may have called this.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "O"):
        env.pop(name, None)
    out = subprocess.run(["make", "-nBw", "-C", os.path.join(TOP, directory)] + arguments, env=env, check=True,
                         stdout=subprocess.PIPE, universal_newlines=True).stdout
    where = []
    for line in out.replace("\\\n", " ").splitlines():
        m = re.match(r"make(?:\[\d+\])?: (Entering|Leaving) directory '(.*)'", line)
        if m:
            where = where + [m.group(2)] if m.group(1) == "Entering" else where[:-1]
            continue
        if ".c" not in line:
            continue
        try:
            words = shlex.split(line)
        except ValueError:
            continue
        clang = driver(words[0]) if words else None
        if clang and "-E" not in words and "-S" not in words:
            flags, sources = for_clang(words[1:])
            for source in sources:
                yield where[-1], os.path.join(where[-1], source), clang + flags


def from_kbuild(module, kdir):
    template = None
    for path in sorted(glob.glob(os.path.join(module, ".*.o.cmd"))):
        with open(path, encoding="utf-8") as f:
            m = re.match(r"(?:saved)?cmd_\S+ := +(.*)", f.readline())
        words = shlex.split(m.group(1)) if m else []
        # What follows the compiler, if anything, is another command.
        if ";" in " ".join(words):
            words = shlex.split(m.group(1).split(";")[0])
        clang = driver(words[0]) if words else None
        if not clang:
            continue
        flags, sources = for_clang(words[1:])
        # The kernel's headers are not what is checked.
        for n, word in enumerate(flags):
            if word.startswith("-I") and not word.startswith("-I" + TOP + "/"):
                flags[n] = "-isystem" + word[2:]
        for source in sources:
            # Newer kernels compile a module in its own directory, older ones in that of the headers.
            where = kdir if os.path.isabs(source) else module
            source = os.path.join(module, source)
            if not os.path.islink(source):
                continue
            template = clang + flags
            yield where, os.path.realpath(source), template
    if not template:
        sys.exit(f"{module}: the module is not built with {kdir}")
    for directory, more in MODULES:
        more = [re.sub(r"^-I", "-I" + TOP + "/", word) for word in more]
        for source in sorted(glob.glob(os.path.join(TOP, directory, "*.c"))):
            yield kdir, source, template + more


def main():
    build, module, kdir = (os.path.realpath(a) for a in sys.argv[1:4])
    commands = {}
    found = []
    for directory in directories():
        arguments = TARGETS.get(directory, ["O=OUT", "all"])
        found += from_make(directory, [a.format(build=build) for a in arguments])
    found += from_kbuild(module, kdir)
    for where, source, arguments in found:
        source = os.path.realpath(source)
        if source.startswith(TOP + "/"):
            commands.setdefault(source, {"directory": where, "file": source,
                                         "arguments": arguments + ["-c", source]})
    json.dump([commands[name] for name in sorted(commands)], sys.stdout, indent=1)


if __name__ == "__main__":
    main()
