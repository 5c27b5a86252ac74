"""Files are closed in order on a thread that lives while there are any, or without one where none can be had."""

from __future__ import annotations

import io
import os
import threading
from typing import Any, cast

import pytest

from purezmq.engine import swap_closer
from purezmq.engine.swap_closer import SwapCloser


class File(io.FileIO):
    """A file that says who closed it, and when it may be."""

    def __init__(self, may_close: threading.Event | None = None) -> None:
        super().__init__(os.open(os.devnull, os.O_RDONLY))
        self.may_close = may_close
        self.closed_by = 0

    def close(self) -> None:
        if self.may_close is not None:
            assert self.may_close.wait(10)
        self.closed_by = self.closed_by or threading.get_ident()
        super().close()


def test_files_are_closed_on_another_thread() -> None:
    """Who gives up a file doesn't wait; each that is gone is told of."""
    told: list[int] = []
    closer, gate = SwapCloser(lambda: told.append(1)), threading.Event()
    files = [File(gate) for _ in range(5)]
    for file in files:
        closer.close(file)
    assert not closer.wait(0.01)
    gate.set()
    assert closer.wait(10)
    assert all(file.closed for file in files)
    assert threading.get_ident() not in {file.closed_by for file in files}
    assert 5 == len(told)


def test_thread_starts_again() -> None:
    """It ends with its last file, and the next file has another one."""
    closer = SwapCloser(lambda: None)
    for _ in range(3):
        file = File()
        closer.close(file)
        assert closer.wait(10)
        assert file.closed


def test_error_of_the_system_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What close says of a file that nobody will read doesn't keep the next one from being closed."""

    class Broken(File):
        def close(self) -> None:
            super().close()
            raise OSError("injected")

    closer, files = SwapCloser(lambda: None), [Broken(), File()]
    for file in files:
        closer.close(file)
    assert closer.wait(10)
    assert files[1].closed_by


def test_without_a_thread_the_caller_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may have no more threads keeps no descriptors."""

    def fail(*arguments: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(swap_closer, "start_thread", fail)
    closer, file = SwapCloser(lambda: None), File()
    closer.close(file)
    assert threading.get_ident() == file.closed_by
    assert closer.wait(0)


def test_forked_child_closes_what_waits() -> None:
    """Its thread doesn't exist there; the file that it had in hand is open there, too."""
    gate = threading.Event()
    closer, files = SwapCloser(lambda: None), [File(gate), File()]
    for file in files:
        closer.close(file)
    child = os.fork()
    if not child:
        gate.set()
        closer.abandon()
        os._exit(0 if all(file.closed for file in files) and cast("bool", closer.wait(0)) else 1)
    gate.set()
    assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert closer.wait(10)
