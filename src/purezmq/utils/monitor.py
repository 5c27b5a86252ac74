"""Reading the events of a monitor socket (pyzmq's ``zmq.utils.monitor``)."""

from __future__ import annotations

from struct import Struct

from purezmq.constants import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypedDict

    from purezmq.sockets.socket import Socket

    class _MonitorMessage(TypedDict):
        event: int
        value: int
        endpoint: bytes


__all__ = ["parse_monitor_message", "recv_monitor_message"]

_HEAD = Struct("=HI")


def parse_monitor_message(msg: list[bytes]) -> _MonitorMessage:
    """Parse the two frames of a monitor event.

    Args:
        msg: u16 event and u32 value in the machine's byte order, then the endpoint (zmq_socket_monitor).

    Returns:
        A dict with ``event`` (an `Event` where it is a known one), ``value`` and ``endpoint``.

    Raises:
        RuntimeError: it is no monitor event.
    """
    if len(msg) != 2 or len(msg[0]) != _HEAD.size:
        text = f"Invalid event message format: {msg}"
        raise RuntimeError(text)
    number, value = _HEAD.unpack(msg[0])
    event = Event(number) if number in Event.__members__.values() else number
    return {"event": event, "value": value, "endpoint": msg[1]}


def recv_monitor_message(socket: Socket, flags: int = 0) -> Any:
    """Receive and parse the next event of a monitor socket.

    Args:
        socket: what `Socket.get_monitor_socket` returned.
        flags: as `Socket.recv_multipart`.

    Returns:
        What `parse_monitor_message` returns; a future of it when the socket is an asynchronous one.

    Raises:
        Again: with DONTWAIT (or after RCVTIMEO), when no event is there.
        ContextTerminated, ZMQError: as `Socket.recv_multipart`.
    """
    return socket._deserialize(socket.recv_multipart(flags), parse_monitor_message)
