"""What a datagram transport is: sockets that send and receive whole datagrams, and what makes them.

The counterpart of `base`, for transports without connections. The same rules hold: descriptors are non-blocking,
nothing waits, ``close`` never raises. What an error of the network says (nobody listens there, no route) concerns one
datagram: it is counted, and the socket goes on. What is inside of a datagram must not appear here.
"""

from __future__ import annotations

import errno as _errno
import socket

from purezmq.transports.base import close_quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.endpoint import Endpoint
    from purezmq.options import SocketOptions

__all__ = ["DatagramSocket", "DatagramTransport"]

#: More than any datagram holds: a cut one would look like a whole one.
_RECEIVE_SIZE = 65536
#: Errors that are skipped per call: work per turn is bounded.
_SKIPPED_ERRORS_MAX = 16
#: The system's queue is full, for now. BSD and macOS say ENOBUFS, and never tell when it is not.
_FULL = frozenset((_errno.EAGAIN, _errno.EWOULDBLOCK))


class DatagramSocket:
    """A socket that receives or sends datagrams. Whoever holds the lease of its socket may call it.

    Args:
        sock: bound, or about to send; becomes non-blocking.
        endpoint: the endpoint that it really has, LAST_ENDPOINT's text.
        target: where `try_send` sends to unless told otherwise, as a sockaddr; None for a socket that answers.

    Attributes:
        errors: datagrams that the system refused to send or told an error about.
    """

    __slots__ = ("endpoint", "errors", "sock", "target")

    def __init__(self, sock: socket.socket, endpoint: str, target: Any = None) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.endpoint = endpoint
        self.target = target
        self.errors = 0

    def fileno(self) -> int:
        """Return the descriptor; -1 once closed."""
        return self.sock.fileno()

    def try_receive(self) -> tuple[bytes, Any] | None:
        """Take the next datagram.

        Returns:
            Its bytes (perhaps none) and the sender's sockaddr; None if nothing is there.
        """
        for _ in range(_SKIPPED_ERRORS_MAX):
            try:
                return self.sock.recvfrom(_RECEIVE_SIZE)
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno is None:  # a signal handler's: see `base`
                    raise
                # Told late about something we sent: ECONNREFUSED, EHOSTUNREACH, Windows' ECONNRESET.
                self.errors += 1
        return None

    def try_send(self, data: bytes, target: Any = None) -> bool:
        """Send a datagram.

        Args:
            data: the whole of it.
            target: a sockaddr, instead of the socket's own.

        Returns:
            False if the system's queue is full: try again when the descriptor is writable. True when it was sent, as
            well as when it never can be; that is counted in `errors`.
        """
        try:
            self.sock.sendto(data, self.target if target is None else target)
        except OSError as error:
            if error.errno is None:
                raise
            if error.errno in _FULL:
                return False
            self.errors += 1
        return True

    def try_read(self, size: int) -> None:
        """Read nothing: unlike a stream, a socket for datagrams resets nobody when it is closed with unread bytes."""

    def clear_error(self) -> None:
        """Take a pending error from the socket, so that a selector stops telling it. Never raises."""
        try:
            self.errors += self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        except OSError as error:
            if error.errno is None:
                raise

    def close(self) -> None:
        """Close the descriptor; when it returns the address is free. Never raises."""
        close_quietly(self.sock)

    def format_peer(self, sockaddr: Any) -> str:
        """Return a sender as text, ``"127.0.0.1:5555"``. Transports say how."""
        raise NotImplementedError

    def parse_peer(self, text: str) -> Any:
        """Return the sockaddr of a peer that `format_peer` could have told; None if the text is none. Never blocks."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint} fd={self.sock.fileno()}>"


class DatagramTransport:
    """Makes the sockets of one scheme. Any thread may call any method.

    Attributes:
        scheme: the text before ``://``.
    """

    __slots__ = ()

    scheme = ""

    def open_receiver(self, endpoint: Endpoint, options: SocketOptions) -> DatagramSocket:
        """Bind an endpoint; the socket may send, too.

        Raises:
            ZMQError: with a text that names cause and cure.
        """
        raise NotImplementedError

    def open_sender(self, endpoint: Endpoint, options: SocketOptions) -> DatagramSocket:
        """Open a socket that sends to an endpoint.

        Raises:
            ZMQError: with a text that names cause and cure.
        """
        raise NotImplementedError
