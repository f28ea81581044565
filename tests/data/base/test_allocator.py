"""Freed memory is kept for the next session; only what is new is looked at for garbage."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

#: Threads that lay out large arrays again and again: how often that asked the system for a page.
_PAGES = """
import resource, sys
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from gexlab.data.base.allocator import keep_freed_memory
said = keep_freed_memory()
def work(_):
    for size in (30_000, 60_000, 90_000) * 100:
        held = [np.ones(size) for _ in range(4)]
with ThreadPoolExecutor(2) as pool:
    list(pool.map(work, range(2)))
print(said, resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
"""


def _pages(**environment: str) -> tuple[bool, int]:
    plain = {name: value for name, value in os.environ.items() if "MALLOC_" not in name}
    done = subprocess.run(
        [sys.executable, "-c", _PAGES], env=plain | environment, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    said, pages = done.stdout.split()
    return said == "True", int(pages)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_pages_are_asked_for_once() -> None:
    said, few = _pages()
    # as glibc has it by itself: 128 KB
    left, many = _pages(MALLOC_TRIM_THRESHOLD_="131072", MALLOC_MMAP_THRESHOLD_="131072")
    assert (said, left) == (True, False)
    assert 2 * few < many


#: What Arrow takes its memory from afterwards.
_ARROW = """
import pyarrow as pa
from gexlab.data.base.allocator import share_freed_memory
before = pa.default_memory_pool().backend_name
share_freed_memory()
print(before, pa.default_memory_pool().backend_name)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc")
def test_arrow_takes_its_memory_from_the_c_library_unless_told_otherwise() -> None:
    plain = {name: value for name, value in os.environ.items() if "MEMORY_POOL" not in name}
    told = {"ARROW_DEFAULT_MEMORY_POOL": "jemalloc"}
    found = [
        subprocess.run(
            [sys.executable, "-c", _ARROW], env=given, capture_output=True, text=True, check=True
        ).stdout.split()
        for given in (plain, plain | told)
    ]
    assert found[0][1] == "system"
    assert found[1][0] == found[1][1]


#: How many objects Python's collector passes over: before, within, after, and where somebody had
#: put objects aside.
_ASIDE = """
import gc
from contextlib import ExitStack
from gexlab.data.base.allocator import collect_new_only
counts = [gc.get_freeze_count()]
with ExitStack() as until:
    collect_new_only(until)
    with ExitStack() as again:
        collect_new_only(again)
    counts.append(gc.get_freeze_count())
counts.append(gc.get_freeze_count())
gc.freeze()
with ExitStack() as until:
    collect_new_only(until)
print(*counts, gc.get_freeze_count())
"""


def test_only_what_is_new_is_looked_at_for_garbage() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASIDE], capture_output=True, text=True, check=True
    )
    before, within, after, theirs = map(int, done.stdout.split())
    assert (before, after) == (0, 0)
    assert within > 1_000
    assert theirs > 1_000
