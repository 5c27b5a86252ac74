"""What a task sent leaves when the event loop gets its turn: one callback per turn, whatever many sockets were used."""

from __future__ import annotations

from asyncio import get_running_loop
from typing import TYPE_CHECKING

from purezmq.engine.burst import flush_thread
from purezmq.native import ThreadLocal

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["flush_soon"]


class _Turn(ThreadLocal):
    """The loop of this thread that was asked to flush already."""

    def __init__(self) -> None:
        self.loop: AbstractEventLoop | None = None


_turn = _Turn()


def flush_soon() -> None:
    """Write out what this thread's burst leaves when the tasks that run now have had their say."""
    try:
        loop = get_running_loop()
    except RuntimeError:
        flush_thread()
        return
    if _turn.loop is not loop:
        _turn.loop = loop
        loop.call_soon(_flush)


def _flush() -> None:
    _turn.loop = None
    flush_thread()
