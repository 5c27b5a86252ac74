"""What a process holds of the machine now."""

from __future__ import annotations

import gc
import os

import pytest

__all__ = ["resident_bytes"]


def resident_bytes(pid: int | str = "self") -> int:
    """Bytes of memory that a process has in use, after a collection where it's our own; skips where nobody tells."""
    if pid == "self":
        gc.collect()
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:
        pytest.skip("this system has no /proc that tells the memory of a process")
