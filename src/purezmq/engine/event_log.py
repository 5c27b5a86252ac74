"""What a socket writes to the logger "purezmq" about lost messages and refusals: at once, then at a bounded rate.

The first event of a kind is logged as it happens; what follows is counted and logged as one line per `LOG_IVL_S`, so
that a flood costs a dictionary update per event, and every message is in some line. There are no lines in a program
that doesn't log: not even `logging` is imported for it, and stderr stays empty.

Lines are written by a thread of their own, which ends when there are none. A handler may do anything, wait or use a
socket (`purezmq.log` does), so it must run without a lease and never on the I/O thread.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections import deque
from time import monotonic

from purezmq.engine.single_thread import SingleThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.engine.timers import Timer

__all__ = ["LOG_IVL_S", "EventLog", "write_line"]

#: At most one line per socket and kind of event in this time (seconds).
LOG_IVL_S = 10.0
#: A line names so many endpoints; it counts the others.
MAX_ENDPOINTS = 3
#: Lines that wait for a slow handler; older ones are given up.
MAX_LINES = 1000
#: The end of the process waits so long for lines that are being written (seconds).
EXIT_WAIT_S = 1.0

#: By kind: the line, what it counts (one, several), and where more is to be learned.
_LINES = {
    "message_dropped": ("dropped {count} {noun} for {where}{why}", ("message", "messages"), "; see socket.stats()"),
    "swap_full": ("the queue on disk for {where} took no more, {count} {noun}{why}", ("time", "times"), ""),
    "swap_corrupt": ("lost {count} {noun} of the damaged queue on disk for {where}{why}", ("message", "messages"), ""),
    "duplicate_routing_id": (
        "{count} {noun} of {where} came with the routing id of another{why}",
        ("peer", "peers"),
        "; give each peer a ROUTING_ID of its own, or set ROUTER_HANDOVER",
    ),
    "limit_exceeded": (
        "{count} {noun} into a limit at {where}{why}",
        ("peer ran", "peers ran"),
        "; see socket.stats()",
    ),
    "peer_refused": ("refused {count} {noun} by {where}{why}", ("time", "times"), ""),
    "peer_denied": ("kept {count} {noun} out of {where}{why}", ("peer", "peers"), ""),
}


class _Tally:
    """What happened since the last line of one kind."""

    __slots__ = ("counts", "endpoints", "kind", "timer", "total")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        #: Runs out when the next line may be written; None: at once.
        self.timer: Timer | None = None
        self.clear()

    def clear(self) -> None:
        """A line tells it."""
        self.total = 0
        #: Per reason how many, and the last text about it.
        self.counts: dict[str, list[Any]] = {}
        #: Which endpoints, in order; the keys of a dictionary are a set that keeps it.
        self.endpoints: dict[str, None] = {}

    def add(self, endpoint: str, count: int, reason: str, error: str) -> None:
        """One more event."""
        self.total += count
        known = self.counts.get(reason)
        if known is None:
            self.counts[reason] = [count, error]
        else:
            known[0] += count
            known[1] = error or known[1]
        if len(self.endpoints) <= MAX_ENDPOINTS:  # one more than is named tells that there are others
            self.endpoints[endpoint] = None

    def describe(self) -> str:
        """The line."""
        line, nouns, advice = _LINES[self.kind]
        where = [name or "a peer" for name in self.endpoints][:MAX_ENDPOINTS]
        if len(self.endpoints) > MAX_ENDPOINTS:
            where.append("others")
        reasons = [_describe_reason(reason, *entry) for reason, entry in self.counts.items()]
        why = ", ".join(filter(None, reasons))
        noun = nouns[self.total != 1]
        text = line.format(count=self.total, noun=noun, where=", ".join(where), why=f": {why}" if why else "")
        return text + advice


def _describe_reason(reason: str, count: int, error: str) -> str:
    if not reason:
        return error
    return f"{reason} {count} ({error})" if error else f"{reason} {count}"


class EventLog:
    """The lines of one socket (lease held).

    Args:
        engine: the socket's: its loop runs the timers, its lease guards what is counted.
    """

    __slots__ = ("_engine", "_tallies")

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._tallies: dict[str, _Tally] = {}

    def note(self, kind: str, endpoint: str, count: int, reason: str, error: str) -> None:
        """Count an event; log it if there was none of its kind for a while.

        Args:
            kind: of `SocketEvent`; the others have no lines.
            endpoint: where; as the application gave it.
            count: how many messages, or peers; 0 counts as one.
            reason: one word.
            error: a text about it.
        """
        tally = self._tallies.get(kind)
        if tally is None:
            if kind not in _LINES:
                return
            tally = self._tallies[kind] = _Tally(kind)
        tally.add(endpoint, count or 1, reason, error)
        if tally.timer is None:
            self._write(tally)

    def _write(self, tally: _Tally) -> None:
        _writer.write(tally.describe())
        tally.clear()
        if not self._engine.closed:
            tally.timer = self._engine.loop.call_at(monotonic() + LOG_IVL_S, lambda: self._handle_time(tally))

    def _handle_time(self, tally: _Tally) -> None:
        """The next line may be written (I/O thread, no lease)."""
        with self._engine.lease:
            tally.timer = None
            if tally.total and not self._engine.closed:
                self._write(tally)

    def close(self) -> None:
        """Nothing will follow: write what was counted since the last line."""
        for tally in self._tallies.values():
            if tally.timer is not None:
                tally.timer.cancel()
                tally.timer = None
            if tally.total:
                _writer.write(tally.describe())
                tally.clear()


class _Writer:
    """Takes lines from any thread, whatever it holds, and logs them in a thread of its own."""

    def __init__(self) -> None:
        self._lines: deque[tuple[str, Callable[[], None] | None]] = deque(maxlen=MAX_LINES)
        self._thread = SingleThread(self._write_lines, "purezmq-log", lambda: self._lines)

    def write(self, line: str, handle_unheard: Callable[[], None] | None = None) -> None:
        """As `write_line`."""
        if "logging" not in sys.modules:
            if handle_unheard is not None:
                handle_unheard()
            return
        self._lines.append((line, handle_unheard))
        try:
            self._thread.start()
        except RuntimeError:  # no thread can be started any more: the process ends
            pass

    def _write_lines(self) -> None:
        while self._lines:
            line, handle_unheard = self._lines.popleft()
            if not _log(line) and handle_unheard is not None:
                handle_unheard()

    def finish(self) -> None:
        """At exit: a thread that is stopped amid a write would leave the lock of stderr locked."""
        self._thread.close(EXIT_WAIT_S)  # nothing is written any more

    def reset(self) -> None:
        """In a forked child, where the thread doesn't exist."""
        self.__init__()  # type: ignore[misc]  # made anew, on purpose


def write_line(line: str, handle_unheard: Callable[[], None] | None = None) -> None:
    """Log a line soon, if this program logs at all (any thread, whatever it holds).

    Args:
        line: without a newline.
        handle_unheard: called, at once or by the thread that logs, where nobody listens for the line; it takes no lock
            and doesn't raise.
    """
    _writer.write(line, handle_unheard)


def _log(line: str) -> bool:
    """Log a line; tell whether anybody listens."""
    import logging

    try:
        logger = logging.getLogger("purezmq")
        # Nobody has said where log records go: logging would write them to stderr, which is the program's own. The
        # errors that `fence` reports do go there, so a NullHandler can't be what keeps these lines from it.
        if not logger.hasHandlers() or not logger.isEnabledFor(logging.WARNING):
            return False
        logger.warning("%s", line)
    except Exception:  # noqa: BLE001 - a filter or handler of the application: there is nobody to tell
        pass
    return True


_writer = _Writer()
atexit.register(_writer.finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_writer.reset)
