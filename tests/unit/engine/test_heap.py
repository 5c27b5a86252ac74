"""Advice to the C allocator is an optimisation: without it nothing else changes."""

from __future__ import annotations

import sys

import pytest

from purezmq.engine import heap


def test_python_without_ctypes_keeps_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are builds without the module; what was freed isn't given back there, and that is all."""
    monkeypatch.setitem(sys.modules, "ctypes", None)
    heap.give_back_memory()


def test_process_that_may_not_have_the_block_starts_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on memory below the block's size costs the optimisation, not the first socket."""
    asked = []

    def refuse(size: int) -> bytes:
        asked.append(size)
        raise MemoryError

    monkeypatch.setattr(heap, "_done", False)
    monkeypatch.setattr(heap, "bytes", refuse, raising=False)
    heap.keep_large_buffers()
    assert [heap._BLOCK] == asked
