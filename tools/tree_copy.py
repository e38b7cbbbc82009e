# SPDX-License-Identifier: GPL-2.0-only
"""A copy of the sources for who breaks them: tests/protections, tests/mutation/target.py."""

import filecmp
import os
import shutil
import subprocess


def copy_tree(top, build, tree):
    """The sources of top in the directory tree, as they are there now; it shares what was downloaded into build."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=top, check=True,
                           capture_output=True, text=True).stdout.split("\n")
    for name in filter(None, names):
        source, copy = os.path.join(top, name), os.path.join(tree, name)
        if not os.path.exists(source) or (os.path.exists(copy) and filecmp.cmp(source, copy, False)):
            continue
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        # With the time of now, so that it is newer than what was built from another.
        shutil.copy(source, copy)
    os.makedirs(os.path.join(tree, "build"), exist_ok=True)
    for name in ("cache", "kernel", "qemu", "sysroot"):
        link = os.path.join(tree, "build", name)
        if not os.path.lexists(link):
            os.symlink(os.path.join(build, name), link)
