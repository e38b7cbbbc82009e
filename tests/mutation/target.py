#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Boots what the build machine's tests do not notice.

  target.py [WORD]...     only mutants in files, or of functions, whose name has one of the words

Takes the survivors of the last run.py, and builds images that have as many of them as change different
statements: so there are as few images as the statement with most survivors has. Each runs TESTS in the host
on CPUS (names of tests/system). Where one fails, its halves are run, and theirs, until it is known which mutant it was:
those that the target notices are told at the end, and are no failure.
The sources are copied first, with links to what was downloaded.
"""

import json
import os
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
import run

sys.path.insert(0, os.path.join(run.TOP, "tools"))
from tree_copy import copy_tree

TREE = os.path.join(run.BUILD, "tests/mutation-target")
TESTS = os.environ.get("TESTS", "kvm-basic isolation fork block guest-calls lifecycle psci host-access cpus "
                       "attack attack-one-by-one ffa")
CPUS = os.environ.get("CPUS", "cortex-a72")


def survivors(sources):
    if not os.path.exists(run.RESULTS):
        sys.exit("nothing to boot: run `make mutation` first")
    with open(run.RESULTS, encoding="utf-8") as f:
        last = json.load(f)
    for mutant in sources.mutants.values():
        if last.get(sources.key(mutant), [""])[0] == "survived" and \
                (not sys.argv[1:] or any(w in mutant.file or w in mutant.where for w in sys.argv[1:])):
            yield mutant


def images(mutants):
    """Lists of mutants, no two of which are in one statement."""
    result = []
    for mutant in mutants:
        for image in result:
            if all(mutant.file != m.file or mutant.context[1] <= m.context[0] or m.context[1] <= mutant.context[0]
                   for m in image):
                image.append(mutant)
                break
        else:
            result.append([mutant])
    return result


def apply(sources, image):
    for file in {m.file for m in sources.mutants.values()}:
        text = sources.text[file]
        for mutant in sorted((m for m in image if m.file == file), key=lambda m: -m.start):
            text = text[:mutant.start] + mutant.put + text[mutant.end:]
        run.write(os.path.join(TREE, file), text)


def boot(number):
    """What failed and the tests' sum, and whether all is well."""
    log = os.path.join(run.LOGDIR, "target-%d.log" % number)
    logs = os.path.join(TREE, "build/log")
    # Where this one's objects and logs are is not where those are.
    env = {k: v for k, v in os.environ.items() if k not in ("O", "LOGDIR", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    os.makedirs(run.LOGDIR, exist_ok=True)
    shutil.rmtree(logs, ignore_errors=True)
    with open(log, "w", encoding="utf-8") as out:
        subprocess.run(["make", "system", "T=" + TESTS, "CPUS=" + CPUS], cwd=TREE, stdout=out, stderr=subprocess.STDOUT,
                       stdin=subprocess.DEVNULL, check=False, env={**env, "BUILD": os.path.join(TREE, "build")})
    result = subprocess.run([os.path.join(run.TOP, "tools/tap-sum.py"), logs], capture_output=True, text=True,
                            check=False)
    lines = result.stdout.splitlines() or ["nothing was run"]
    return "\n".join(lines), result.returncode == 0 and lines[-1].split()[0] not in ("0", "nothing")


def look_into(sources, image, boots):
    """The mutants of the image that the target notices."""
    apply(sources, image)
    boots.append(image)
    said, good = boot(len(boots))
    print("%d: %d mutants: %s" % (len(boots), len(image), said.splitlines()[-1]), flush=True)
    if good:
        return []
    if len(image) == 1:
        print(said, flush=True)
        return image
    half = len(image) // 2
    found = look_into(sources, image[:half], boots) + look_into(sources, image[half:], boots)
    if not found:
        print("   of these no half fails: it is both together, or chance: %s" % said.splitlines()[0], flush=True)
    return found


def main():
    sources = run.Sources()
    found = images(survivors(sources))
    copy_tree(run.TOP, run.BUILD, TREE)
    # What is wrong on purpose may well be what the compiler warns of.
    makefile = os.path.join(TREE, "hyp/Makefile")
    with open(makefile, encoding="utf-8") as f:
        flags = f.read()
    run.write(makefile, flags.replace(" -Werror", ""))
    print("%d survivors in %d images" % (sum(map(len, found)), len(found)), flush=True)
    boots, noticed = [], []
    for image in found:
        noticed += look_into(sources, image, boots)
    for number, mutant in sources.mutants.items():
        if any(mutant is m for m in noticed):
            print("noticed on the target: " + run.show(sources, number, "booted"), flush=True)
    print("%d of %d survivors are noticed on the target" % (len(noticed), sum(map(len, found))))


if __name__ == "__main__":
    main()
