"""The limits on peers that a socket can set: on those that come, on their messages, on what they subscribe to.

libzmq has none of them, so they have names and no option numbers: attributes of the socket, and keywords of
``context.socket()``. What each is for, and why the default is what it is, stands in `purezmq/limits.py`. 0 means no
limit. A peer that runs into one loses its connection: the event "limit_exceeded" tells it, ``stats().refusals`` counts
it.
"""

from __future__ import annotations

from purezmq.constants import EINVAL
from purezmq.error import make_error
from purezmq.sockets.socket_state import SocketState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self, overload

__all__ = ["LimitSettings"]


class _Limit:
    """One of the attributes: a count, a number of bytes or milliseconds, 0 for no limit."""

    def __init__(self, text: str) -> None:
        self.__doc__ = f"{text} 0 for no limit. Raises ZMQError with EINVAL for less."

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    if TYPE_CHECKING:

        @overload
        def __get__(self, socket: None, owner: Any = None) -> Self: ...
        @overload
        def __get__(self, socket: SocketState, owner: Any = None) -> int: ...

    def __get__(self, socket: Any, owner: Any = None) -> Any:
        """The value; of the class the limit itself."""
        return self if socket is None else getattr(socket._options, self._name)

    def __set__(self, socket: Any, value: int) -> None:
        """Set the value.

        Raises:
            TypeError: it is no integer.
            ZMQError: EINVAL: it is negative. ENOTSOCK, ETERM.
        """
        if isinstance(value, bool) or not isinstance(value, int):
            text = f"{self._name} is an integer, not {value!r}"
            raise TypeError(text)
        if value < 0:
            raise make_error(EINVAL, f"{self._name} must be 0 or more, not {value}")
        with socket._engine.lease.afterwards, socket._engine.lease.guard:
            socket._check_open()
            setattr(socket._options, self._name, value)


class LimitSettings(SocketState):
    """The attributes; see the module's text."""

    __slots__ = ()

    greeting_ivl = _Limit("Milliseconds for the whole greeting of a peer that connects to a bound endpoint.")
    max_handshakes = _Limit("Connections of one bound endpoint amid their handshake; the next ones wait for room.")
    max_handshakes_per_address = _Limit(
        "The same of one source address, or IPv6 network (/64); it doesn't apply to loopback and ipc."
    )
    max_parts = _Limit("Parts of one message that arrives.")
    max_multipart_bytes = _Limit("Bytes of all parts of one message that arrives in several; MAXMSGSIZE is for each.")
    max_topics_per_peer = _Limit("Topics that one subscriber of a PUB or XPUB, or groups that one DISH, has at once.")
    max_topics_per_proxy = _Limit("The same of one XSUB, which asks for the topics of all its own subscribers.")
    max_topic_bytes_per_peer = _Limit("Bytes of the topics, or names of groups, that one subscriber has at once.")
    max_topic_bytes_per_proxy = _Limit("The same of one XSUB.")
    max_topics = _Limit("Different topics, or groups, that all subscribers have at once.")
