"""The counting methods of a socket; how the numbers are found is `counting`'s matter."""

from __future__ import annotations

from purezmq.sockets.socket_state import SocketState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.sockets.statistics import Peer, SocketStats

__all__ = ["Census"]


class Census(SocketState):
    """The counting methods of a socket."""

    __slots__ = ()

    def stats(self) -> SocketStats:
        """What this socket has sent, received, queued and dropped, in all and per peer. Any thread, at any time.

        Returns:
            A `SocketStats` that doesn't change any more.

        Raises:
            ZMQError: ENOTSOCK (closed), ETERM.
        """
        from purezmq.sockets.counting import count_socket

        self._check_open()
        return count_socket(self._shared)

    def peers(self) -> list[Peer]:
        """The peers that are connected now.

        Returns:
            A list of `Peer`.

        Raises:
            ZMQError: ENOTSOCK (closed), ETERM.
        """
        from purezmq.sockets.counting import describe, is_connected

        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            return [describe(pipe) for pipe in self._engine.pipes() if is_connected(pipe)]
