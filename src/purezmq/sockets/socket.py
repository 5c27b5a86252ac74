"""Socket: the one class an application uses, with pyzmq's names.

Its life, endpoints and monitoring are here; sending, receiving and options have rooms of their own.
"""

from __future__ import annotations

import warnings

from purezmq.constants import EADDRINUSE, EFAULT, EINVAL, ENOTSUP, EVENT_ALL, LAST_ENDPOINT, SocketType
from purezmq.error import ZMQBindError, ZMQError, make_error
from purezmq.message import COPY_THRESHOLD, check_group
from purezmq.sockets.census import Census
from purezmq.sockets.generic import Generic, public_name
from purezmq.sockets.limit_settings import LimitSettings
from purezmq.sockets.part_by_part import recv_part_by_part, send_part_by_part
from purezmq.sockets.queue_settings import QueueSettings, check_overflow
from purezmq.sockets.readiness import Readiness, connect_steps
from purezmq.sockets.request import Requests
from purezmq.sockets.security import Security
from purezmq.sockets.serialization import Serialization
from purezmq.sockets.shared_state import SharedState, find_shared_state
from purezmq.sockets.socket_options import SocketOptionsApi
from purezmq.sockets.trust import PickleGuard

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self, TypeVar

    from typing_extensions import TypeVar as DefaultTypeVar

    from purezmq.sockets.context import Context
    from purezmq.sockets.event_stream import EventStream
    from purezmq.sockets.steps import Steps

    _T = TypeVar("_T", bound="Socket[Any]")
    # As in pyzmq `Socket[bytes]` is a synchronous socket; its asynchronous kin has a type of its own here.
    _Part_co = DefaultTypeVar("_Part_co", covariant=True, default=bytes)  # noqa: PYI018 - named in Generic[...]

__all__ = ["EndpointContext", "Socket"]


class EndpointContext(Generic["_T"]):
    """What bind() and connect() return: as a context manager it undoes them, otherwise ignore it."""

    __slots__ = ("_undo", "endpoint", "socket")

    def __init__(self, socket: _T, undo: str, endpoint: str) -> None:
        self.socket = socket
        self._undo = undo
        self.endpoint = endpoint

    def __repr__(self) -> str:
        """Tell what would be undone."""
        return f"<SocketContext({'bind' if self._undo == 'unbind' else 'connect'}={self.endpoint!r})>"

    def __enter__(self) -> _T:
        """The socket."""
        return self.socket

    def __exit__(self, *_: object) -> None:
        """Unbind or disconnect, unless the socket is closed."""
        if not self.socket.closed:
            getattr(self.socket, self._undo)(self.endpoint)


class Socket(
    Readiness,
    Requests,
    SocketOptionsApi,
    QueueSettings,
    LimitSettings,
    Security,
    Census,
    PickleGuard,
    Serialization,
    Generic["_Part_co"],
):
    """A 0MQ socket. Make it with ``context.socket(zmq.PUSH)``. Any thread may call any method.

    Args:
        ctx_or_socket: the context, or a socket of which this is a second handle (as pyzmq's shadow).
        socket_type: a SocketType.
        shadow: a socket, or its `underlying`, of which this is a second handle.
        copy_threshold: buffers smaller than this many bytes are copied even with ``copy=False``.
        kwargs: options to set, by lower-case name.

    Raises:
        TypeError: neither a context nor a socket is given.
        ZMQError: EINVAL (no such type, nothing to shadow), EMFILE (MAX_SOCKETS of the context), ETERM (it is
            terminated).
    """

    __slots__ = ()

    def __init__(
        self,
        ctx_or_socket: Context[Any] | Socket[Any] | None = None,
        socket_type: int = 0,
        *,
        shadow: Socket | int = 0,
        copy_threshold: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.copy_threshold = COPY_THRESHOLD if copy_threshold is None else copy_threshold
        first = ctx_or_socket if isinstance(ctx_or_socket, Socket) else shadow
        if isinstance(first, int) and first:
            first = find_shared_state(first).first_handle()
        if isinstance(first, Socket):
            self._open(first._shared)
        else:
            if ctx_or_socket is None or isinstance(ctx_or_socket, Socket):
                text = "a socket needs a context, or a socket of which it is a second handle"
                raise TypeError(text)
            context = ctx_or_socket
            shared = SharedState(context, int(socket_type), context._make_options(int(socket_type)))
            context._add_socket(shared)
            self._open(shared)
        try:
            for name, value in kwargs.items():
                setattr(self, name, value)
        except BaseException:
            if not isinstance(first, Socket):  # what is shared is not ours to close
                self.close(linger=0)
            raise

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """As in pyzmq, a subclass with a `send` or `recv` of its own has each part of a multipart go through it."""
        super().__init_subclass__(**kwargs)
        if "send" in vars(cls) and cls.send_multipart is Socket.send_multipart:
            setattr(cls, "send_multipart", send_part_by_part)  # noqa: B010 - a method, which types forbid to assign
        if "recv" in vars(cls) and cls.recv_multipart is Socket.recv_multipart:
            setattr(cls, "recv_multipart", recv_part_by_part)  # noqa: B010 - as above

    def __repr__(self) -> str:
        """Tell the type and whether it's closed."""
        closed = " closed" if self.closed else ""
        return f"<{public_name(type(self))}(zmq.{self._pattern.type_name}) at {id(self):#x}{closed}>"

    def __enter__(self) -> Self:
        """The socket; it's closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    @classmethod
    def shadow(cls, address: int | Socket[Any]) -> Self:
        """A second handle of a socket: messages, options and the end are shared with the first.

        Args:
            address: the socket's `underlying`, or the socket itself.

        Raises:
            ZMQError: EINVAL: no purezmq socket lives there (a socket of libzmq can't be shadowed).
        """
        if isinstance(address, Socket):
            return cls(address)
        return cls(find_shared_state(int(address)).first_handle())

    def __copy__(self) -> Self:
        """A second handle."""
        return type(self)(self)

    def __deepcopy__(self, memo: Any) -> Self:
        """A second handle."""
        return self.__copy__()

    def __reduce__(self) -> Any:
        """Refuse, with the cure."""
        text = "a socket can't be pickled: make one in the other process and connect it"
        raise TypeError(text)

    # -- life ----------------------------------------------------------------------------------------------------

    @property
    def context(self) -> Context[Any]:
        """The context it belongs to."""
        return self._context

    @property
    def _shadow(self) -> bool:
        """Whether an older handle stands for the same socket; pyzmq's name."""
        return self._shared.first_handle() is not self

    @property
    def _shadow_obj(self) -> Any:
        """The older handle that stands for the same socket, or None; pyzmq's name."""
        first = self._shared.first_handle()
        return None if first is self else first

    @property
    def closed(self) -> bool:
        """Whether it was closed (or its context destroyed, or the process forked)."""
        shared = getattr(self, "_shared", None)
        return shared is None or bool(shared.closed)

    @property
    def type(self) -> int:
        """Its SocketType."""
        return self._shared.type

    @property
    def socket_type(self) -> int:
        """pyzmq's deprecated name of `type`."""
        warnings.warn("Socket.socket_type is deprecated, use Socket.type", DeprecationWarning, stacklevel=2)
        return self._shared.type

    @property
    def underlying(self) -> int:
        """A number that is unique among live sockets; there is no C pointer behind it."""
        return self._shared.address

    def close(self, linger: int | None = None) -> None:
        """Close the socket. Blocked calls in other threads raise ENOTSOCK; addresses are free when it returns.

        What was sent still leaves in the background: for as long as LINGER says, and `Context.term` waits for that.

        Args:
            linger: milliseconds, instead of the option; -1 for as long as it takes, 0 to discard.
        """
        self._shared.close(linger)

    def fileno(self) -> int:
        """The descriptor of FD, so that select and poll accept the socket itself (see FD for its meaning)."""
        return self._exported_fd()

    FD = fd = property(fileno, doc="See fileno().")

    # -- endpoints -----------------------------------------------------------------------------------------------

    def bind(self, addr: str, *, overflow: str = "") -> EndpointContext[Self]:
        """Listen on an endpoint, such as ``tcp://127.0.0.1:5555``, ``tcp://*:0``, ``ipc:///tmp/x``, ``inproc://x``.

        Args:
            addr: the endpoint.
            overflow: the overflow policy of the peers that come by it, instead of the socket's; see `overflow`.

        Returns:
            A context manager that unbinds at its end. LAST_ENDPOINT tells the resolved address.

        Raises:
            ZMQError: EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, EADDRINUSE, EADDRNOTAVAIL, ENODEV, ENOENT, ETERM,
                ENOTSOCK, EMTHREAD (no I/O thread can be started; nothing has changed).
        """
        addr = _as_text(addr)
        self._settle_curve_role()
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            self._shared.endpoints.bind(addr, check_overflow(self._pattern, overflow))
            endpoint = self._shared.endpoints.last
        return EndpointContext(self, "unbind", endpoint)

    def connect(self, addr: str, *, wait: float | None = None, overflow: str = "") -> EndpointContext[Self]:
        """Connect to an endpoint. Returns at once: the connection is made, and made again when lost, behind it.

        With `wait` it returns when the handshake with the peer has succeeded (over inproc: when somebody is bound to
        the name). Until then no message is queued for that peer; when it raises, nothing is connected.

        Args:
            addr: the endpoint.
            wait: seconds to wait for the connection; None not to wait. Asynchronous sockets return an awaitable then.
            overflow: the overflow policy of this peer, instead of the socket's; see `overflow`.

        Returns:
            A context manager that disconnects at its end.

        Raises:
            Again: it was not connected within `wait` seconds; the text says what it was waiting for.
            ZMQError: EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO, ETERM, ENOTSOCK. With `wait` besides: the system's
                number (as ECONNREFUSED) when the first attempt failed, EHOSTUNREACH when the name can't be resolved;
                EPROTO, EACCES (refused with a status) or ETIMEDOUT (HANDSHAKE_IVL) when the handshake failed.
        """
        addr = _as_text(addr)
        check_overflow(self._pattern, overflow)
        if wait is not None:
            return self._run_steps(self._connect_steps(addr, wait, overflow))
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            shared = self._shared
            routing_id, shared.connect_routing_id = shared.connect_routing_id, b""
            shared.endpoints.connect(addr, routing_id, overflow)
        return EndpointContext(self, "disconnect", addr)

    def _connect_steps(self, addr: str, wait: float, overflow: str) -> Steps[EndpointContext[Self]]:
        yield from connect_steps(self, addr, wait, overflow)
        return EndpointContext(self, "disconnect", addr)

    def unbind(self, addr: str) -> None:
        """Stop listening on an endpoint; the address is free when it returns.

        Raises:
            ZMQError: ENOENT: not bound to it; ETERM, ENOTSOCK.
        """
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            self._shared.endpoints.unbind(_as_text(addr))

    def disconnect(self, addr: str) -> None:
        """Drop the connection to an endpoint; what is queued for it leaves for as long as LINGER allows.

        Raises:
            ZMQError: ENOENT: not connected to it; ETERM, ENOTSOCK.
        """
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            self._shared.endpoints.disconnect(_as_text(addr))

    def bind_to_random_port(self, addr: str, min_port: int = 49152, max_port: int = 65536, max_tries: int = 100) -> int:
        """Bind to a free port.

        Args:
            addr: the endpoint without its port, as ``tcp://127.0.0.1``.
            min_port: the first port to choose from; with the default range the system chooses.
            max_port: the end of the range, not included.
            max_tries: how many ports of the range to try.

        Returns:
            The port.

        Raises:
            ZMQBindError: no free port was found.
            ZMQError: any failure but an address in use.
        """
        if min_port == 49152 and max_port == 65536:
            self.bind(f"{addr}:*")
            return int(self.getsockopt_string(LAST_ENDPOINT).rpartition(":")[2])
        from random import randrange

        for _ in range(max_tries):
            port = randrange(min_port, max_port)
            try:
                self.bind(f"{addr}:{port}")
            except ZMQError as error:
                if error.errno not in {EADDRINUSE, 13}:  # 13: EACCES, a port reserved by the system
                    raise
            else:
                return port
        text = f"could not bind {addr} to any of {max_tries} random ports in {min_port}..{max_port - 1}"
        raise ZMQBindError(text)

    # -- monitoring ----------------------------------------------------------------------------------------------

    def monitor(self, addr: str | None, events: int = EVENT_ALL) -> None:
        """Publish the socket's events on a PAIR socket bound to `addr` (libzmq's frames, see `get_monitor_socket`).

        Args:
            addr: an inproc endpoint; None to stop.
            events: which ones, a mask of `Event`.

        Raises:
            ZMQError: EPROTONOSUPPORT (addr is no inproc endpoint), EADDRINUSE, ENOTSOCK, ETERM.
        """
        from purezmq.sockets.monitor import open_monitor

        self._check_open()
        engine = self._engine
        sink = None if addr is None else open_monitor(self._context, _as_text(addr), int(events))
        with engine.lease.afterwards, engine.lease.guard:
            previous, engine.monitor = engine.monitor, sink
        if previous is not None:
            previous.close()  # type: ignore[attr-defined]  # every monitor of ours is a MonitorSink

    def get_monitor_socket(self, events: int | None = None, addr: str | None = None) -> Socket:
        """A PAIR socket that receives this socket's events; read them with `zmq.utils.monitor`.

        Args:
            events: which ones; all by default.
            addr: the inproc endpoint to use; by default one of its own.

        Raises:
            ZMQError: as `monitor`.
        """
        if self._shared.monitor_socket is not None and not self._shared.monitor_socket.closed:
            return self._shared.monitor_socket  # type: ignore[no-any-return]
        if addr is None:
            addr = f"inproc://monitor.s-{self._shared.address:x}"
        self.monitor(addr, EVENT_ALL if events is None else events)
        socket: Socket = self._context.socket(SocketType.PAIR)
        socket.connect(addr)
        self._shared.monitor_socket = socket
        return socket

    def disable_monitor(self) -> None:
        """Stop monitoring: the monitor socket gets MONITOR_STOPPED."""
        self._shared.disable_monitor()

    def _open_events(self, timeout: float | None, max_events: int | None) -> EventStream:
        """What ``socket.events(...)`` calls; see `ReadyEvents`."""
        from purezmq.sockets.event_stream import EventStream, ThreadPause, open_event_stream

        return open_event_stream(
            self, max_events, lambda engine, queue: EventStream(engine, queue, timeout, ThreadPause)
        )

    # -- groups and peers ------------------------------------------------------------------------------------------

    def join(self, group: str | bytes) -> None:
        """Join a group (DISH): messages of that group and no other arrive.

        Args:
            group: at most 255 bytes; text is UTF-8. Groups match exactly.

        Raises:
            ZMQError: EINVAL (joined already, too long, or no DISH), ETERM, ENOTSOCK.
        """
        self._change_group("join", group)

    def leave(self, group: str | bytes) -> None:
        """Leave a group (DISH); what waits of it is dropped.

        Args:
            group: as for `join`.

        Raises:
            ZMQError: EINVAL (not joined, too long, or no DISH), ETERM, ENOTSOCK.
        """
        self._change_group("leave", group)

    def _change_group(self, how: str, group: str | bytes) -> None:
        name = check_group(group)
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            change = getattr(self._pattern, how, None)
            if change is None:
                raise make_error(EINVAL, f"only DISH sockets {how} groups, not {self._pattern.type_name} ({group!r})")
            change(name)

    def connect_peer(self, addr: str) -> int:
        """Connect (PEER) and tell the routing id by which the peer is addressed, at once.

        Args:
            addr: an endpoint, as for `connect`.

        Returns:
            The routing id. It stays over reconnects; what is sent to it waits for the connection.

        Raises:
            ZMQError: ENOTSUP (no PEER), EFAULT (IMMEDIATE: there is no peer before the connection), and as `connect`.
        """
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            pattern = self._check_peer()
            if self._options.immediate:
                raise make_error(EFAULT, "connect_peer tells the id before the connection is made: unset IMMEDIATE")
            self._shared.endpoints.connect(_as_text(addr))
            return int(pattern.last_routing_id)

    def disconnect_peer(self, routing_id: int) -> None:
        """End the connection to one peer (PEER), whichever side made it; what is queued for it leaves before.

        Args:
            routing_id: what `connect_peer` returned, or a received Frame tells.

        Raises:
            ZMQError: ENOTSUP (no PEER), EHOSTUNREACH (no such peer), ETERM, ENOTSOCK.
        """
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            self._shared.endpoints.disconnect_pipe(self._check_peer().find_peer(routing_id))

    def _check_peer(self) -> Any:
        if self._shared.type != SocketType.PEER:
            raise make_error(ENOTSUP, f"only PEER sockets have peers by number, not {self._pattern.type_name}")
        return self._pattern


def _as_text(addr: str | bytes) -> str:
    if isinstance(addr, bytes):
        return addr.decode("utf-8", "surrogateescape")  # what is no UTF-8 may still be a path
    given: object = addr
    if not isinstance(given, str):
        text = f"an endpoint is a str, not {given!r}"
        raise TypeError(text)
    return given
