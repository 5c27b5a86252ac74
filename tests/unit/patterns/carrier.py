"""A scripted carrier: stands where a session or an inproc link would, and notes what the pattern asks of it."""

from __future__ import annotations

from typing import Any

from purezmq.options import SocketOptions
from purezmq.patterns.base import Pattern
from purezmq.patterns.compatibility import pattern_for
from purezmq.pipe import Pipe

__all__ = ["ScriptedCarrier", "ScriptedPeer", "SharedScript", "make_pattern", "texts"]


class Identity:
    """What a handshake tells, as far as a pattern looks at it."""

    def __init__(self, routing_id: bytes) -> None:
        self.routing_id = routing_id


class ScriptedCarrier:
    """Takes what is written only when told (`ScriptedPeer.sent`), and never by itself."""

    def __init__(self, *, is_direct: bool = False) -> None:
        self.is_direct = is_direct
        self.writes = 0
        self.drained = 0
        self.flushes = 0
        self.swap: Any = None
        self.drops: list[tuple[int, str]] = []
        self.subscriptions: list[tuple[bytes, bool]] = []
        self.ended: list[Pipe] = []
        self.refusals: list[tuple[str, str]] = []
        self.handle_end: Any = None

    def handle_write(self, pipe: Pipe) -> None:
        self.writes += 1
        pipe.quiet = False

    def handle_drained(self, pipe: Pipe) -> None:
        self.drained += 1

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        self.subscriptions.append((topic, subscribe))

    def flush_pipe(self, pipe: Pipe) -> None:
        self.flushes += 1

    def free_unsent(self, pipe: Pipe) -> None:
        """Nothing is on its way."""

    def open_swap(self, pipe: Pipe) -> Any:
        return self.swap

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None:
        self.drops.append((count, reason))

    def end_pipe(self, pipe: Pipe) -> None:
        self.ended.append(pipe)
        if self.handle_end is not None:
            self.handle_end(pipe)

    def refuse_pipe(self, pipe: Pipe, text: str, reason: str) -> None:
        self.refusals.append((text, reason))
        self.end_pipe(pipe)


class SharedScript:
    """Flushes a shared queue as the engine does: every member gets what it has room for."""

    def __init__(self) -> None:
        self.writes = 0
        self.flushes = 0

    def handle_write(self, queue: Any) -> None:
        self.writes += 1
        if len(queue.outbound) >= queue.write_room():
            self.flush_shared(queue)
        else:
            queue.quiet = False

    def flush_shared(self, queue: Any) -> None:
        self.flushes += 1
        batch = queue.outbound[:]
        queue.outbound.clear()
        queue.quiet = True
        for pipe in list(queue.members):
            for message in batch:
                if pipe.can_write():
                    pipe.outbound.append(message)
                else:
                    assert pipe.overflow(message)


class ScriptedPeer:
    """The other end of a pipe, played by a test: brings messages, takes what was sent, comes and goes.

    Args:
        pattern: the pattern under test.
        routing_id: what the peer calls itself.
        connects: the pipe belongs to our connect(): it is attached before the handshake.
        direct: over inproc.
        hwm: both marks.
        open: attach now (and tell the handshake, unless `connects`).
    """

    def __init__(
        self,
        pattern: Pattern,
        routing_id: bytes = b"",
        *,
        connects: bool = False,
        direct: bool = False,
        hwm: int = 0,
        connect_routing_id: bytes = b"",
        is_open: bool = True,
    ) -> None:
        self.pattern = pattern
        self.identity = routing_id
        self.connect_routing_id = connect_routing_id
        self.carrier = ScriptedCarrier(is_direct=direct)
        self.carrier.handle_end = lambda pipe: self.leave()
        self.pipe = Pipe(self.carrier, hwm, hwm)
        self.pipe.policy = self.pipe.fallback = pattern.overflow
        self.pipe.routing_id = connect_routing_id
        if not connects:
            self._shake_hands()
        if is_open:
            self.attach()
            if not connects:
                self.connected()

    def _shake_hands(self) -> None:
        self.pipe.peer = None if self.carrier.is_direct else Identity(self.identity)
        if not self.connect_routing_id:
            self.pipe.routing_id = self.identity

    def attach(self) -> None:
        self.pipe.attached = True
        self.pattern.attach(self.pipe)

    def connected(self) -> None:
        """The handshake succeeded (again)."""
        self._shake_hands()
        if self.pipe.attached:
            self.pattern.connected(self.pipe)

    def leave(self) -> None:
        """The connection is lost: what was not carried yet is dropped."""
        self.pipe.ended = True
        if self.pipe.attached:
            self.pipe.attached = False
            self.pattern.detach(self.pipe)

    def disconnect(self) -> None:
        """An orderly end: what was sent still leaves."""
        self.pipe.attached = False
        self.pattern.detach(self.pipe)
        self.pipe.ended = True

    def bring(self, *messages: Any) -> None:
        """Messages arrive from the peer."""
        for message in messages:
            self.pipe.inbound.append(message)
        self.pattern.inbox.activate(self.pipe)

    def subscribe(self, *topics: bytes) -> None:
        for topic in topics:
            self.pattern.handle_subscription(self.pipe, topic, True)

    def cancel(self, *topics: bytes) -> None:
        for topic in topics:
            self.pattern.handle_subscription(self.pipe, topic, False)

    def sent(self) -> list[Any]:
        """What the pattern sent to this peer since the last look; shared queues are flushed first."""
        queue = self.pipe.share
        if queue is not None and getattr(queue, "outbound", None):
            queue.carrier.flush_shared(queue)
        messages = list(self.pipe.outbound)
        self.pipe.outbound.clear()
        self.pipe.quiet = True
        return messages

    @property
    def is_refused(self) -> bool:
        return bool(self.carrier.ended)


def make_pattern(socket_type: int, **options: Any) -> Any:
    """A pattern with these options set, and a script that flushes its shared queues."""
    values = SocketOptions(int(socket_type))
    for name, value in options.items():
        setattr(values, name, value)
    pattern: Any = pattern_for(int(socket_type))(values)
    if hasattr(pattern, "shared_carrier"):
        pattern.shared_carrier = SharedScript()
    return pattern


def texts(pattern: Any) -> list[Any]:
    """Everything that can be received now."""
    return list(iter(pattern.try_recv, None))
