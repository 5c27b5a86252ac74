"""Requests that recover: send, wait for the reply, give up and send again (the Lazy Pirate of the ZeroMQ guide).

A reply carries nothing that says which request it answers, unless REQ_CORRELATE is set. So a request that is given up
takes its connection with it: a late reply has nowhere to go. The dialer makes the next connection at once; a peer that
came to us comes back by itself; over inproc the two ends are linked anew. A request that never left its queue is taken
back, and nothing else happens. With REQ_CORRELATE the ids tell late replies apart, and connections stay.

Two kinds of peers find a new connection with a late reply nevertheless: one that came to us, for its queue survives
the loss of a connection; and a ROUTER, when our ROUTING_ID tells it who is back. From the first request on that such a
peer may still answer, requests carry an id, too.
"""

from __future__ import annotations

from itertools import count

from purezmq.constants import EAGAIN, EFSM, ENOTSUP
from purezmq.error import make_error
from purezmq.sockets.reason import describe_peers, is_connected
from purezmq.sockets.socket_send import SocketSend
from purezmq.sockets.steps import Step, deadline_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TypeVar

    from typing_extensions import Buffer

    from purezmq.message import Frame
    from purezmq.pipe import Pipe
    from purezmq.sockets.steps import Steps

    _T = TypeVar("_T")

__all__ = ["Requests"]


class Requests(SocketSend):
    """The methods of a socket that make requests."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _run_steps(self, steps: Steps[_T]) -> _T: ...

    def request(
        self, message: Buffer | Frame | Sequence[Any], timeout: float | None = None, retries: int = 0
    ) -> bytes | list[bytes]:
        """Send a request and return its reply; send it again when none comes (REQ).

        Calls of several threads or tasks take turns; their time begins with their turn. Whatever happens (Again,
        Ctrl-C, cancellation), the socket is ready for the next request, and a late reply never answers that. The
        server may see a request more than once. To keep late replies apart the connection of a request that was
        given up is renewed, unless REQ_CORRELATE is set. Where late replies may come by the new connection, too (the
        server connected to this socket, or this one has a ROUTING_ID), requests carry an id after that, as with
        REQ_CORRELATE: a server with a ROUTER has to send back all parts through the empty one.

        Args:
            message: one part, or a list or tuple of parts.
            timeout: seconds that each attempt may take, sending included; None for ever.
            retries: how often to send it again when the time is over, or when the connection that it went by is
                lost: then at once when there is one again. The next peer in turn gets it, if there are several.

        Returns:
            The reply: bytes when it has one part, a list of bytes otherwise.

        Raises:
            Again: no reply came; the text says how often it was sent, and to whom.
            TypeError: a part is no buffer; nothing was sent.
            ValueError: there is no part, or retries is negative.
            ContextTerminated: the context was terminated.
            ZMQError: ENOTSUP (no REQ), EFSM (a request that was sent by `send` awaits its reply), ENOTSOCK (closed).
        """
        return self._run_steps(_request_steps(self, message, timeout, retries))


def _request_steps(socket: Requests, message: Any, timeout: float | None, retries: int) -> Steps[bytes | list[bytes]]:
    if socket._pattern.type_name != "REQ":
        raise make_error(ENOTSUP, f"only REQ sockets make requests, not {socket._pattern.type_name}")
    if retries < 0:
        text = f"retries is a number of times, not {retries}"
        raise ValueError(text)
    given = message if isinstance(message, (list, tuple)) else [message]
    parts = [socket._check_part(part, index, True) for index, part in enumerate(given)]
    if not parts:
        text = "a message has at least one part"
        raise ValueError(text)
    request = _Request(socket, parts)
    try:
        yield Step(request.take_turn)
        return (yield from _attempts(request, timeout, retries))
    finally:
        request.end()


def _attempts(request: _Request, timeout: float | None, retries: int) -> Steps[bytes | list[bytes]]:
    for tries in count(1):
        deadline = deadline_after(timeout)
        outcome: Any = None
        if (yield Step(request.try_send, deadline)):
            outcome = yield Step(request.look_for_reply, deadline)
        if type(outcome) is tuple:
            break
        is_lost = outcome is _LOST
        if tries > retries:
            raise make_error(EAGAIN, request.explain(tries, timeout, is_lost=is_lost))
        request.give_up()
        if is_lost:
            yield Step(request.has_peer, deadline)
    reply: bytes | list[bytes] = outcome[0]
    return reply


#: What `look_for_reply` finds when there will be none.
_LOST = object()


class _Request:
    """One call of `request`: sends, looks and gives up. Its methods are looks of steps (lease held), where not said."""

    __slots__ = ("_engine", "_message", "_parts", "_pattern", "_pipe", "_shared", "_socket")

    def __init__(self, socket: Requests, parts: list[Any]) -> None:
        self._socket = socket
        self._shared = socket._shared
        self._engine = socket._engine
        self._pattern: Any = socket._pattern
        self._parts = parts
        #: What lies, or lay, in a queue: the parts in their envelope.
        self._message: list[Any] | None = None
        #: Where it went.
        self._pipe: Pipe | None = None

    def take_turn(self) -> bool:
        """Begin, unless another call is in the middle of its request.

        Raises:
            ZMQError: EFSM: the application's own `send` awaits its reply, or has begun a message.
        """
        shared, pattern = self._shared, self._pattern
        if shared.request is not None:
            return False
        if pattern.waiting:
            pattern.check_send()
        if shared.parts is not None:
            raise make_error(EFSM, "a message was begun with SNDMORE: send its last part before the next request")
        shared.request = self
        return True

    def try_send(self) -> bool:
        """Send it to the next peer that is there, or else the next that has room."""
        self._turn_to_connected()
        message = self._message = self._parts.copy()
        if self._pattern.try_send(message):
            self._pipe = self._pattern.reply_pipe
            return True
        self._message = None
        self._engine.flush_all()
        self._engine.mark_room()
        return False

    def _turn_to_connected(self) -> None:
        balancer = self._pattern.balancer
        pipes, first = balancer.pipes, balancer.next_index
        for offset in range(len(pipes)):
            index = (first + offset) % len(pipes)
            if is_connected(pipes[index]) and pipes[index].can_write():
                balancer.next_index = index
                return

    def look_for_reply(self) -> Any:
        """The reply in a tuple, or that it's lost."""
        pattern = self._pattern
        reply = pattern.try_recv()
        if reply is not None:
            self._engine.queues.note_taken()
            self._message = None
            return (self._socket._as_message([bytes(part) for part in reply]) if type(reply) is list else bytes(reply),)
        if not pattern.is_lost:
            return None
        pipe = pattern.reply_pipe
        if pipe is not None and any(queued is self._message for queued in pipe.outbound):
            pattern.is_lost = False  # it had not left, and will by the next connection
            return None
        return _LOST

    def has_peer(self) -> bool:
        """Whether any peer is there now."""
        return any(is_connected(pipe) for pipe in self._pattern.balancer.pipes)

    def give_up(self) -> None:
        """Wait for the reply no more, and see to it that it never comes (takes the lease)."""
        with self._engine.lease.afterwards, self._engine.lease.guard:
            pattern = self._pattern
            message, self._message = self._message, None
            if message is None or not pattern.waiting or not self._shared.usable:
                return
            is_correlated = self._socket._options.req_correlate and pattern.request_id is not None
            is_lost = pattern.is_lost
            pipe = pattern.give_up()
            if pipe is not None and _take_back(pipe, message):
                self._engine.handle_room()
                return
            if self._pipe is None or (_has_left(self._pipe, message) and self._comes_back(self._pipe)):
                pattern.must_correlate = True
            if pipe is not None and not is_correlated and not is_lost:
                _renew(pipe)
                _take_back(pipe, message)  # what the system had not taken lies in the queue again
                self._engine.handle_room()

    def _comes_back(self, pipe: Pipe) -> bool:
        """Whether a late reply may come by the peer's next connection."""
        carrier = pipe.carrier
        if self._socket._options.routing_id:
            return True
        if getattr(carrier, "is_direct", False):
            return carrier.peer is not None and bool(carrier.peer.given_id)
        return carrier.dialer is None

    def end(self) -> None:
        """Let the next call have its turn (takes the lease)."""
        if self._shared.request is self:
            try:
                self.give_up()
            finally:
                self._shared.request = None
                self._engine.leadership.wake()

    def explain(self, tries: int, timeout: float | None, *, is_lost: bool) -> str:
        """The text of Again (takes the lease)."""
        with self._engine.lease.afterwards, self._engine.lease.guard:
            peers = describe_peers(self._engine)
        tried = "tried once" if tries == 1 else f"tried {tries} times"
        why = "the connection was lost before the reply came" if is_lost else f"no reply within {timeout} s"
        return f"{why}, {tried}; peers: {peers}"


def _take_back(pipe: Pipe, message: list[Any]) -> bool:
    """Take a request out of the queue, if it lies there still (lease held)."""
    outbound = pipe.outbound
    if type(outbound) is list:
        for index, queued in enumerate(outbound):
            if queued is message:
                del outbound[index]
                return True
        return False
    try:
        outbound.remove(message)  # inproc: its reader may be just about to take it
    except (ValueError, IndexError):
        return False
    from purezmq.pipe import DropReason  # the engine comes with the first socket

    pipe.drop(1, DropReason.WITHDRAWN)  # it was counted when it was put into the queue
    return True


def _has_left(pipe: Pipe, message: list[Any]) -> bool:
    """Whether the system has taken all of a message that is in the queue no more: what left in part has no reply."""
    unsent = getattr(pipe.carrier, "unsent", None) or ()
    return not any(known is message for entry in unsent for known in entry.messages)


def _renew(pipe: Pipe) -> None:
    """Have a pipe's connection made anew, so that nothing comes by the old one any more (lease held)."""
    carrier = pipe.carrier
    if getattr(carrier, "is_direct", False):
        carrier.renew()
    elif carrier.dialer is not None:
        carrier.dialer.renew()
    else:
        carrier.close_stream(None)
