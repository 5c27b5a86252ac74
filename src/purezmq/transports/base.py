"""What a byte transport is: streams, listeners, pending connects, and what makes them.

Rules: every descriptor is non-blocking and not inherited by ``exec``; nothing here waits; ``close`` never raises and
may be called twice. Nobody here locks: who may touch a stream is the engine's business (its lease). Addresses of one
protocol family (``tcp``, ``ipc``) must not appear here.

Hot path: ``try_read`` and ``try_write`` run once per batch of messages. Each is one system call, one C method look-up
and, where nothing is to do, one exception; no option, clock or lock is consulted.

A signal handler may raise an OSError of its own behind a call that went well: a TimeoutError, an InterruptedError (the
system's Python keeps to itself: it calls again). So nothing but BlockingIOError means "not now", and what has no number
is not the system's word and goes on to the caller.
"""

from __future__ import annotations

import errno as _errno
import socket
import sys

from purezmq.transports.native_socket import NativeSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from purezmq.endpoint import Endpoint
    from purezmq.options import SocketOptions

    Buffer = bytes | bytearray | memoryview

__all__ = [
    "QUIET_SETTINGS",
    "SHORTAGES",
    "Address",
    "PendingConnect",
    "SocketStream",
    "StreamListener",
    "Transport",
    "adopt_descriptor",
    "begin_connect",
    "close_quietly",
    "describe_failure",
    "set_options_quietly",
]


# The most buffers that one sendmsg takes; Linux, macOS and the BSDs agree on IOV_MAX = 1024.
_IOV_MAX = 1024

# The most bytes joined for one send where there is no sendmsg (Windows).
_JOIN_MAX = 256 * 1024

# A peer that is gone is an error number, not a signal: SIGPIPE kills a program that reset it to its default.
_NO_SIGNAL = getattr(socket, "MSG_NOSIGNAL", 0)

# Peers refused by a filter or gone before they were accepted, per try_accept: work per turn is bounded.
_SKIPPED_PEERS_MAX = 64

# accept() reports what went wrong with *one* peer, or the network under it, as its own error; accept(2) says to go on.
_PEER_ERRORS = frozenset(
    number
    for name in (
        "ECONNABORTED",
        "ECONNRESET",
        "EPROTO",
        "ENOPROTOOPT",
        "ENETDOWN",
        "ENETUNREACH",
        "EHOSTDOWN",
        "EHOSTUNREACH",
        "ENONET",
        "EOPNOTSUPP",
        "EPERM",
    )
    if (number := getattr(_errno, name, None)) is not None
)

#: A call that fails by these will do later; they tell nothing about the connection.
SHORTAGES = frozenset({_errno.ENOBUFS, _errno.ENOMEM})

# Still connecting (connect_ex's answer), or interrupted while starting to; Windows says EWOULDBLOCK.
_CONNECTING = frozenset((_errno.EINPROGRESS, _errno.EINTR, _errno.EALREADY, getattr(_errno, "WSAEWOULDBLOCK", 10035)))


class Transport:
    """Makes listeners and connections of one scheme. Any thread may call any method.

    Attributes:
        scheme: the text before ``://``.
    """

    __slots__ = ()

    scheme = ""

    def listen(self, endpoint: Endpoint, options: SocketOptions) -> StreamListener:
        """Bind an endpoint and listen.

        Raises:
            ZMQError: with libzmq's errno, and a text that names cause and cure.
        """
        raise NotImplementedError

    def check_connect(self, endpoint: Endpoint, options: SocketOptions) -> None:
        """Check what can be checked of an endpoint before connecting to it: its syntax.

        Raises:
            ZMQError: EINVAL, ENAMETOOLONG, EPROTONOSUPPORT.
        """
        raise NotImplementedError

    def needs_resolver(self, endpoint: Endpoint) -> bool:
        """Tell whether `resolve` may block on a name server. The endpoint was checked before."""
        raise NotImplementedError

    def resolve(self, endpoint: Endpoint, options: SocketOptions) -> list[Address]:
        """Return the addresses to try, best first, at least one. The endpoint was checked before.

        Nothing is cached: each attempt asks again, so a name that moved is followed.

        Raises:
            OSError: none now; a later attempt may find one.
        """
        raise NotImplementedError

    def start_connect(self, address: Address, options: SocketOptions) -> PendingConnect:
        """Begin a connection to one address.

        Raises:
            OSError: it failed at once; the next address, or a later attempt, may succeed.
        """
        raise NotImplementedError


class Address:
    """One resolved address that a connection may be tried with.

    Attributes:
        family: the address family, ``socket.AF_INET``.
        sockaddr: what ``connect`` takes.
        source: what ``bind`` takes before connecting, or None.
        text: the endpoint it stands for, for errors and events: ``"tcp://127.0.0.1:5555"``.
    """

    __slots__ = ("family", "sockaddr", "source", "text")

    def __init__(self, family: int, sockaddr: Any, source: Any, text: str) -> None:
        self.family = family
        self.sockaddr = sockaddr
        self.source = source
        self.text = text

    def __repr__(self) -> str:
        return f"Address({self.text!r}, source={self.source!r})"


class SocketStream:
    """A connected byte stream over a stdlib socket. Whoever holds the lease of its socket may call it.

    Args:
        sock: connected; becomes non-blocking.
        remote: the peer's endpoint as text; where peers have no name (ipc), the listener's.

    Attributes:
        sock: the stdlib socket.
        remote: as given.
    """

    __slots__ = ("sock", "remote")

    def __init__(self, sock: socket.socket, remote: str) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.remote = remote

    def fileno(self) -> int:
        """Return the descriptor; -1 once closed."""
        return self.sock.fileno()

    def try_read(self, size: int) -> bytes | None:
        """Read what is there, at most `size` bytes.

        Returns:
            The bytes; ``b""`` at the end of the stream; None if nothing is there yet.

        Raises:
            OSError: the connection is broken, or closed here.
        """
        try:
            return self.sock.recv(size)
        except BlockingIOError:
            return None

    def try_read_into(self, buffer: bytearray | memoryview) -> int | None:
        """Read what is there into a buffer.

        Returns:
            The number of bytes; 0 at the end of the stream; None if nothing is there yet.

        Raises:
            OSError: the connection is broken, or closed here.
        """
        try:
            return self.sock.recv_into(buffer)
        except BlockingIOError:
            return None

    if hasattr(socket.socket, "sendmsg"):

        def try_write(self, chunks: Sequence[Buffer]) -> int:
            """Write chunks in order, as far as the operating system takes them at once.

            Returns:
                The number of bytes taken, counted over all chunks; 0 if none can be taken now.

            Raises:
                OSError: the connection is broken, or closed here.
            """
            count = len(chunks)
            try:
                if count == 1:
                    return self.sock.send(chunks[0], _NO_SIGNAL)
                if count <= _IOV_MAX:
                    return self.sock.sendmsg(chunks, (), _NO_SIGNAL) if count else 0
                return self.sock.sendmsg(chunks[:_IOV_MAX], (), _NO_SIGNAL)
            except BlockingIOError:
                return 0

    else:

        def try_write(self, chunks: Sequence[Buffer]) -> int:
            """Write chunks in order, as far as the operating system takes them at once (no gathering here)."""
            if not chunks:
                return 0
            data: Buffer = chunks[0]
            if len(chunks) > 1 and len(data) < _JOIN_MAX:
                # Joining copies; without it every small message would cost a system call.
                end, size = 1, len(data)
                while end < len(chunks) and size < _JOIN_MAX:
                    size += len(chunks[end])
                    end += 1
                data = b"".join(chunks[:end])
            try:
                return self.sock.send(data)
            except BlockingIOError:
                return 0

    def shutdown_write(self) -> None:
        """Tell the peer that no byte will follow; what was written is still delivered. Never raises.

        Closing a tcp socket whose receive buffer holds unread bytes resets the connection and discards what the peer
        has not read. An orderly close is therefore: this, then `try_read` until ``b""``, then `close`.
        """
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError as error:
            if error.errno is None:
                raise

    def close(self) -> None:
        """Close the descriptor. Never raises."""
        close_quietly(self.sock)

    @property
    def local(self) -> str:
        """This side's endpoint as text; empty if it has none or the stream is closed."""
        return ""

    @property
    def peer_address(self) -> str:
        """The peer's address for metadata (``Peer-Address``); empty if unknown."""
        return ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.remote} fd={self.sock.fileno()}>"


class StreamListener:
    """A listening socket. Transports derive from it and say who is admitted.

    Args:
        sock: bound and listening; becomes non-blocking.
        endpoint: the endpoint it really has, LAST_ENDPOINT's text.
        adopted: the descriptor came from outside (USE_FD), others may share it.
    """

    __slots__ = ("sock", "endpoint", "adopted")

    def __init__(self, sock: socket.socket, endpoint: str, *, adopted: bool = False) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.endpoint = endpoint
        self.adopted = adopted

    def fileno(self) -> int:
        """Return the descriptor; -1 once closed."""
        return self.sock.fileno()

    def try_accept(self) -> SocketStream | None:
        """Take the next peer that waits and that the filters let in.

        Returns:
            Its stream, or None if nobody waits.

        Raises:
            OSError: no peer can be accepted now, whoever it is: EMFILE, ENFILE, ENOBUFS, ENOMEM (the peer keeps
                waiting, so try again later, not at once), or EBADF: closed.
        """
        for _ in range(_SKIPPED_PEERS_MAX):
            try:
                sock, peer = self.sock.accept()
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno in _PEER_ERRORS:
                    continue
                raise
            try:
                stream = self.admit(sock, peer)
            except OSError:
                # Gone between accept and now: the next one, please.
                stream = None
            except BaseException:
                close_quietly(sock)
                raise
            if stream is not None:
                return stream
            close_quietly(sock)
        return None

    def admit(self, sock: socket.socket, peer: Any) -> SocketStream | None:
        """Make a stream of an accepted peer, or return None to refuse it; the caller closes what is refused."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop listening; when it returns the address is free. Never raises.

        A child process that is just being started (between its fork and its exec) holds a copy of the descriptor, and
        with it the address. Shutting down stops the listening itself, whoever holds copies. An adopted descriptor is
        shared on purpose, so it is only closed.
        """
        if not self.adopted:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                if error.errno is None:
                    raise
        close_quietly(self.sock)

    def forget(self) -> None:
        """Close the descriptor in a forked child, without any effect on the parent's listener. Never raises."""
        close_quietly(self.sock)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint} fd={self.sock.fileno()}>"


class PendingConnect:
    """A connection on its way. Wait until the descriptor is writable, then `finish`. Transports derive from it.

    Args:
        sock: non-blocking, `connect` was started.
        address: whom it goes to.

    Attributes:
        reading: wait until the descriptor is readable, instead: somebody on the way has to answer first.
    """

    __slots__ = ("sock", "address", "reading")
    #: The system answers a connect of this kind later, even on this machine: monitors see CONNECT_DELAYED.
    delayed = True

    def __init__(self, sock: socket.socket, address: Address) -> None:
        self.sock: socket.socket | None = sock
        self.address = address
        self.reading = False

    def fileno(self) -> int:
        """Return the descriptor; -1 once closed or finished."""
        return -1 if self.sock is None else self.sock.fileno()

    def finish(self) -> SocketStream | None:
        """Take the outcome. It may be asked at once, and as often as wanted while the answer is None.

        Returns:
            The stream, which now owns the descriptor; None while still connecting.

        Raises:
            OSError: the connection failed; the descriptor is closed.
        """
        sock = self.sock
        if sock is None:
            raise OSError(_errno.EBADF, f"the connection to '{self.address.text}' was already finished or given up")
        try:
            failure = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failure:
                raise OSError(failure, describe_failure(failure, f"cannot connect to '{self.address.text}'"))
            try:
                peer = sock.getpeername()
            except OSError as error:
                if error.errno in {_errno.ENOTCONN, _errno.EINVAL}:
                    return None
                raise
            stream = self.open_stream(sock, peer)
        except OSError:
            self.close()
            raise
        if stream is not None:
            self.sock = None
        return stream

    def open_stream(self, sock: socket.socket, peer: Any) -> SocketStream | None:
        """Make the stream of an established connection; None while something is to be negotiated on it first.

        Raises:
            OSError: it is no connection to the peer after all.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Give up. Never raises; without effect after `finish` returned the stream."""
        if self.sock is not None:
            close_quietly(self.sock)
            self.sock = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.address.text} fd={self.fileno()}>"


def adopt_descriptor(endpoint: Endpoint, options: SocketOptions, families: tuple[int, ...]) -> socket.socket:
    """Make a listening socket of the descriptor USE_FD.

    On failure the descriptor stays open: it still is the caller's.

    Raises:
        ZMQError: EBADF, ENOTSOCK: it is no socket. EINVAL: it is a socket of another kind or not bound.
    """
    from purezmq.error import make_error

    what = f"cannot bind '{endpoint}' with USE_FD={options.use_fd}"
    try:
        sock = NativeSocket(fileno=options.use_fd)
    except OSError as error:
        raise make_error(
            error.errno or _errno.EBADF, f"{what}: {error.strerror}; give the descriptor of a bound socket"
        ) from error
    try:
        if sock.family not in families or not sock.type & socket.SOCK_STREAM:
            raise OSError(_errno.EINVAL, f"it is a {sock.family.name} socket")
        if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            sock.listen(options.backlog)
        sock.set_inheritable(False)
    except OSError as error:
        sock.detach()
        raise make_error(
            error.errno or _errno.EINVAL, f"{what}: {error.strerror}; give the descriptor of a bound stream socket"
        ) from error
    return sock


def begin_connect(sock: socket.socket, address: Address) -> None:
    """Start a non-blocking connect; on failure the socket is closed.

    Raises:
        OSError: it failed at once.
    """
    try:
        sock.setblocking(False)
        number = sock.connect_ex(address.sockaddr)
    except BaseException:
        close_quietly(sock)
        raise
    if number and number not in _CONNECTING:
        close_quietly(sock)
        raise OSError(number, describe_failure(number, f"cannot connect to '{address.text}'"))


def describe_failure(number: int, what: str) -> str:
    """Return the text of an error number with what was tried before it."""
    from purezmq.error import strerror

    return f"{what}: {strerror(number)}"


def close_quietly(sock: socket.socket) -> None:
    """Close a socket. Never raises: what close reports (a reset by the peer) is nothing that a caller could mend."""
    try:
        sock.close()
    except OSError as error:
        if error.errno is None:
            raise


def set_options_quietly(sock: socket.socket, settings: Sequence[tuple[int, int, int]]) -> None:
    """Apply ``(level, option, value)`` settings; what the operating system refuses is left out. Never raises.

    A peer that already closed makes setsockopt fail on some systems (EINVAL on macOS); the read that follows tells it.
    """
    for level, option, value in settings:
        try:
            sock.setsockopt(level, option, value)
        except OSError:
            pass


# macOS has no MSG_NOSIGNAL: there the socket itself is told (SO_NOSIGPIPE = 0x1022, not in the module socket).
QUIET_SETTINGS: list[tuple[int, int, int]] = [(socket.SOL_SOCKET, 0x1022, 1)] if sys.platform == "darwin" else []
