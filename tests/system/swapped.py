#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What tests/system/pressure.c has caused to be on the swap disk, as TAP: swapped.py IMAGE"""
import sys

# The upper halves of words, from pressure.c.
SECRET = b"pVMs"
CONTROL = b"hOsT"


def pages_with(image, mark):
    """How many pages of the image are full of words that end in mark."""
    count = 0
    with open(image, "rb") as disk:
        while page := disk.read(4096):
            count += page.count(mark) >= 8
    return count


def main():
    image = sys.argv[1]
    results = [
        (pages_with(image, CONTROL) > 0, "memory of the host's is on the swap disk"),
        (pages_with(image, SECRET) == 0, "and no page of a VM's"),
    ]
    for number, (good, what) in enumerate(results, 1):
        print(f"{'' if good else 'not '}ok {number} - {what}")
    print(f"1..{len(results)}")


main()
