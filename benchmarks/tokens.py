"""Nanoseconds per murmur3 token on each interpreter at hand.

    uv run benchmarks/tokens.py             every interpreter found
    pypy3.11 benchmarks/tokens.py --here    this interpreter only

Each figure is the least of several rounds over the same keys, so that a busy machine spoils it little.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
import time
from functools import partial

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = ROOT  # instead of this folder, where this file would hide the standard library's `token`

INTERPRETERS = ("pypy3.11", "pypy3.10", "pypy3")
ROUNDS = 7


def key_loop(token, keys, repeats):
    total = 0
    for _ in range(repeats):
        for key in keys:
            total ^= token(key)
    return total


def half_loop(token_of_halves, halves, repeats):
    total = 0
    for _ in range(repeats):
        for first, second in halves:
            total ^= token_of_halves(first, second)
    return total


def best_ns(run, count):
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - started) / count)
    return min(times)


def measure_here():
    from cqlsurge.load.routing import murmur3

    draw = random.Random(1)
    # PyPy needs some ten thousand turns before its machine code runs; a slow implementation needs no more.
    repeats = 200 if murmur3.IMPLEMENTATION == "intop" else 10
    figures = []
    for length in (8, 16, 20, 64):
        keys = [draw.randbytes(length) for _ in range(1000)]
        figures.append(f"{length} B {best_ns(partial(key_loop, murmur3.token, keys, repeats), 1000 * repeats):.1f}")
    halves = [struct.unpack("<qq", draw.randbytes(16)) for _ in range(1000)]
    figures.append(f"halves {best_ns(lambda: half_loop(murmur3.token_of_halves, halves, repeats), 1000 * repeats):.1f}")
    name = f"{sys.implementation.name} {sys.version.split()[0]}"
    print(f"{name:16} {murmur3.IMPLEMENTATION:6} ns per token: {', '.join(figures)}")
    try:
        from cqlsurge.load.routing import murmur3_numpy
    except ImportError:
        return
    many = draw.randbytes(16 * 4096)
    print(f"{name:16} numpy  ns per token: 16 B {best_ns(lambda: murmur3_numpy.tokens_of_keys(many), 4096):.1f}")


def main():
    if "--here" in sys.argv:
        measure_here()
        return 0
    found = {os.path.realpath(path): path for name in INTERPRETERS if (path := shutil.which(name))}
    for path in {sys.executable: sys.executable, **found}.values():
        subprocess.run([path, os.path.abspath(__file__), "--here"], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
