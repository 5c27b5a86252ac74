"""A session: one peer's pipe, its connection (the sans-I/O machine) and the stream that carries it.

On the connect side a session outlives its connections: the pipe keeps what is queued and the next stream takes over.
On the bind side a session begins with an accepted stream and ends with it; its pipe exists from the end of the
handshake on. The outgoing half is `outbox`, the incoming one `inbox`. Everything here needs the lease, and nothing here
raises for what a peer or the system does: it ends in `close_stream`.
"""

from __future__ import annotations

from itertools import count
from time import monotonic

from purezmq.constants import Event
from purezmq.engine.confirmation import Confirmation
from purezmq.engine.fence import is_interruption, is_of_system, report
from purezmq.engine.inbox import Inbox
from purezmq.engine.outbox import Outbox
from purezmq.engine.selector import READ, WRITE
from purezmq.pipe import DropReason
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import (
    AuthenticationNeeded,
    Cancelled,
    ConnectionFailed,
    FailureReason,
    HandshakeSucceeded,
    Joined,
    Left,
    MessagesDropped,
    Ponged,
    Subscribed,
)
from purezmq.wire.greeting import V3_0
from purezmq.wire.limits import MAX_READ_SIZE
from purezmq.wire.verdict import ADMITTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.dialer import Dialer
    from purezmq.engine.newcomers import Newcomers
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.engine.timers import Timer
    from purezmq.engine.zap import Question
    from purezmq.pipe import Pipe
    from purezmq.transports.base import SocketStream
    from purezmq.wire.connection import Connection
    from purezmq.wire.events import PeerInfo
    from purezmq.wire.verdict import Verdict

__all__ = ["Session", "drain"]

#: A receive buffer is emptied this often before a connection closes, so that unread bytes don't reset it.
DRAIN_READS = 16
#: A peer that is refused gets so long to take what was sent to it before (seconds), and less if LINGER is less.
REFUSAL_LINGER_S = 10.0

#: Numbers of connections, of the whole process; `next` is atomic.
_numbers = count(1)

#: What the monitor says for each way a handshake can fail (behaviour notes D.5).
_HANDSHAKE_EVENTS = {
    FailureReason.PROTOCOL: Event.HANDSHAKE_FAILED_PROTOCOL,
    FailureReason.TOO_BIG: Event.HANDSHAKE_FAILED_PROTOCOL,
    FailureReason.AUTH: Event.HANDSHAKE_FAILED_AUTH,
}
#: The peer sent an ERROR, and this is what it said; the other reasons are what we found.
_REFUSALS = frozenset({FailureReason.AUTH, FailureReason.NO_DETAIL})


class Session(Outbox, Inbox):
    """See the module's text.

    Args:
        engine: of the socket.
        endpoint: the text the monitor names (the listener's or the dialer's endpoint).
        dialer: who makes the next connection when this one is lost; None on the bind side.
        text: the endpoint as the application gave it.

    Attributes:
        number: of the connection, unique in the process; 0 without one.
        remote: the peer's endpoint, as far as the transport knows it; empty without a connection.
        peer_info: what the handshake of this connection told; None before its end.
        newcomers: of the listener, while the handshake of a connection that it accepted goes on.
    """

    __slots__ = (
        "_denial", "_is_lost", "_refusal", "confirmation", "connection", "dialer", "ending", "endpoint", "engine",
        "mask", "newcomers", "number", "overflow", "peer_info", "question", "read_batch", "remote", "sent_before",
        "text", "timer",
    )  # fmt: skip

    def __init__(self, engine: SocketEngine, endpoint: str, dialer: Dialer | None = None, text: str = "") -> None:
        super().__init__()
        self.engine = engine
        self.endpoint = endpoint
        self.text = text or endpoint
        self.number = 0
        self.remote = ""
        #: Messages that earlier connections of this pipe gave to the system.
        self.sent_before = 0
        self.peer_info: PeerInfo | None = None
        #: Why the pattern refuses the peer: our last words to it.
        self._refusal: str | None = None
        #: Why the peer is not let in, in a word.
        self._denial = ""
        #: The engine was told of this connection's end.
        self._is_lost = False
        #: What the ZAP handler is being asked about the peer.
        self.question: Question | None = None
        self.dialer = dialer
        self.newcomers: Newcomers | None = None
        #: The policy given to bind() or connect(), if any.
        self.overflow = ""
        self.connection: Connection | None = None
        #: Of a subscriber: how far the publisher behind this connection has confirmed.
        self.confirmation: Confirmation | None = None
        self.mask = 0
        #: Most bytes of one read: IN_BATCH_SIZE where it was set.
        self.read_batch = MAX_READ_SIZE
        #: The connection ends when everything was written.
        self.ending = False
        self.timer: Timer | None = None

    def __repr__(self) -> str:
        return f"<Session {self.endpoint} {self.connection!r} {self.pipe!r}>"

    # -- life ----------------------------------------------------------------------------------------------------

    def note_stream(self, stream: SocketStream) -> None:
        """There is a new connection: from here on events name it."""
        self.number = next(_numbers)
        self._is_lost = False
        self.remote = stream.remote
        self.peer_info = None

    def open_stream(self, stream: SocketStream, connection: Any, now: float) -> None:
        """Start speaking over a new stream."""
        self.stream = stream
        self.connection = connection
        self.fd = stream.fileno()
        self.mask = READ
        self.engine.sessions[self.fd] = self
        self.engine.leadership.register(self.fd, READ, self)
        connection.start(now)
        self._after_input(now)
        self._schedule_timer()

    def handle_event(self, mask: int, now: float) -> None:
        """The stream is readable, writable or broken."""
        try:
            if mask & ~WRITE:
                self._read(now)
            if mask & WRITE and self.stream is not None:
                if self.unsent is None:  # it was given back, and a PONG waited for the end of it
                    self.flush_control(now)
                self.flush(now)
        except BaseException as error:
            if not self._contain(error):
                raise

    def _after_input(self, now: float, messages: list[Any] | None = None) -> None:
        """Handle what the connection says besides messages: events, control output, its end."""
        connection = self.connection
        if connection is None:
            return
        event = connection.next_event()
        failure = None
        while event is not None:
            if type(event) is HandshakeSucceeded:
                # Our READY precedes whatever the events make us send, and a PONG follows them.
                self.flush_control(now, keeps_pong=True)
            if type(event) is ConnectionFailed:
                failure = event
            else:
                try:
                    self._handle_event_of_peer(event, now)
                except RemoteProtocolError as error:  # of the pattern
                    failure = ConnectionFailed(error.reason, error.text, error.status, error.limit)
                    break
            event = connection.next_event()
        # A PONG follows what its PING stood behind: a subscriber takes it for the end of its subscriptions.
        self.flush_control(now)
        if messages and self.pipe is not None:
            if self.pipe.attached:
                self._deliver(self.pipe, messages)
            else:  # they came with the handshake of a peer that the pattern doesn't take
                self.pipe.received += len(messages)
                self.pipe.drop(len(messages), DropReason.REFUSED, inbound=True)
        when = connection.next_timer()
        if when is not None and (self.timer is None or when < self.timer.when):
            self._schedule_timer()  # the peer's TTL may be shorter than what we had in mind
        if self.newcomers is not None:
            self.newcomers.note(self, connection.early_size)
        if failure is not None:
            self._fail(failure)
        elif self.stream is not None and connection.ready and self.pipe is not None and self.pipe.outbound:
            self.flush(now)

    def _handle_event_of_peer(self, event: Any, now: float) -> None:
        kind = type(event)
        if kind is HandshakeSucceeded:
            self._schedule_timer()
            self.frame_overhead = getattr(self.connection, "frame_overhead", 0)  # a raw connection has no frames
            self.leave_newcomers()
            self.engine.handle_handshake(self, event.peer, now)
        elif self.pipe is not None and (kind is Subscribed or kind is Cancelled):
            self.engine.pattern.handle_subscription(self.pipe, event.topic, kind is Subscribed)
            self.engine.leadership.wake()
        elif self.pipe is not None and (kind is Joined or kind is Left):
            self.engine.pattern.handle_subscription(self.pipe, event.group, kind is Joined)
            self.engine.leadership.wake()
        elif kind is Ponged:
            if self.confirmation is not None:
                self.confirmation.handle_echo(event.context)
                self.engine.leadership.wake()
        elif kind is MessagesDropped:
            self.engine.pattern.drop(event.count, DropReason.MALFORMED)
        elif kind is AuthenticationNeeded:
            from purezmq.engine.zap import decide  # a socket without security pays nothing

            decide(self, event, now)

    def admit(self, verdict: Verdict, now: float) -> None:
        """It was decided about the peer: go on with the handshake, or refuse it (lease held)."""
        if self.connection is None:
            return
        try:
            if verdict.status != ADMITTED:
                self._denial = "denied"
            self.connection.authorize(verdict, now)
            self._after_input(now)
        except BaseException as error:
            if not self._contain(error):
                raise

    def _contain(self, error: BaseException) -> bool:
        """The fence: at worst this connection closes. It must, for what came may be half handled.

        Returns:
            Whether that is all: what a signal handler raised has to travel on.
        """
        self.close_stream(error)
        if is_interruption(error):
            return False
        report(f"the connection to {self.endpoint}", error)
        return True

    def leave_newcomers(self) -> None:
        """Its handshake, or the connection, is over (lease held). Idempotent."""
        newcomers, self.newcomers = self.newcomers, None
        if newcomers is not None:
            newcomers.discard(self)

    def turn_away(self, failure: ConnectionFailed, word: str = "") -> None:
        """End a handshake that can't go on, without telling the peer why (lease held).

        Args:
            failure: what happened.
            word: the same for programs: the reason of the event "peer_denied", where it is about who the peer is.
        """
        if self.connection is not None:
            self._denial = word
            self._fail(failure)

    def refuse_peer(self, text: str) -> None:
        """End the connection of a peer whose routing id belongs to another user, and tell both sides (lease held)."""
        self.engine.protocol_failures += 1
        self.engine.tell("peer_denied", session=self, reason="routing-id", error=text)
        self._refusal = text
        self.close_stream(None)

    def _fail(self, failure: ConnectionFailed) -> None:
        """The peer broke the protocol, was refused, or is silent: this connection ends and is counted."""
        engine, connection = self.engine, self.connection
        engine.protocol_failures += 1
        if failure.limit:
            engine.refuse(failure.limit, failure.text, session=self)
        if self.dialer is not None:
            self.dialer.failure = RemoteProtocolError(failure.reason, failure.text, failure.status)
        if connection is not None and connection.peer is None and failure.reason is not FailureReason.INCOMPATIBLE:
            number = _HANDSHAKE_EVENTS.get(failure.reason, Event.HANDSHAKE_FAILED_NO_DETAIL)
            engine.emit(number, failure.status, self.endpoint, self, failure.text, failure.reason.value)
        if self._denial and self.stream is not None:
            engine.tell("peer_denied", session=self, reason=self._denial, error=failure.text)
            self.stream.shutdown_write()  # an ERROR may be on its way
            drain(self.stream)
        self.close_stream(None, failure=failure)

    # -- timers --------------------------------------------------------------------------------------------------

    def _schedule_timer(self) -> None:
        connection = self.connection
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        when = connection.next_timer() if connection is not None else None
        if when is not None:
            self.timer = self.engine.loop.call_at(when, self._run_timer)

    def _run_timer(self) -> None:
        """On the I/O thread: look at what arrived first, so that a late tick never counts against the peer."""
        with self.engine.lease:
            connection = self.connection
            if connection is None or self.stream is None:
                return
            try:
                self._read(monotonic())
                if not self.mask & READ or connection.has_buffered:
                    connection.note_alive(monotonic())  # its silence is ours: we hold back what it sent
                connection.handle_timer(monotonic())  # without effect when the read has ended the connection
                self._after_input(monotonic())
                self._schedule_timer()
            except BaseException as error:
                if not self._contain(error):
                    raise

    # -- the pipe's carrier --------------------------------------------------------------------------------------

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """Send a subscription upstream; without a connection the pattern sends all of them at the next one."""
        if self.connection is not None and self.connection.ready:
            if self.confirmation is None:
                self.confirmation = Confirmation()
            self.confirmation.note_told()
            self.write_control([self.connection.encode_subscription(topic, subscribe)], monotonic())

    def open_swap(self, pipe: Pipe) -> Any:
        """See `Carrier`."""
        return self.engine.queues.open_swap(pipe, self.handle_swap_changed, self.engine)

    def handle_swap_changed(self) -> None:
        """Messages came from disk, or it took some: go on with both directions (lease held)."""
        pipe = self.pipe
        if pipe is None:
            return
        if pipe.swapping and self.unsent is None:
            self.flush(monotonic())
        if pipe.receive_swap is not None:
            self.handle_swapped_in(pipe)
        self.engine.handle_room()

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None:
        """See `Carrier`."""
        self.engine.note_drop(pipe, count, reason)

    def ask_confirmation(self) -> Confirmation | None:
        """Have the publisher confirm what it was told so far; None while it isn't connected.

        A peer before ZMTP 3.0 has no PING: it counts as soon as it was told.
        """
        connection = self.connection
        if connection is None or not connection.ready or connection.peer is None:
            return None
        confirmation = self.confirmation = self.confirmation or Confirmation()
        context = confirmation.next_context()
        if context is not None and connection.peer.version < V3_0:
            confirmation.handle_echo(context)
        elif context is not None:
            connection.send_ping(context)
            self.flush_control(monotonic())
        return confirmation

    def end_pipe(self, pipe: Pipe) -> None:
        """The pattern refuses this peer: what was sent to it leaves, then the connection closes."""
        self.flush(monotonic())
        if self.dialer is None and self.has_output() and self.engine.options.linger != 0:
            if pipe.attached:
                pipe.attached = False
                self.engine.pattern.detach(pipe)
                self.engine.refresh_fast_path()
            self.ending = True  # the last write closes it
            return
        if pipe.attached or self.dialer is None:
            self.engine.detach(pipe)
        self.close_stream(None)

    def refuse_pipe(self, pipe: Pipe, text: str, reason: str) -> None:
        """Another peer has this one's routing id: tell both sides, then end it as `end_pipe` does (lease held).

        Args:
            pipe: of the peer that is refused.
            text: why, for the peer; at most 255 bytes.
            reason: "refused" or "handover".
        """
        engine = self.engine
        engine.tell("duplicate_routing_id", pipe=pipe, session=self, reason=reason, error=text)
        if self.stream is not None:
            self._refusal = text
        self.end_pipe(pipe)
        if self.ending:  # the peer takes nothing, and perhaps never will
            linger = engine.options.linger_s
            wait = REFUSAL_LINGER_S if linger is None else min(linger, REFUSAL_LINGER_S)
            engine.loop.call_at(monotonic() + wait, lambda: engine.give_up(self))

    # -- the end of a connection ---------------------------------------------------------------------------------

    def _say_refusal(self, stream: SocketStream, connection: Connection, text: str) -> None:
        """Tell the peer why before the end, if the system takes it now."""
        refusal = connection.encode_refusal(text) if connection.ready else b""
        if not refusal or self.unsent is not None:
            return  # it doesn't know the command, or we are amid a frame
        try:
            stream.try_write([refusal])
        except OSError as error:
            if is_interruption(error):
                raise
            return
        stream.shutdown_write()
        drain(stream)

    def _set_interest(self, mask: int) -> None:
        if mask != self.mask:
            self.mask = mask
            try:
                self.engine.leadership.modify(self.fd, mask)
            except BaseException as error:  # interrupted, nobody knows what is watched: it's this connection's end
                self.close_stream(error, reads_rest=True)
                if not is_of_system(error):  # who sends must not get that
                    raise

    def close_stream(
        self,
        error: BaseException | None,
        *,
        failure: ConnectionFailed | None = None,
        why: str = "",
        reads_rest: bool = False,
    ) -> None:
        """The connection is over, whoever ended it. Idempotent; all ways of ending converge here.

        Args:
            error: what the system, or a fault of ours, ended it with.
            failure: what the connection ended it with.
            why: a text, where it was neither.
            reads_rest: deliver what the peer sent before. Only where nothing was interrupted: bytes that were read and
                not decoded are a gap, and what follows it would be taken for frames that it isn't.
        """
        stream, self.stream = self.stream, None
        if stream is None:
            return
        connection, self.connection = self.connection, None
        try:
            self._end_stream(stream, connection, error, failure, why, reads_rest=reads_rest and is_of_system(error))
        except BaseException as interruption:
            if is_interruption(interruption):
                # A signal handler raised, in the midst of it. On the I/O thread none runs: there it's done to its end.
                self.engine.loop.call(lambda: self._end_again(stream, connection, error, failure, why))
            raise

    def _end_again(self, stream: SocketStream, *how: Any) -> None:
        with self.engine.lease:
            if self.stream is None:
                self._end_stream(stream, *how)

    def _end_stream(
        self, stream: SocketStream, connection: Any, error: BaseException | None, failure: ConnectionFailed | None,
        why: str, *, reads_rest: bool = False,
    ) -> None:  # fmt: skip
        """The steps of `close_stream`. Each may be done twice."""
        engine = self.engine
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.question is not None:
            self.question.close()
        self.confirmation = None
        self.leave_newcomers()
        was_ready = connection is not None and connection.peer is not None
        reads_rest = reads_rest and was_ready and stream.fileno() >= 0
        if reads_rest and connection is not None and self.pipe is not None:
            try:
                failure = self._read_rest(stream, connection, self.pipe) or failure
            except Exception as problem:  # the fence: the end of a connection is reached whatever happens
                if is_interruption(problem):
                    raise
                report(f"the last messages of {self.endpoint}", problem)
        # Whom we refuse, and who breaks the protocol, is not met again at once.
        refusal, self._refusal = self._refusal, None
        refused = refusal is not None or (failure is not None and failure.reason is not FailureReason.HEARTBEAT)
        if refusal is not None and connection is not None:
            self._say_refusal(stream, connection, refusal)
            why = f"we refused the peer: {refusal}"
        if connection is not None:
            connection.close()
        if engine.sessions.get(self.fd) is self:  # else it's another one's descriptor by now
            engine.leadership.unregister(self.fd)
            engine.sessions.pop(self.fd, None)
        if self.pipe is None or self.pipe.receive_swap is None:
            engine.stalled.discard(self)
        stream.close()
        why = failure.text if failure is not None else why or (str(error) if error is not None else "")
        if connection is not None and not was_ready and error is not None:
            number = getattr(error, "errno", 0) or 0
            engine.emit(Event.HANDSHAKE_FAILED_NO_DETAIL, number, self.endpoint, self, why)
            if self.dialer is not None:
                text = f"the connection ended in its midst ({getattr(error, 'strerror', None) or error})"
                self.dialer.failure = RemoteProtocolError(FailureReason.NO_DETAIL, text)
        denial, self._denial = self._denial, ""
        if failure is not None and failure.reason in _REFUSALS and not denial:
            engine.tell("peer_refused", session=self, error=failure.text)
        self.take_back_unsent()
        left = self.pipe.sent - self.sent_before if was_ready and self.pipe is not None else 0
        if self.number:
            reason = failure.reason.value if failure else ""
            engine.emit(Event.DISCONNECTED, self.fd, self.endpoint, self, why, reason, left)
        self.number = 0
        self.remote = ""
        self.peer_info = None
        if not self._is_lost:
            engine.handle_lost(self, was_ready, refused=refused)
            self._is_lost = True
        if self.dialer is None:
            engine.lease.mailbox.append(self.let_go)  # who called has something to say to the pipe yet

    def let_go(self) -> None:
        """There will be no other connection: leave the pipe to its reader (lease held).

        The two refer to each other, and as many as come and go would wait for the garbage collector.
        """
        pipe = self.pipe
        if pipe is None or not pipe.ended or self.unsent is not None:
            return  # or its end was interrupted, and comes once more
        if pipe.receive_swap is None:  # else it hears of what the disk brings
            self.pipe = None


def drain(stream: SocketStream | None) -> None:
    """Read what the peer sent meanwhile: closing with unread bytes would reset what it has not read of ours."""
    if stream is None:
        return
    try:
        for _ in range(DRAIN_READS):
            if not stream.try_read(65536):
                return
    except OSError as error:
        if is_interruption(error):
            raise
