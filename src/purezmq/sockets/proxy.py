"""proxy and its kin: connect a frontend and a backend socket, both ways, in batches (zmq_proxy)."""

from __future__ import annotations

from struct import pack

from purezmq.constants import DONTWAIT, EINVAL, POLLIN, POLLOUT
from purezmq.engine.burst import flush_thread
from purezmq.error import make_error
from purezmq.sockets.poller import poll_items

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.sockets.socket import Socket

__all__ = ["Direction", "device", "pass_messages", "proxy", "proxy_steerable"]

#: Messages moved in one direction before the other one has its turn.
BATCH_MESSAGES = 200


class Direction:
    """One direction of a proxy, with its counts for STATISTICS.

    Args:
        source: where messages come from.
        sink: where they go.
        capture: gets a copy of each, if given.
        counts: whether they are counted.
    """

    __slots__ = (
        "adapts",
        "addressed",
        "capture",
        "counts",
        "messages_in",
        "messages_out",
        "received_bytes",
        "sent_bytes",
        "sink",
        "source",
        "waiting",
    )

    def __init__(self, source: Socket, sink: Socket, capture: Socket | None, *, counts: bool) -> None:
        #: Only a steerable proxy is ever asked for its counts.
        self.counts = counts
        incoming, outgoing = source._pattern, sink._pattern
        #: `waiting` holds [address, body]: the sink takes the kind of address that the source tells.
        self.addressed = incoming.addressing != "" and incoming.addressing == outgoing.addressing
        #: Messages of the source are not what the sink takes, or not all of them.
        self.adapts = not self.addressed and (incoming.addressing != "" or outgoing.single_part)
        self.source = source
        self.sink = sink
        self.capture = capture
        #: Received and not yet sent, because the sink is full.
        self.waiting: list[Any] = []
        self.messages_in = self.received_bytes = self.messages_out = self.sent_bytes = 0

    def move(self) -> bool:
        """Move what is there, at most a batch; whether anything moved."""
        waiting = self.waiting
        if not waiting:
            waiting = self.waiting = self.source._take_many(BATCH_MESSAGES)
            if not waiting:
                return False
            if self.adapts:
                waiting = self.waiting = self._adapt(waiting)
            if self.counts or self.capture is not None:
                self._note_received()
        # A pattern may change the list of parts that it's given (a ROUTER takes the id off), so count first.
        parts, size = self._measure() if self.counts else (0, 0)
        sent = self.sink._give_many(waiting)
        del waiting[:sent]
        if self.counts:
            parts_left, size_left = self._measure()
            self.messages_out += parts - parts_left
            self.sent_bytes += size - size_left
        return sent > 0

    def _note_received(self) -> None:
        """Count and copy the messages in `waiting`, which came a moment ago."""
        parts, size = self._measure()
        self.messages_in += parts
        self.received_bytes += size
        if self.capture is not None:
            # A copy of each list of parts: the sink may change the one it gets.
            self.capture.send_many([list(one) if type(one) is list else one for one in self._bodies()])

    def _adapt(self, messages: list[Any]) -> list[Any]:
        """What the sink takes: no addresses of another kind, and on types with single parts nothing of several."""
        if self.source._pattern.addressing:
            return [body for _, body in messages]
        kept = [message for message in messages if type(message) is not list]
        self.sink._pattern.dropped += len(messages) - len(kept)
        return kept

    def _bodies(self) -> list[Any]:
        """The messages in `waiting` without addresses."""
        return [body for _, body in self.waiting] if self.addressed else self.waiting

    def _measure(self) -> tuple[int, int]:
        """Parts and bytes of the messages in `waiting`."""
        bodies = self._bodies()
        return _count_parts(bodies), _count_bytes(bodies)


def _count_parts(messages: list[Any]) -> int:
    """libzmq counts each part as a message."""
    return sum(len(message) if type(message) is list else 1 for message in messages)


def _count_bytes(messages: list[Any]) -> int:
    return sum(sum(map(len, message)) if type(message) is list else len(message) for message in messages)


def proxy(frontend: Socket, backend: Socket, capture: Socket | None = None) -> None:
    """Pass messages between two sockets, both ways, until the context is terminated or a socket closed.

    Args:
        frontend: one side; may be the same socket as `backend` (an echo of its peers, as Jupyter's heartbeat uses).
        backend: the other side.
        capture: gets a copy of every message, if given.

    Raises:
        ContextTerminated: the context was terminated.
        ZMQError: ENOTSOCK: a socket was closed.
    """
    _run(frontend, backend, capture, None)


def proxy_steerable(
    frontend: Socket, backend: Socket, capture: Socket | None = None, control: Socket | None = None
) -> None:
    """`proxy` that obeys a control socket: PAUSE, RESUME, TERMINATE, STATISTICS.

    STATISTICS is answered by eight parts, each a u64 in the machine's byte order: messages and bytes received and
    sent by the frontend, then by the backend. The other commands are answered by an empty message (as by libzmq
    4.3.5), unless the control socket can't send.

    Raises:
        ContextTerminated: the context was terminated.
        ZMQError: ENOTSOCK; EINVAL: an unknown command.
    """
    _run(frontend, backend, capture, control)


def device(device_type: int, frontend: Socket, backend: Socket) -> None:
    """pyzmq's older name of `proxy`; the type (QUEUE, FORWARDER, STREAMER) makes no difference."""
    del device_type
    proxy(frontend, backend)


def _run(frontend: Socket, backend: Socket, capture: Socket | None, control: Socket | None) -> None:
    counts = control is not None
    forward = Direction(frontend, backend, capture, counts=counts)
    backward = Direction(backend, frontend, capture, counts=counts)
    pass_messages(forward, backward, control)


def pass_messages(
    forward: Direction,
    backward: Direction,
    control: Socket | None = None,
    *,
    poll: Callable[[list[tuple[Any, int]], float | None], list[tuple[Any, int]]] = poll_items,
    handle_batch: Callable[[], None] = flush_thread,
) -> None:
    """Move messages both ways until the context is terminated, a socket closed, or `control` says TERMINATE.

    Args:
        forward: from the frontend to the backend.
        backward: the other way; not used if both are the same socket.
        control: see `proxy_steerable`.
        poll: how to wait; a front that must not block its thread has its own.
        handle_batch: called after each batch in each direction.

    Raises:
        ContextTerminated: the context was terminated.
        ZMQError: ENOTSOCK; EINVAL: an unknown command.
    """
    directions = [forward] if forward.source is forward.sink else [forward, backward]
    directions = [one for one in directions if one.source._pattern.can_receive and one.sink._pattern.can_transmit]
    paused = False
    while True:
        items: dict[Any, int] = {} if control is None else {control: int(POLLIN)}
        if not paused:
            for direction in directions:
                # Wait for what comes, or for room when what came last could not be passed on yet.
                socket, flag = (direction.sink, POLLOUT) if direction.waiting else (direction.source, POLLIN)
                items[socket] = items.get(socket, 0) | int(flag)
        ready = dict(poll(list(items.items()), None))
        if control is not None and ready.get(control, 0) & POLLIN:
            command = _obey(control, forward, backward)
            if command == "TERMINATE":
                return
            paused = command == "PAUSE" or (paused and command != "RESUME")
        if not paused:
            _move_all(directions, control, handle_batch)


def _move_all(directions: list[Direction], control: Socket | None, handle_batch: Callable[[], None]) -> None:
    """Move messages while any come, without asking the system which socket is ready."""
    moved = True
    while moved and not (control is not None and control._recv_hint()):
        moved = False
        for direction in directions:
            if not direction.waiting:
                direction.source._engine.leadership.try_pump()
            moved = direction.move() or moved
        handle_batch()


def _obey(control: Socket, forward: Direction, backward: Direction) -> str:
    """Read a command and answer it."""
    command = control.recv().decode("latin-1").rstrip("\0")
    if command not in {"PAUSE", "RESUME", "TERMINATE", "STATISTICS"}:
        raise make_error(EINVAL, f"unknown proxy command {command!r}; send PAUSE, RESUME, TERMINATE or STATISTICS")
    if command == "STATISTICS":
        numbers = (
            forward.messages_in, forward.received_bytes, backward.messages_out, backward.sent_bytes,
            backward.messages_in, backward.received_bytes, forward.messages_out, forward.sent_bytes,
        )  # fmt: skip
        control.send_multipart([pack("=Q", number) for number in numbers])
    elif control._pattern.can_transmit:
        control.send(b"", DONTWAIT)
    return command
