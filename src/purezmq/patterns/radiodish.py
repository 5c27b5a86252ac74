"""RADIO and DISH: publish to groups (RFC 48).

Inside the library and on the wire a message is ``[group, body]``. Groups match exactly; the rest is as with PUB and
SUB: `Distributor` encodes once for all members of the same groups, joins travel as subscriptions do.
"""

from __future__ import annotations

from purezmq.constants import EINVAL, EMSGSIZE
from purezmq.error import make_error
from purezmq.patterns.base import Pattern
from purezmq.patterns.distributor import Distributor, SharedQueue, admits
from purezmq.patterns.pubsub import Pub
from purezmq.pipe import DROPPING, DropReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.distributor import DirectQueue
    from purezmq.pipe import Pipe

__all__ = ["Dish", "GroupDistributor", "Radio"]


class GroupDistributor(Distributor):
    """A distributor whose topics are whole names."""

    __slots__ = ()

    def matching(self, first: bytes) -> tuple[SharedQueue | DirectQueue, ...]:
        """The queues of those who joined this group."""
        return self.index.get(first, ())

    def _refresh_only(self) -> None:
        """No queue gets every message: not even the one that joined the group without a name."""


class Radio(Pub):
    """Publishes to groups; never receives. What it has in common with PUB is PUB's.

    Attributes:
        distributor: who joined what.
        unfiltered: pipes whose carrier has ``takes_every_group``: datagrams, where nobody tells what is wanted.
    """

    type_name = "RADIO"
    peer_types = frozenset({"DISH"})
    single_connect = False
    single_part = True
    addressing = "group"
    undeliverable = frozenset({EMSGSIZE})

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.distributor = GroupDistributor()
        self.unfiltered: list[Pipe] = []

    def attach(self, pipe: Pipe) -> None:
        """A listener that joined nothing yet. What it sends upstream is discarded."""
        if getattr(pipe.carrier, "takes_every_group", False):
            self.unfiltered.append(pipe)
        else:
            super().attach(pipe)

    def detach(self, pipe: Pipe) -> None:
        """The listener is gone."""
        if pipe in self.unfiltered:
            self.unfiltered.remove(pipe)
        else:
            super().detach(pipe)

    def try_send(self, message: Any) -> bool:
        """Give the message to everyone who joined its group; full ones miss it, unless XPUB_NODROP says to wait."""
        if type(message) is bytes:  # a proxy passes on what never had a group
            message = [b"", message]
        for pipe in self.unfiltered:
            pipe.carrier.check_message(message)  # before anybody gets it: EMSGSIZE for what no datagram holds
        group: bytes = message[0]
        queues = self.distributor.matching(group)
        self.is_unheard = not queues and not self.unfiltered
        drops_nothing = bool(self.options.xpub_nodrop)
        if (drops_nothing or self.distributor.strict) and not all(
            queue.admits(message, drops_nothing=drops_nothing) for queue in queues
        ):
            return False
        strict = [
            pipe for pipe in self.unfiltered
            if drops_nothing or (pipe.has_own_policy and pipe.policy not in DROPPING)
        ]  # fmt: skip
        if not all(admits(pipe, message) for pipe in strict):
            return False
        for queue in queues:
            queue.write(message)
        for pipe in self.unfiltered:
            if not pipe.send(message):
                pipe.drop(1, DropReason.NEWEST)
        return True

    def why_blocked(self) -> str:
        """A listener is full."""
        return super().why_blocked()


class Dish(Pattern):
    """Receives what is sent to the groups that it joined.

    Attributes:
        groups: their names.
    """

    type_name = "DISH"
    peer_types = frozenset({"RADIO"})
    receives_by_policy = True
    fast_recv = False
    single_part = True
    addressing = "group"

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.groups: set[bytes] = set()

    def _accept(self) -> Callable[[Pipe, Any], Message | None] | None:
        return self._receive

    def _receive(self, pipe: Pipe, message: Any) -> Message | None:
        """Filter again: a RADIO may not know yet what was left, and over datagrams everybody gets everything."""
        if type(message) is list and len(message) == 2:
            if message[0] in self.groups:
                return message
        else:
            self.drop(1, DropReason.MALFORMED)
        return None

    def connected(self, pipe: Pipe) -> None:
        """A peer that is new, or is back, knows nothing: tell it every group."""
        for group in self.groups:
            pipe.carrier.handle_subscription(pipe, group, True)

    def join(self, group: bytes) -> None:
        """Want a group.

        Raises:
            ZMQError: EINVAL: it was joined already.
        """
        if group in self.groups:
            raise make_error(EINVAL, f"the group {group!r} was joined already; leave it first")
        self.groups.add(group)
        self._tell_peers(group, True)

    def leave(self, group: bytes) -> None:
        """Want a group no more; what waits here of it is dropped.

        Raises:
            ZMQError: EINVAL: it was not joined.
        """
        if group not in self.groups:
            raise make_error(EINVAL, f"the group {group!r} was not joined")
        self.groups.discard(group)
        self._tell_peers(group, False)
        self.inbox.keep_only(lambda message: message[0] in self.groups)

    def _tell_peers(self, group: bytes, subscribe: bool) -> None:
        for pipe in list(self.inbox.pipes):
            pipe.carrier.handle_subscription(pipe, group, subscribe)
