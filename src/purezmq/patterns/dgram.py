"""DGRAM: datagrams of any udp program, each with its peer's address before it (zmq_socket(3), "DGRAM").

A message is ``[b"ip:port", body]``, on its way in and out. What arrives has a NUL at the end of its address, as with
libzmq; both forms may be sent, so an answer goes to the part that was received. libzmq swallows what names no peer, and
dies of a second bind or of a large body; here each of them is an error that says so.
"""

from __future__ import annotations

from purezmq.constants import EINVAL, EMSGSIZE
from purezmq.error import make_error
from purezmq.patterns.base import Pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe

__all__ = ["Dgram"]


class Dgram(Pattern):
    """A socket for datagrams.

    Attributes:
        pipe: of the one endpoint that is bound, or None.
    """

    type_name = "DGRAM"
    can_transmit = True
    undeliverable = frozenset({EINVAL, EMSGSIZE})

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.pipe: Pipe | None = None

    def attach(self, pipe: Pipe) -> None:
        """An endpoint was bound."""
        if self.pipe is not None:
            pipe.carrier.end_pipe(pipe)
            return
        self.pipe = pipe
        super().attach(pipe)

    def detach(self, pipe: Pipe) -> None:
        """The endpoint was unbound; what it brought stays readable."""
        if pipe is self.pipe:
            self.pipe = None
            super().detach(pipe)

    def try_send(self, message: Message) -> bool:
        """Send the second part to the peer that the first one names.

        Raises:
            ZMQError: EINVAL: there are not two parts, or the first names no peer. EMSGSIZE: no datagram is so large.
        """
        if not isinstance(message, list) or len(message) != 2:
            count = len(message) if isinstance(message, list) else 1
            raise make_error(EINVAL, f"a DGRAM message has two parts, the peer's b'ip:port' and the body, not {count}")
        pipe = self.pipe
        if pipe is None:
            return False
        pipe.carrier.check_message(message)
        return pipe.send(message)

    def can_send(self) -> bool:
        """Whether an endpoint is bound and has room."""
        return self.pipe is not None and self.pipe.is_open()

    def why_blocked(self) -> str:
        """Not bound, or the system is full."""
        if self.pipe is None:
            return "no endpoint is bound; bind one, as 'udp://*:5555'"
        return "the system takes no more datagrams now, and the queue is full (high-water mark)"
