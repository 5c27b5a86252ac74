"""Monitoring: a socket's events as libzmq's two-frame messages on an inproc PAIR socket (behaviour notes D.5)."""

from __future__ import annotations

from struct import Struct

from purezmq.constants import DONTWAIT, EPROTONOSUPPORT, SocketType
from purezmq.endpoint import parse_endpoint
from purezmq.error import ZMQError, make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.sockets.context import Context
    from purezmq.sockets.socket import Socket

__all__ = ["MonitorSink", "open_monitor"]

#: Number and value of an event, in the machine's own byte order.
_HEAD = Struct("=HI")


class MonitorSink:
    """Where the engine's events go. An event that finds no reader, or a full one, is counted in `dropped`."""

    __slots__ = ("_mask", "_socket", "dropped")

    def __init__(self, socket: Socket, mask: int) -> None:
        self._socket = socket
        self._mask = mask
        self.dropped = 0

    def __call__(self, event: int, value: int, endpoint: str) -> None:
        """Send an event if it is among those asked for."""
        if not int(event) & self._mask:
            return
        try:
            self._socket.send_multipart([_HEAD.pack(int(event), value & 0xFFFFFFFF), endpoint.encode()], DONTWAIT)
        except ZMQError:
            self.dropped += 1

    def close(self) -> None:
        """Stop."""
        self._socket.close(linger=0)


def open_monitor(context: Context[Any], addr: str, mask: int) -> MonitorSink:
    """Bind the PAIR socket that tells events.

    Raises:
        ZMQError: EPROTONOSUPPORT: the address is not inproc; EADDRINUSE.
    """
    if parse_endpoint(addr).scheme != "inproc":
        raise make_error(EPROTONOSUPPORT, f"a monitor needs an inproc:// address, not '{addr}'")
    socket = context._make_socket(SocketType.PAIR)
    try:
        socket.bind(addr)
    except ZMQError:
        socket.close(linger=0)
        raise
    return MonitorSink(socket, mask)
