#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs clang-tidy: tidy.py DIRECTORY SOURCE...

DIRECTORY has compile_commands.json (compile-commands.py); what each source was found to be is remembered there,
so that only what has changed is checked again: a source, what it includes, how it is compiled, the checks.
Prints what clang-tidy says, and ends with 1 if that was anything. A source that is not compiled is an error.
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys


def configuration(source):
    """The .clang-tidy files that hold for it, as one text."""
    text, directory = b"", os.path.dirname(source)
    while directory != os.path.dirname(directory):
        path = os.path.join(directory, ".clang-tidy")
        if os.path.exists(path):
            with open(path, "rb") as f:
                text += f.read()
        directory = os.path.dirname(directory)
    return text


def check(directory, version, command):
    """What clang-tidy says of it."""
    source = command["file"]
    # With comments: some of them speak to clang-tidy.
    arguments = [a for a in command["arguments"] if a != "-c"]
    text = subprocess.run(arguments + ["-E", "-C", "-w"], cwd=command["directory"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    if text.returncode:
        return text.stderr.decode()
    what = hashlib.sha256(b"\0".join([version, configuration(source), json.dumps(command).encode(), text.stdout]))
    clean = os.path.join(directory, "clean", what.hexdigest())
    if os.path.exists(clean):
        return ""
    tidy = subprocess.run(["clang-tidy", "--quiet", "-p", directory, source], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    said = tidy.stdout.decode()
    if tidy.returncode:
        return said or tidy.stderr.decode()
    if not said:
        with open(clean, "w", encoding="utf-8") as f:
            f.write(source + "\n")
    return said


def main():
    directory, sources = sys.argv[1], [os.path.realpath(s) for s in sys.argv[2:]]
    with open(os.path.join(directory, "compile_commands.json"), encoding="utf-8") as f:
        commands = {c["file"]: c for c in json.load(f)}
    missing = [s for s in sources if s not in commands]
    for source in missing:
        print("%s: no Makefile compiles it" % source)
    version = subprocess.run(["clang-tidy", "--version"], stdout=subprocess.PIPE, check=True).stdout
    os.makedirs(os.path.join(directory, "clean"), exist_ok=True)
    status = bool(missing)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for said in pool.map(lambda s: check(directory, version, commands[s]),
                             [s for s in sources if s in commands]):
            if said:
                print(said, end="", flush=True)
                status = True
    sys.exit(status)


if __name__ == "__main__":
    main()
