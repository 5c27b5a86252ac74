"""Multipart messages for subclasses of Socket that have a `send` or `recv` of their own: each part goes through it.

pyzmq does so for every socket; here a whole message is one step, unless a subclass wants to see its parts.
"""

from __future__ import annotations

from purezmq.constants import RCVMORE, SNDMORE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["recv_part_by_part", "send_part_by_part"]


def send_part_by_part(
    socket: Any, msg_parts: Sequence[Any], flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any
) -> Any:
    """`Socket.send_multipart` by way of the socket's own `send`.

    Arguments, errors: see there.
    """
    parts = list(msg_parts)
    for index, part in enumerate(parts):
        if not isinstance(part, bytes):
            socket._check_part(part, index, copy)
    for part in parts[:-1]:
        socket.send(part, flags | SNDMORE, copy=copy, track=track, **kwargs)
    return socket.send(parts[-1], flags, copy=copy, track=track, **kwargs)


def recv_part_by_part(socket: Any, flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any) -> list[Any]:
    """`Socket.recv_multipart` by way of the socket's own `recv`.

    Arguments, errors: see there.
    """
    parts = [socket.recv(flags, copy=copy, track=track, **kwargs)]
    while socket.getsockopt(RCVMORE):
        parts.append(socket.recv(flags, copy=copy, track=track, **kwargs))
    return parts
