"""The engine half of one socket: its endpoints, sessions, flushing and end. The pattern is the other half.

Everything needs the lease unless its text says "any thread".
"""

from __future__ import annotations

from time import monotonic, time

from purezmq.constants import Event
from purezmq.engine.burst import thread_state
from purezmq.engine.event_source import EventSource
from purezmq.engine.fence import report
from purezmq.engine.heap import give_back_memory
from purezmq.engine.leader import Leadership
from purezmq.engine.lease import Lease
from purezmq.engine.queues import Queues
from purezmq.engine.session import drain
from purezmq.engine.shared_outbox import SharedOutbox
from purezmq.engine.stranger import find_stranger
from purezmq.pipe import DropReason
from purezmq.wire.connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.engine.dialer import Dialer
    from purezmq.engine.durable import Durables
    from purezmq.engine.engine_context import EngineContext
    from purezmq.engine.inproc import InprocLink
    from purezmq.engine.listener import Listener
    from purezmq.engine.loop import Loop
    from purezmq.engine.session import Session
    from purezmq.engine.stranger import Stranger
    from purezmq.engine.timers import Timer
    from purezmq.engine.zap import Question
    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe
    from purezmq.wire.events import PeerInfo

__all__ = ["SocketEngine"]

#: The memory of so many topics is worth to be given back, which takes some milliseconds.
MANY_TOPICS = 10_000
#: RECONNECT_STOP: a `disconnect` ends the attempts to connect, whatever is queued.
STOP_AFTER_DISCONNECT = 4
#: A publisher that nobody hears reads what has arrived at most this often (seconds).
LOOK_IVL_S = 0.000_100
#: Back-stop turns younger than this after a flush leave a burst to its own thread (seconds).
FRESH_FLUSH_S = 0.0005


class SocketEngine(EventSource):
    """See the module's text.

    Args:
        context: the socket's context.
        options: the socket's live options.
        pattern: who gets the messages.
    """

    __slots__ = (
        "_is_ending",
        "_last_look",
        "_linger_timer",
        "closed",
        "closing",
        "context",
        "dialers",
        "dirty",
        "durables",
        "fast_path_changed",
        "inbox",
        "leadership",
        "lease",
        "left_over",
        "links",
        "listeners",
        "loop",
        "options",
        "pattern",
        "protocol_failures",
        "questions",
        "queues",
        "refused",
        "room_token",
        "sessions",
        "shared",
        "stalled",
        "stranger",
    )

    def __init__(self, context: EngineContext, options: SocketOptions, pattern: Any) -> None:
        super().__init__()
        self.context = context
        self.options = options
        self.pattern = pattern
        self.inbox = pattern.inbox
        self.lease = Lease(self._rescue_mailbox)
        self.loop: Loop = context.loops.choose(0)
        self.leadership = Leadership(self.lease, self.loop)
        self.sessions: dict[int, Session] = {}
        #: What the ZAP handler has not answered yet.
        self.questions: set[Question] = set()
        self.dialers: list[Dialer] = []
        self.listeners: list[Listener] = []
        self.links: set[InprocLink] = set()
        #: Connectors over inproc that the pattern refused; each tries again when a peer leaves.
        self.refused: list[InprocLink] = []
        self.dirty: set[Any] = set()
        self.left_over = False
        self.shared = SharedOutbox(self)
        self.queues = Queues(self)
        #: Subscribers that went away and may come back; None unless there may be any.
        self.durables: Durables | None = None
        pattern.note_drop = self.note_drop
        #: Sessions that hold back what they received because their pipe was full: the next reader goes on with it.
        self.stalled: set[Any] = set()
        #: close() was called: no new work.
        self.closing = False
        #: Nothing is left: descriptors are free.
        self.closed = False
        #: Connections that ended because the peer broke the protocol, was refused or fell silent.
        self.protocol_failures = 0
        #: The first peer from elsewhere that nobody vouched for, or None.
        self.stranger: Stranger | None = None
        self.fast_path_changed: Callable[[], None] | None = None
        #: Replaced by a new object whenever a blocked sender should look again.
        self.room_token = object()
        self._linger_timer: Timer | None = None
        #: A loop over all sessions closes them: what each close tells is looked at after the loop.
        self._is_ending = False
        self._last_look = 0.0

    def is_time_to_look(self) -> bool:
        """Whether a publisher that nobody heard should read what has arrived: not more often than `LOOK_IVL_S`."""
        now = monotonic()
        if not self.sessions or now - self._last_look < LOOK_IVL_S:
            return False
        self._last_look = now
        return True

    # -- any thread ----------------------------------------------------------------------------------------------

    def post(self, command: Callable[[], None]) -> None:
        """Run `command` under this socket's lease, now or soon (any thread)."""
        self.lease.post(command)

    def _rescue_mailbox(self) -> None:
        """Have the I/O thread run what was posted (any thread)."""
        try:
            self.loop.call(lambda: self.lease.run_mailbox(BaseException))
        except RuntimeError:
            return  # there is none, and none can be started: whoever takes the lease next does it

    def flush_dirty(self) -> None:
        """Write out what a burst left (any thread)."""
        if self.dirty:
            with self.lease.afterwards, self.lease.guard:
                self._flush_dirty(monotonic())

    def flush_left_over(self, now: float) -> bool:
        """The back-stop's turn (I/O thread); whether it must come again."""
        if not self.lease.try_acquire():
            return True
        try:
            for outbox in list(self.dirty):
                if now - outbox.last_flush < FRESH_FLUSH_S:  # its thread is in the middle of a burst
                    continue
                self.dirty.discard(outbox)
                try:
                    outbox.flush(now)
                except Exception as error:  # noqa: BLE001 - the fence: what else waits leaves all the same
                    report(f"a flush of {outbox!r}", error)
            again = bool(self.dirty)
            if not again:
                self.left_over = False
                if not self.leadership.polling:
                    self.leadership.watch()  # somebody must wait for room while the application is elsewhere
            thread_state.engines.discard(self)  # this thread is the back-stop itself
        finally:
            self.lease.release()
        return again

    # -- outgoing ------------------------------------------------------------------------------------------------

    def note_dirty(self, outbox: Any) -> None:
        """An outbox has messages that nobody wrote yet: its thread will, or else the back-stop."""
        self.dirty.add(outbox)
        thread_state.engines.add(self)
        if not self.left_over:
            self.loop.note_left_over(self)
            self.left_over = True  # last: a signal handler may raise before, and then the next one notes it

    def _flush_dirty(self, now: float) -> None:
        for outbox in list(self.dirty):  # one that the system is too short of memory for stays for the back-stop
            try:
                self.dirty.discard(outbox)
                outbox.flush(now)
            except BaseException:  # a signal handler's, perhaps before anything was written
                self.note_dirty(outbox)
                raise

    def flush_all(self) -> None:
        """Write everything the system takes, before a sender concludes that there is no room."""
        now = monotonic()
        self._flush_dirty(now)
        for session in list(self.sessions.values()):
            if session.has_output():
                session.flush(now)

    def handle_room(self) -> None:
        """A peer's queue has room again."""
        self.room_token = object()
        self.refresh_fast_path()
        self.leadership.wake()

    def handle_flushed(self, session: Session) -> None:
        """A session that is to end has written everything; it's closed when the lease is let go, not under its feet."""
        if self.closing or session.ending:
            self.lease.mailbox.append(self.check_closed if self.closing else lambda: self._end_now(session))

    def mark_room(self) -> None:
        """A sender is about to sleep: full inproc queues shall wake it."""
        for link in self.links:
            link.mark_room()
        self.queues.await_budget()

    def refresh_fast_path(self) -> None:
        """Limits of the lock-free send changed."""
        if self.fast_path_changed is not None:
            self.fast_path_changed()

    # -- peers ---------------------------------------------------------------------------------------------------

    def attach(self, pipe: Pipe) -> None:
        """Give the pattern a pipe."""
        pipe.attached = True
        self.pattern.attach(pipe)
        self.room_token = object()
        self.refresh_fast_path()
        self.leadership.wake()

    def detach(self, pipe: Pipe) -> None:
        """Take a pipe from the pattern for good; what was queued to it is dropped and counted."""
        pipe.ended = True
        if pipe.share is not None and len(pipe.share.topics) > MANY_TOPICS:
            self.loop.call(give_back_memory)
        if pipe.attached:
            pipe.attached = False
            self.pattern.detach(pipe)
        pipe.discard_outbound(DropReason.DISCONNECTED)
        self.queues.keep_counts(pipe)
        self.room_token = object()
        self.refresh_fast_path()
        self.leadership.wake()
        if self.refused and not self.closing:
            refused, self.refused = self.refused, []
            for link in refused:
                link.try_again(self)

    def detach_refused(self, pipe: Pipe) -> None:
        """The pattern ended an inproc pipe by itself."""
        pipe.ended = True
        if pipe.attached:
            pipe.attached = False
            self.pattern.detach(pipe)
        self.refresh_fast_path()

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """An inproc peer subscribed or cancelled."""
        if not self.closing:
            self.pattern.handle_subscription(pipe, topic, subscribe)
            self.leadership.wake()

    def attach_link(self, link: InprocLink) -> None:
        """An inproc peer connected to us."""
        if self.closing:
            link.close()
            return
        self.links.add(link)
        self.queues.configure_link(link)
        self.attach(link.pipe)
        if link.pipe.attached:
            self.pattern.connected(link.pipe)
            if link.pipe.inbound:
                self.inbox.activate(link.pipe)
                self.leadership.wake()

    def handle_link_connected(self, link: InprocLink) -> None:
        """The inproc name we connected to is bound now."""
        self.queues.configure_link(link)
        if link.pipe.attached:
            self.pattern.connected(link.pipe)
            self.room_token = object()
            self.refresh_fast_path()
            self.leadership.wake()

    def handle_link_ended(self, link: InprocLink) -> None:
        """The inproc peer is gone."""
        link.peer = None
        self.links.discard(link)
        if link.pipe.inbound:  # appended while its writer was closing
            self.inbox.activate(link.pipe)
        self.detach(link.pipe)
        if link.pipe.receive_swap is not None:
            link.handle_swap_changed()

    def pipes(self) -> list[Pipe]:
        """The pipes of all peers, live or waiting for their connection."""
        found = {id(session.pipe): session.pipe for session in self.sessions.values() if session.pipe is not None}
        for dialer in self.dialers:
            if dialer.session.pipe is not None:
                found[id(dialer.session.pipe)] = dialer.session.pipe
        parked = [] if self.durables is None else self.durables.pipes()
        return [*found.values(), *(link.pipe for link in self.links), *parked]

    def open_session(self, session: Session, stream: Any, config: Any, *, bound: bool) -> None:
        """Begin to speak over a fresh stream."""
        if config.read_batch or config.write_batch:
            session.read_batch = config.read_batch or session.read_batch
            session.limit_batches(config.write_batch)
        connection = self.make_connection(config, stream, bound=bound)
        session.open_stream(stream, connection, monotonic())

    def is_raw(self) -> bool:
        """Whether connections carry bytes without a protocol: STREAM, and ROUTER with ROUTER_RAW."""
        name = self.pattern.type_name
        return name == "STREAM" or (name == "ROUTER" and bool(self.options.router_raw))

    def make_connection(self, config: Any, stream: Any, *, bound: bool) -> Any:
        """The sans-I/O machine for a stream."""
        if self.is_raw() and config.mechanism == "NULL":  # an endpoint that was made secure stays so
            from purezmq.engine.raw import RawConnection

            return RawConnection(config.read_batch)
        return Connection(config, bound=bound)

    def handle_handshake(self, session: Session, peer: PeerInfo, now: float) -> None:
        """The peer behind a session is known."""
        session.peer_info = peer
        if session.stream is not None:
            peer.address = session.stream.peer_address  # for its messages, which may outlive it
        if self.stranger is None:
            self.stranger = find_stranger(session, peer)
        self.emit(Event.HANDSHAKE_SUCCEEDED, 0, session.endpoint, session)
        owners = self.options.id_owners
        if owners is not None and session.dialer is None and peer.routing_id:
            user = "" if peer.mechanism == "NULL" else peer.user_id  # whatever a handler calls those: anybody is one
            why = owners.claim(bytes(peer.routing_id), user, session)
            if why:
                session.refuse_peer(why)
                return
        pipe = session.pipe
        if (pipe is None or pipe.ended) and self.durables is not None and session.dialer is None:
            pipe = self.durables.resume(session, bytes(peer.routing_id))
        if pipe is None or pipe.ended:
            pipe = self.queues.make_pipe(session, session.dialer.routing_id if session.dialer is not None else b"")
        pipe.peer = peer
        pipe.connections += 1
        session.sent_before = pipe.sent
        pipe.since = time()
        if session.dialer is None or not session.dialer.routing_id:
            pipe.routing_id = peer.routing_id
        if not pipe.attached and not session.ending:
            self.attach(pipe)
        if pipe.attached:
            self.pattern.connected(pipe)
        if pipe.attached or session.ending:
            session.flush(now)
        # A queue that was full since before the handshake has room now.
        self.handle_room()

    def handle_lost(self, session: Session, was_ready: bool, *, refused: bool = False) -> None:
        """A session's connection is gone; `refused`: one side broke it off, and the next will hardly fare better."""
        pipe, dialer = session.pipe, session.dialer
        if self.options.id_owners is not None:
            self.options.id_owners.release(session)
        if dialer is None:
            if pipe is not None and (self.durables is None or not self.durables.park(session)):
                self.detach(pipe)
        else:
            if pipe is not None and dialer.options.immediate:
                session.pipe = None
                if was_ready and pipe.attached:
                    self.pattern.note_hiccup(pipe)
                self.detach(pipe)
            elif pipe is not None and was_ready and pipe.attached:
                pipe.quiet = False
                self.pattern.hiccup(pipe)
            dialer.handle_lost(was_ready=was_ready, refused=refused)
        self.refresh_fast_path()
        self.leadership.wake()
        if self.closing:
            self.check_closed()

    def forget_dialer(self, dialer: Dialer) -> None:
        """An endpoint gave up (RECONNECT_IVL -1)."""
        dialer.close()
        if dialer in self.dialers:
            self.dialers.remove(dialer)
        if dialer.session.pipe is not None:
            self.detach(dialer.session.pipe)
        if self.closing:
            self.check_closed()

    def note_drop(self, pipe: Pipe | None, count: int, reason: str) -> None:
        """Messages were dropped, and are counted already."""
        self.tell("message_dropped", pipe=pipe, count=count, reason=reason)

    def refuse(self, limit: str, text: str, **where: Any) -> None:
        """A peer ran into a limit: count it by the limit's name, and tell it."""
        self.pattern.refuse(limit)
        self.tell("limit_exceeded", reason=limit, error=text, **where)

    def end_session(self, session: Session) -> None:
        """End one connection after what is queued for it has left (disconnect, unbind)."""
        pipe = session.pipe
        if pipe is not None and pipe.attached:
            pipe.attached = False
            self.pattern.detach(pipe)
            self.refresh_fast_path()
        if self.options.linger != 0 and self._must_linger(session):
            session.flush(monotonic())
            if session.has_output() and session.stream is not None:
                session.ending = True  # the last write ends it
                linger = self.options.linger_s
                if linger is not None:
                    self.loop.call_at(monotonic() + linger, lambda: self.give_up(session))
                return
        if session.stream is None:
            if pipe is not None:
                self.detach(pipe)
            session.dialer = None
            session.let_go()
            return
        drain(session.stream)
        session.close_stream(None)

    def end_dialer(self, dialer: Dialer) -> None:
        """Connect to this endpoint no more."""
        session, linger = dialer.session, self.options.linger_s
        may_dial = not dialer.options.reconnect_stop & STOP_AFTER_DISCONNECT
        if session.stream is None and linger != 0 and session.has_output() and may_dial:
            # Not connected yet: the dialer goes on until what is queued has left, or LINGER is over.
            if session.pipe is not None and session.pipe.attached:
                session.pipe.attached = False
                self.pattern.detach(session.pipe)
                self.refresh_fast_path()
            session.ending = True
            if linger is not None:
                self.loop.call_at(monotonic() + linger, lambda: self.give_up(session))
            return
        self._close_dialer(dialer)
        if session.stream is not None:
            session.dialer = None
        self.end_session(session)

    def give_up(self, session: Session) -> None:
        """LINGER of a disconnected endpoint is over (I/O thread)."""
        with self.lease:
            if session.ending and session.has_output():
                self._end_now(session)

    # -- the end -------------------------------------------------------------------------------------------------

    def close(self, linger: float | None) -> None:
        """Stop; what is queued leaves for at most `linger` seconds (None: as long as it takes). Any thread, no lease.

        When it returns, addresses are free and blocked calls are awake; sending goes on behind it.
        """
        with self.lease.afterwards, self.lease.guard:
            if self.closed:
                return  # else it begins, or goes on where a signal handler ended it
            self.closing = True
            self.fast_path_changed = None
            thread_state.engines.discard(self)
            for listener in self.listeners:
                listener.close()
            self.listeners.clear()
            for link in list(self.links):
                link.close()
            for link in self.refused:
                link.post_end()
            self.refused.clear()
            if self.durables is not None:
                self.durables.close()
            self.flush_all()
            self._begin_linger(linger)
        self.leadership.wake()

    def _begin_linger(self, linger: float | None) -> None:
        self._is_ending = True
        try:
            for session in list(self.sessions.values()):
                if linger == 0 or not self._must_linger(session):
                    self._end_now(session)
        finally:
            self._is_ending = False
        for dialer in list(self.dialers):
            if linger == 0 or not dialer.session.has_output():
                self._close_dialer(dialer)
        if linger and (self.sessions or self.dialers) and self._linger_timer is None:
            self._linger_timer = self.loop.call_at(monotonic() + linger, self._end_linger)
        self.leadership.watch()
        self.check_closed()

    def _end_now(self, session: Session) -> None:
        """Close a session for good."""
        if session.dialer is not None:
            self._close_dialer(session.dialer)
            session.dialer = None
        if session.stream is None and session.pipe is not None:
            self.detach(session.pipe)  # it never got a connection: what is queued is dropped, and counted
            session.let_go()
        drain(session.stream)
        session.close_stream(None)

    def _must_linger(self, session: Session) -> bool:
        return session.has_output() and session.connection is not None

    def _close_dialer(self, dialer: Dialer) -> None:
        dialer.close()
        if dialer in self.dialers:
            self.dialers.remove(dialer)
        if self.closing and dialer.session.stream is None and dialer.session.pipe is not None:
            self.detach(dialer.session.pipe)

    def _end_linger(self) -> None:
        with self.lease:
            for dialer in list(self.dialers):
                self._close_dialer(dialer)
            self._is_ending = True
            try:
                for session in list(self.sessions.values()):
                    session.dialer = None
                    session.close_stream(None)
            finally:
                self._is_ending = False
            self.check_closed()

    def check_closed(self) -> None:
        """While closing: end the sessions that have sent everything; when none is left, this is the end."""
        if self._is_ending:
            return
        self._is_ending = True
        try:
            for session in list(self.sessions.values()):
                if not session.has_output():
                    self._end_now(session)
            if not self.sessions and not self.dialers and not self.closed:
                self.queues.close()
                self.end_log()
                if self._linger_timer is not None:
                    self._linger_timer.cancel()
                try:
                    self.loop.call(self._finish)
                except RuntimeError:  # no thread can be started, so none has ever run for it: nothing is watched
                    self._finish()
                # Last: a signal handler may have raised before, and then all of it is done once more.
                self.closed = True
                self.loop.load -= 1
        finally:
            self._is_ending = False

    def _finish(self) -> None:
        self.leadership.close()
        self.context.handle_engine_closed(self)

    def has_output(self) -> bool:
        """Whether messages for a peer that is there wait to leave (any thread, a hint)."""
        return bool(self.dirty) or any(self._must_linger(session) for session in list(self.sessions.values()))

    def flush_for_exit(self, timeout: float) -> None:
        """Write, and wait for room at most `timeout` seconds (any thread, no lease)."""
        with self.lease.afterwards, self.lease.guard:
            self.flush_all()
        if self.has_output():
            self.leadership.wait(timeout, lambda: False)

    def abandon(self) -> None:
        """In a forked child: free descriptors and touch nothing else; no lease, whoever held it doesn't exist here."""
        self.closing = self.closed = True
        self.abandon_observers()
        self.lease.reset()
        self.dirty.clear()
        self.queues.abandon()
        for session in list(self.sessions.values()):
            if session.stream is not None:
                session.stream.sock.close()
        for listener in self.listeners:
            listener.stream_listener.forget()
        for dialer in self.dialers:
            dialer.abandon()
        leadership = self.leadership
        if leadership.selector is not None:
            leadership.selector.close()
        leadership.wakeup = leadership.exported = None
