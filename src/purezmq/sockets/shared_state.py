"""What all handles of one socket share: engine, pattern, options, endpoints, and messages taken or given half.

Most sockets have one handle, the Socket that the application made. Shadows (`Socket.shadow`, `Socket(socket)`, the
asynchronous twin of a synchronous socket) are further handles. The handles refer to this record and nothing else of the
library does strongly, so a socket is closed when the last handle is forgotten.
"""

from __future__ import annotations

import warnings
from itertools import count
from os import urandom
from sys import is_finalizing
from weakref import WeakValueDictionary, ref

from purezmq.constants import EINVAL, ENOTSOCK, Event, SocketType
from purezmq.error import make_error
from purezmq.patterns.compatibility import pattern_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import Pattern
    from purezmq.sockets.context import Context
    from purezmq.sockets.socket_state import SocketState

__all__ = ["SharedState", "find_shared_state"]

#: By their `address`, which stands in for libzmq's pointer.
_living: WeakValueDictionary[int, SharedState] = WeakValueDictionary()
#: Numbers that statistics tell sockets apart by: no two sockets of a process have the same, ever.
_numbers = count(1)


def find_shared_state(address: int) -> SharedState:
    """The socket with this `Socket.underlying`.

    Raises:
        ZMQError: EINVAL: no socket of this library lives at that address.
    """
    found = _living.get(address)
    if found is None:
        text = f"no purezmq socket has the address {address:#x}; only purezmq's own sockets can be shadowed"
        raise make_error(EINVAL, text)
    return found


class SharedState:
    """See the module's text.

    Attributes:
        closed: no handle may use the socket any more.
        usable: neither closed nor of a terminated context; what every call looks at first.
        parts: those given with SNDMORE so far.
        rest: parts of a multipart that recv() has not given yet.
        wake_fd: the descriptor given to the application's event loop, if it asked for one.
        monitor_socket: what `get_monitor_socket` returned last.
        stuck_at: the engine's `room_token` when a proxy's batch could not go on, or a message was too large for the
            room that is left; until there is news the socket isn't writable, whatever the pattern says of its peers.
        request: the call of `Socket.request` whose turn it is.
        connect_routing_id: CONNECT_ROUTING_ID for the next connect.
    """

    __slots__ = (
        "__weakref__",
        "_handles",
        "closed",
        "connect_routing_id",
        "context",
        "endpoints",
        "engine",
        "monitor_socket",
        "number",
        "options",
        "parts",
        "pattern",
        "request",
        "rest",
        "stuck_at",
        "type",
        "usable",
        "wake_fd",
    )

    def __init__(self, context: Context[Any], socket_type: int, options: SocketOptions) -> None:
        # The engine comes with the first socket: half of the time that `import purezmq` would take.
        from purezmq.engine.endpoints import Endpoints
        from purezmq.engine.socket_engine import SocketEngine

        self.closed = True  # until everything is there
        self.usable = False
        self.number = next(_numbers)
        self.context = context
        self.options = options
        self.pattern: Pattern = pattern_for(socket_type)(options)
        self.type = SocketType(socket_type)
        self.engine = SocketEngine(context, options, self.pattern)
        self.endpoints = Endpoints(self.engine)
        self.parts: list[Any] | None = None
        self.rest: list[Any] | None = None
        self.wake_fd: Any = None
        self.monitor_socket: Any = None
        self.stuck_at: object = None
        self.request: object = None
        self.connect_routing_id = b""
        self._handles: list[ref[SocketState]] = []
        if hasattr(self.pattern, "shared_carrier"):
            self.pattern.shared_carrier = self.engine.shared
        if hasattr(self.pattern, "seed_ids"):
            # A router that was restarted must not give a new peer the id that an old one had.
            self.pattern.seed_ids(int.from_bytes(urandom(4)))
        self._listen_to_engine()
        _living[self.address] = self
        self.closed = False
        self.usable = True

    @property
    def address(self) -> int:
        """A number that is unique among live sockets."""
        return id(self)

    def _listen_to_engine(self) -> None:
        """Let engine and pattern tell of changes, by weak references: a forgotten socket is collected and closed."""
        reference = ref(self)

        def handle_send_changed() -> None:
            shared = reference()
            if shared is not None:
                shared.refresh_send_paths()

        def handle_recv_changed() -> None:
            shared = reference()
            if shared is not None:
                shared.refresh_recv_paths()

        self.engine.fast_path_changed = self.pattern.handle_changed = handle_send_changed
        self.pattern.inbox.handle_ready_changed = handle_recv_changed

    # -- handles (lease held) ------------------------------------------------------------------------------------

    def add_handle(self, handle: SocketState) -> None:
        """One more object stands for this socket."""
        self._handles = [*(known for known in self._handles if known() is not None), ref(handle)]

    def first_handle(self) -> Any:
        """The handle that the application made, or the oldest that is left.

        Raises:
            ZMQError: EINVAL: the last one was just forgotten, by another thread.
        """
        handles = self.handles()
        if not handles:
            raise make_error(EINVAL, "the socket is gone: nobody refers to it any more")
        return handles[0]

    def handles(self) -> list[SocketState]:
        """The objects that stand for this socket."""
        return [handle for known in self._handles if (handle := known()) is not None]

    def refresh_send_paths(self) -> None:
        """Open or close the lock-free path of send as the state allows, for every handle."""
        for known in self._handles:
            handle = known()
            if handle is not None:
                handle._refresh_send_path()

    def refresh_recv_paths(self) -> None:
        """Open or close the lock-free path of recv as the state allows, for every handle."""
        for known in self._handles:
            handle = known()
            if handle is not None:
                handle._refresh_recv_path()

    def end_use(self) -> None:
        """From now on every call raises: close the lock-free paths of every handle."""
        self.usable = False
        for handle in self.handles():
            handle._close_paths()

    # -- the end -------------------------------------------------------------------------------------------------

    def close(self, linger_ms: int | None) -> None:
        """Close the socket for all handles; see `Socket.close`.

        When a signal handler raises in its midst, the I/O thread does what is left.
        """
        engine = self.engine
        if linger_ms is not None and not self.closed:
            self.options.linger = int(linger_ms)
        try:
            with engine.lease.afterwards, engine.lease.guard:
                if self.closed:
                    return
                self.closed = True
                self.end_use()
            self._end()
        except BaseException:
            if self.closed:
                engine.loop.call(self._end)
            raise

    def _end(self) -> None:
        """What `close` does, but for ending the use: every step may be done once more, by another thread."""
        engine = self.engine
        self.end_use()
        self.endpoints.close()
        engine.close(self.options.linger_s)
        _end_streams(engine)
        if engine.monitor is not None:
            self.disable_monitor()
        self.wake_fd = None
        self.context._remove_socket(self)
        for handle in self.handles():
            handle._handle_closed()

    def disable_monitor(self) -> None:
        """End the monitor, if there is one: it gets MONITOR_STOPPED."""
        self.monitor_socket = None
        _stop_monitor(self.engine)

    def abandon(self) -> None:
        """In a forked child: the socket belongs to the parent."""
        self.closed = True
        self.end_use()

    def __del__(self) -> None:
        """A socket that nobody refers to is closed; forgetting it is worth a warning (python -X dev)."""
        if getattr(self, "closed", True) or is_finalizing():
            return  # at the end of the process the exit handler has done what could be done
        # Not `close`: the collector may run in a thread that holds the lease of this very socket.
        self.closed = True
        self.usable = False
        self.endpoints.close()
        engine, linger = self.engine, self.options.linger_s

        def close() -> None:
            engine.close(linger)
            _end_streams(engine)
            _stop_monitor(engine)

        try:
            engine.loop.call(close)
        except RuntimeError:  # no thread can be started any more: the process ends
            return
        warnings.warn(f"Unclosed socket {self!r}", ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        """Tell the type."""
        return f"<{self.pattern.type_name} at {self.address:#x}>"


def _end_streams(engine: SocketEngine) -> None:
    with engine.lease.afterwards, engine.lease.guard:
        engine.end_observers(ENOTSOCK)


def _stop_monitor(engine: SocketEngine) -> None:
    sink: Any = None
    try:
        with engine.lease.afterwards, engine.lease.guard:
            sink, engine.monitor = engine.monitor, None
        if sink is not None:
            sink(Event.MONITOR_STOPPED, 0, "")
            sink.close()  # every monitor of ours is a MonitorSink
    except BaseException:  # a signal handler's: nobody else knows of it any more
        if sink is not None:
            engine.loop.call(sink.close)
        raise
