"""The passive side of an endpoint: accepts peers on the I/O thread and starts a session for each."""

from __future__ import annotations

from errno import EBUSY, EMFILE, ENFILE
from time import monotonic

from purezmq.constants import Event
from purezmq.engine.fence import report
from purezmq.engine.newcomers import Newcomers
from purezmq.engine.selector import READ
from purezmq.engine.session import Session
from purezmq.transports.base import SHORTAGES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.engine.timers import Timer
    from purezmq.transports.base import StreamListener

__all__ = ["Listener"]

#: Peers accepted per turn of the I/O thread: bounded work, so that a flood of them can't hold up other sockets; and so
#: few that the handshakes of a burst of peers go on in between.
ACCEPTS_PER_TURN = 16
#: After EMFILE and its kin the listener rests this long (seconds); the peer keeps waiting in the backlog.
EXHAUSTED_PAUSE_S = 0.1
_NO_DESCRIPTORS = frozenset({EMFILE, ENFILE})
_SHORTAGES = SHORTAGES | _NO_DESCRIPTORS


class Listener:
    """One bound endpoint of a socket.

    Args:
        engine: of the socket.
        stream_listener: the transport's listener.
        config: for the connections it makes.
        overflow: the policy of their queues, where bind() was given one.
    """

    __slots__ = (
        "_is_exhausted",
        "_pause",
        "config",
        "endpoint",
        "engine",
        "fd",
        "newcomers",
        "overflow",
        "stream_listener",
        "text",
    )

    def __init__(
        self, engine: SocketEngine, stream_listener: StreamListener, text: str, config: Any, overflow: str = ""
    ) -> None:
        self.engine = engine
        self.stream_listener = stream_listener
        #: The resolved endpoint (LAST_ENDPOINT).
        self.endpoint = stream_listener.endpoint
        #: What the application gave to bind().
        self.text = text
        self.config = config
        self.overflow = overflow
        #: Those of its peers whose handshake goes on.
        self.newcomers = Newcomers(self._handle_room)
        #: While nobody is accepted: when that is tried again at the latest.
        self._pause: Timer | None = None
        self._is_exhausted = False
        # Telling that descriptors ran out must not need one; who asks for events has imported what they need.
        import purezmq.engine.event_log  # noqa: F401

        self.fd = stream_listener.fileno()

    def start(self) -> None:
        """Accept from now on (lease held).

        Raises:
            OSError: the system has no memory left for that.
        """
        self.engine.loop.watch(self.fd, READ, self._handle_ready)

    def _handle_ready(self, _mask: int) -> None:
        engine = self.engine
        with engine.lease:
            for _ in range(ACCEPTS_PER_TURN):
                if engine.closed:
                    self.abandon()  # else this descriptor, which nobody reads, would be ready for ever
                if self.fd < 0:
                    return
                wait = self.newcomers.wait_for_room(engine.options, monotonic())
                if wait > 0:
                    self._wait(wait)  # and the peers wait in the backlog
                    return
                try:
                    stream = self.stream_listener.try_accept()
                except OSError as error:
                    if error.errno not in _NO_DESCRIPTORS or not self.newcomers.give_up_oldest(monotonic()):
                        self._rest(error)
                        return
                    continue  # there is one now
                self._is_exhausted = False
                if stream is None:
                    return
                self._open(stream)

    def _rest(self, error: OSError) -> None:
        """Nobody can be accepted now: try again after a pause. It's told once, and again after it went well."""
        engine = self.engine
        self._wait(EXHAUSTED_PAUSE_S)
        if not self._is_exhausted:
            self._is_exhausted = True
            engine.emit(Event.ACCEPT_FAILED, error.errno or 0, self.endpoint, self, str(error))
            if error.errno in _SHORTAGES:
                engine.refuse("descriptors", str(error), endpoint=self.endpoint, session=self)

    def _wait(self, pause: float) -> None:
        loop = self.engine.loop
        loop.unwatch(self.fd)
        self._pause = loop.call_at(monotonic() + pause, self._resume)

    def _handle_room(self) -> None:
        """A newcomer is through, or gone (lease held)."""
        if self._pause is not None and not self._is_exhausted:
            self._pause.cancel()
            self._pause = None
            self.engine.loop.call(self._resume)

    def _open(self, stream: Any) -> None:
        if self.engine.pattern.exclusive and self.engine.sessions:
            # Before the handshake, so that the peer keeps what it wants to send and comes back for it.
            text = f"a {self.engine.pattern.type_name} socket has one peer at a time"
            self.engine.emit(Event.ACCEPT_FAILED, EBUSY, self.endpoint, self, text)
            stream.close()
            return
        refusal = self.newcomers.find_refusal(self.engine.options, stream.peer_address, monotonic())
        if refusal:
            self.engine.emit(Event.ACCEPT_FAILED, EBUSY, self.endpoint, self, refusal)
            self.engine.refuse("max_handshakes_per_address", refusal, endpoint=self.endpoint, session=self)
            stream.close()
            return
        session = Session(self.engine, self.endpoint, text=self.text)
        session.overflow = self.overflow
        session.note_stream(stream)
        self.engine.emit(Event.ACCEPTED, stream.fileno(), self.endpoint, session)
        if not self.engine.is_raw():
            self.newcomers.admit(session, stream.peer_address, monotonic())
        try:
            self.engine.open_session(session, stream, self.config, bound=True)
        except Exception as error:  # noqa: BLE001 - the fence: one peer must not end the listener
            if not isinstance(error, OSError):  # else the event tells what the system is short of
                report(f"an accepted connection on {self.endpoint}", error)
            session.close_stream(error)
            session.leave_newcomers()
            stream.close()

    def _resume(self) -> None:
        with self.engine.lease:
            self._pause = None
            if self.fd >= 0 and not self.engine.closed:
                try:
                    self.start()
                except OSError:
                    self._pause = self.engine.loop.call_at(monotonic() + EXHAUSTED_PAUSE_S, self._resume)

    def close(self) -> None:
        """Stop; when it returns the address is free (lease held)."""
        fd = self.fd
        self.abandon()
        if fd >= 0:
            self.engine.emit(Event.CLOSED, fd, self.endpoint, self)

    def abandon(self) -> None:
        """Stop without a word (lease held); once more does no harm, also when the first time was interrupted."""
        if self.fd >= 0:
            self.engine.loop.unwatch(self.fd)
            self.fd = -1  # the I/O thread may be on its way to `_handle_ready`
        self.stream_listener.close()
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
