"""The active side of an endpoint: resolves, connects, and connects again with back-off.

It runs on the I/O thread and takes the lease of its socket for each step. Names are resolved again at each attempt,
in a thread of their own, so that a slow name server never holds up another socket.
"""

from __future__ import annotations

from errno import ETIMEDOUT
from random import random
from time import monotonic

from purezmq.constants import ECONNREFUSED, Event
from purezmq.engine.fence import report
from purezmq.engine.selector import READ, WRITE
from purezmq.engine.session import Session
from purezmq.native import start_thread
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import FailureReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.endpoint import Endpoint
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.engine.timers import Timer
    from purezmq.transports.base import PendingConnect, SocketStream, Transport

__all__ = ["Dialer"]

#: RECONNECT_STOP: never again after a refused connection, a handshake that failed. (4 is for `disconnect`.)
_STOP_REFUSED, _STOP_HANDSHAKE = 1, 2

#: A peer that breaks the handshake again and again is tried at most this rarely (seconds), unless
#: RECONNECT_IVL_MAX says otherwise.
HANDSHAKE_BACK_OFF_MAX_S = 10.0


class Dialer:
    """One connected endpoint of a socket.

    Args:
        engine: of the socket.
        endpoint: what the application gave to connect().
        transport: of its scheme.
        options: a copy of the socket's options at connect().
        config: for the connections it makes.
    """

    __slots__ = (
        "_addresses",
        "_failures",
        "_is_renewing",
        "_is_warned_of",
        "_pending",
        "_timer",
        "_watched_fd",
        "closed",
        "config",
        "endpoint",
        "engine",
        "failure",
        "options",
        "routing_id",
        "session",
        "text",
        "transport",
    )

    def __init__(
        self, engine: SocketEngine, endpoint: Endpoint, transport: Transport, options: Any, config: Any
    ) -> None:
        self.engine = engine
        self.endpoint = endpoint
        self.text = str(endpoint)
        self.transport = transport
        self.options = options
        self.config = config
        #: CONNECT_ROUTING_ID at the time of connect().
        self.routing_id = b""
        self.session = Session(engine, self.text, self)
        self.closed = False
        #: Why the last attempt failed; None while the current one has not.
        self.failure: BaseException | None = None
        self._is_renewing = False
        self._is_warned_of = False
        self._addresses: list[Any] = []
        self._failures = 0
        self._pending: PendingConnect | None = None
        self._timer: Timer | None = None
        self._watched_fd = -1

    def __repr__(self) -> str:
        return f"<Dialer {self.text} {'connected' if self.session.stream else 'connecting'}>"

    def start(self) -> None:
        """Begin; from any thread. Once more does no harm."""
        self.engine.loop.call(self._attempt)

    def _attempt(self) -> None:
        """Resolve, then connect (I/O thread)."""
        self._timer = None
        if self.closed or self._pending is not None or self.session.stream is not None:
            return
        if self.transport.needs_resolver(self.endpoint):
            try:
                start_thread(self._resolve, f"purezmq-resolve-{self.endpoint.address}")
            except RuntimeError as error:  # the system has no thread left
                self._handle_resolved([], error)
        else:
            self._resolve()

    def _resolve(self) -> None:
        failure: BaseException | None = None
        addresses: list[Any] = []
        try:
            addresses = self.transport.resolve(self.endpoint, self.options)
        except Exception as error:  # noqa: BLE001 - a resolver thread has nobody to raise to: it is a failed attempt
            failure = error
        self.engine.loop.call(lambda: self._handle_resolved(addresses, failure))

    def _handle_resolved(self, addresses: list[Any], failure: BaseException | None) -> None:
        with self.engine.lease:
            if self.closed or self._pending is not None or self.session.stream is not None:
                return  # it was started twice
            self._addresses = list(addresses)
            self._try_next(failure or OSError(f"no address for {self.text}"))

    def _try_next(self, failure: BaseException) -> None:
        """Connect to the next address of the list; when there's none left the attempt has failed (lease held)."""
        while self._addresses:
            address = self._addresses.pop(0)
            try:
                pending = self.transport.start_connect(address, self.options)
                if pending.delayed:
                    self.engine.emit(Event.CONNECT_DELAYED, 115, self.text)  # 115: EINPROGRESS, as libzmq reports it
                stream = pending.finish()
            except Exception as error:  # noqa: BLE001 - whatever it was, this attempt has failed and the next follows
                failure = error
                continue
            if stream is not None:
                self._handle_connected(stream)
                return
            try:
                fd = pending.fileno()
                self.engine.loop.watch(fd, READ if pending.reading else WRITE, self._handle_pending)
            except OSError as error:
                pending.close()
                failure = error
                continue
            self._pending = pending
            self._watched_fd = fd
            timeout = self.options.connect_timeout_s
            if timeout is not None:
                self._timer = self.engine.loop.call_at(monotonic() + timeout, self._handle_timeout)
            self._limit_negotiation(pending)
            return
        self.failure = failure
        number = getattr(failure, "errno", None) or 0
        self.engine.emit(Event.CLOSED, number, self.text, error=str(failure))
        if self.options.reconnect_stop & _STOP_REFUSED and number == ECONNREFUSED:
            self.engine.forget_dialer(self)
        else:
            self._retry()
        self.engine.leadership.wake()

    def _handle_pending(self, _mask: int) -> None:
        with self.engine.lease:
            pending = self._pending
            if pending is None or self.closed:
                return
            try:
                stream = pending.finish()
                if stream is None:
                    self.engine.loop.rewatch(self._watched_fd, READ if pending.reading else WRITE)
            except OSError as error:
                self._drop_pending()
                self._try_next(error)
                return
            if stream is not None:
                self._drop_pending()
                self._handle_connected(stream)
            else:
                self._limit_negotiation(pending)

    def _limit_negotiation(self, pending: PendingConnect) -> None:
        """A proxy that never answers is a handshake that hangs: HANDSHAKE_IVL ends it, unless CONNECT_TIMEOUT does."""
        timeout = self.options.handshake_ivl_s
        if pending.reading and self._timer is None and timeout is not None:
            self._timer = self.engine.loop.call_at(monotonic() + timeout, self._handle_timeout)

    def _handle_timeout(self) -> None:
        with self.engine.lease:
            if self._pending is not None and not self.closed:
                self._drop_pending()
                self._try_next(TimeoutError(ETIMEDOUT, "CONNECT_TIMEOUT"))

    def _drop_pending(self) -> None:
        pending, self._pending = self._pending, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if pending is not None:
            self.engine.loop.unwatch(self._watched_fd)
            # The stream took the descriptor over when `finish` succeeded; then this is a no-op.
            pending.close()

    def _handle_connected(self, stream: SocketStream) -> None:
        self.failure = None
        self.session.note_stream(stream)
        if self.config.mechanism == "PLAIN" and not self._is_warned_of:
            from purezmq.engine.exposure import is_exposed, warn_of_password

            self._is_warned_of = True
            if is_exposed(stream.remote or self.text):
                warn_of_password(self.text)
        self.engine.emit(Event.CONNECTED, stream.fileno(), self.text, self.session)
        try:
            self.engine.open_session(self.session, stream, self.config, bound=False)
        except Exception as error:  # noqa: BLE001 - the fence: this connection ends, the next attempt follows
            if not isinstance(error, OSError):  # else the event tells what the system is short of
                report(f"the connection to {self.text}", error)
            if self.session.stream is stream:
                self.session.close_stream(error)
            else:  # it didn't get that far
                stream.close()
                self.handle_lost(was_ready=False)

    def handle_lost(self, *, was_ready: bool, refused: bool = False) -> None:
        """The session's connection is gone: try again after a while (lease held).

        Args:
            was_ready: its handshake had succeeded.
            refused: it was broken off for what the peer, or we, did after that; the back-off is a failed handshake's.
        """
        failed = refused or not was_ready
        self._failures = self._failures + 1 if failed else 0
        if not was_ready and self.failure is None:
            self.failure = RemoteProtocolError(FailureReason.NO_DETAIL, "the peer ended the connection in its midst")
        if self.closed:
            return
        if self._is_renewing:
            self.start()
            return
        if not was_ready and self.options.reconnect_stop & _STOP_HANDSHAKE:
            self.engine.forget_dialer(self)
        else:
            self._retry(handshake_failed=failed)

    def _retry(self, *, handshake_failed: bool = False) -> None:
        base = self.options.reconnect_ivl_s
        if base <= 0:  # RECONNECT_IVL 0 or -1: never again
            self.engine.forget_dialer(self)
            return
        if not handshake_failed:
            self._failures += 1
        wait = self._choose_wait(base, handshake_failed=handshake_failed)
        self.engine.emit(Event.CONNECT_RETRIED, int(wait * 1000), self.text)
        if self._timer is not None:
            self._timer.cancel()  # we were interrupted right behind the line below, and come by again
        self._timer = self.engine.loop.call_at(monotonic() + wait, self._attempt)

    def _choose_wait(self, base: float, *, handshake_failed: bool) -> float:
        """Seconds to the next attempt, with jitter so that many clients don't come back at once."""
        longest = self.options.reconnect_ivl_max_s
        if longest <= base and handshake_failed:
            longest = max(base, HANDSHAKE_BACK_OFF_MAX_S)
        if longest > base:
            doubled = min(longest, base * 2 ** min(self._failures - 1, 30)) if self._failures else base
            return float(doubled * (0.5 + random() / 2))
        return float(base * (1 + random()))

    @property
    def is_connected(self) -> bool:
        """Whether the handshake succeeded and the pattern has taken the peer (lease held)."""
        session = self.session
        pipe, connection = session.pipe, session.connection
        return connection is not None and connection.ready and pipe is not None and pipe.attached

    def renew(self) -> None:
        """Give the connection up and make the next one at once: no failure, no back-off (lease held)."""
        self._is_renewing = True
        try:
            self.session.close_stream(None)
        finally:
            self._is_renewing = False

    def abandon(self) -> None:
        """In a forked child: free the descriptor of a connection on its way."""
        if self._pending is not None:
            self._pending.close()

    def close(self) -> None:
        """Stop trying (lease held). The session is the engine's to end."""
        self.closed = True
        self._drop_pending()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
