"""The settings of a socket's queues: what happens when one is full, limits in bytes, swap, conflation, last values.

libzmq has none of them, so they have names and no numbers: attributes of the socket, and keywords of
``context.socket()``. All may be changed at any time; those of endpoints that exist follow, but for `conflate_key`,
which is of the connections made after it.
"""

from __future__ import annotations

import os

from purezmq.constants import EINVAL
from purezmq.error import make_error
from purezmq.sockets.socket_state import SocketState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["QueueSettings", "check_overflow"]

_PUBLISHERS = frozenset({"PUB", "XPUB"})


def check_overflow(pattern: Any, policy: str) -> str:
    """Check an overflow policy for a type of socket.

    Raises:
        ZMQError: EINVAL: no such policy, or none for this type; the text says why.
    """
    if not policy:
        return ""
    from purezmq.pipe import ERROR, POLICIES  # the engine comes with the first socket

    if not isinstance(policy, str) or policy not in POLICIES:
        raise make_error(EINVAL, f"overflow is one of {', '.join(map(repr, POLICIES))}, not {policy!r}")
    why = pattern.refused_policies.get(policy)
    if policy == ERROR and not pattern.can_transmit:
        why = f"a {pattern.type_name} only receives, so there is no call that could raise the error"
    if why is not None:
        raise make_error(EINVAL, f"a {pattern.type_name} socket can't have overflow={policy!r}: {why}")
    return policy


class QueueSettings(SocketState):
    """The attributes; see the module's text."""

    __slots__ = ()

    def _change_queues(self, name: str, value: Any) -> None:
        with self._engine.lease.afterwards, self._engine.lease.guard:
            self._check_open()
            setattr(self._options, name, value)
            self._pattern.setting_changed(name)
            self._engine.queues.apply()
            self._shared.refresh_send_paths()

    @property
    def overflow(self) -> str:
        """What happens to a message when the queue to its peer is full.

        ``"block"``: the sender waits. ``"drop-newest"``: the message is dropped and counted. ``"drop-oldest"``: the
        message that waited longest is. ``"error"``: `Again`, at once. ``"spill"``: it waits on disk (`swap`), and when
        there is no room either, the type's own policy decides. ``""`` restores that: drop-newest for PUB, XPUB, XSUB,
        RADIO, ROUTER and REP, block for all others. On types that only receive (SUB, XSUB, PULL, DISH, GATHER) it's
        about what arrives; ``"spill"`` on types that do both is about both. Endpoints may differ: see `bind` and
        `connect`.

        Raises:
            ZMQError: EINVAL: no such policy, or one that would break the type's promises.
        """
        return self._options.overflow or self._pattern.overflow

    @overflow.setter
    def overflow(self, policy: str) -> None:
        self._change_queues("overflow", check_overflow(self._pattern, policy))

    @property
    def sndhwm_bytes(self) -> int:
        """Most bytes that wait for one peer, besides SNDHWM messages; 0 for no limit.

        A message counts the bytes of its parts. An empty queue takes one message of any size.

        Raises:
            ZMQError: EINVAL: negative.
        """
        return self._options.sndhwm_bytes

    @sndhwm_bytes.setter
    def sndhwm_bytes(self, size: int) -> None:
        self._change_queues("sndhwm_bytes", _check_count("sndhwm_bytes", size))

    @property
    def rcvhwm_bytes(self) -> int:
        """Most bytes that arrived from one peer and wait to be received, besides RCVHWM messages; 0 for no limit.

        Then reading pauses; what one read brings (up to a megabyte, or one message) may exceed it.

        Raises:
            ZMQError: EINVAL: negative.
        """
        return self._options.rcvhwm_bytes

    @rcvhwm_bytes.setter
    def rcvhwm_bytes(self, size: int) -> None:
        self._change_queues("rcvhwm_bytes", _check_count("rcvhwm_bytes", size))

    @property
    def conflate_key(self) -> int | Callable[[list[bytes]], object] | None:
        """Keep only the latest message of each key in every queue made from now on; None for all messages.

        A number is that part of the message (0: the first one), a function gets the list of parts and returns something
        hashable. The high-water marks count keys. A newer message goes to the end of the queue. What the function
        raises ends in the sender's call; a message that arrived and has no key is kept by itself. Over inproc, where
        there is one queue each way, it is made by connect(): either side's key counts that is set by then.

        Raises:
            TypeError: it is neither.
        """
        return self._options.conflate_key  # type: ignore[no-any-return]  # what was set

    @conflate_key.setter
    def conflate_key(self, key: int | Callable[[list[bytes]], object] | None) -> None:
        from purezmq.pipe import key_function

        key_function(key)
        self._change_queues("conflate_key", key)

    @property
    def swap(self) -> int:
        """Most bytes of messages on disk for each peer and direction with ``overflow="spill"``; 0 for no swap.

        It is of the queues that begin to spill after it was set.

        Raises:
            ZMQError: EINVAL: negative.
        """
        return self._options.swap

    @swap.setter
    def swap(self, size: int) -> None:
        self._change_queues("swap", _check_count("swap", size))

    @property
    def swap_dir(self) -> str:
        """The directory of the swap files; empty for the system's own for temporary files.

        The files have no names (where the system can do that), so nothing is left of a process that was killed. Queues
        that have swapped already stay where they are.
        """
        return self._options.swap_dir

    @swap_dir.setter
    def swap_dir(self, directory: str | os.PathLike[str]) -> None:
        self._change_queues("swap_dir", os.fspath(directory))

    @property
    def durable(self) -> tuple[int, float] | None:
        """Keep what is published to subscribers that went away: (most bytes for each, seconds); None for nobody.

        It is for subscribers that told a ROUTING_ID (SUB and XSUB sockets of this library do when it's set) and came to
        an endpoint that is bound here. Their subscriptions and messages wait for as many seconds as given, then are
        dropped and counted; what exceeds the high-water mark waits on disk, as far as `swap` allows.

        Raises:
            ZMQError: EINVAL: the socket doesn't publish, or the values are out of range.
        """
        return self._options.durable

    @durable.setter
    def durable(self, limits: tuple[int, float] | None) -> None:
        self._check_publisher("durable")
        if limits is not None:
            size, age = limits
            if size <= 0 or age <= 0:
                raise make_error(EINVAL, f"durable is (bytes > 0, seconds > 0), not {limits!r}")
            limits = (int(size), float(age))
        self._change_queues("durable", limits)

    @property
    def last_value_cache(self) -> int:
        """Keep the last message of so many topics for those who subscribe later; 0 for none.

        The topic is the first part of the message, or what `conflate_key` makes of it. A new subscription gets, first
        of all, one message of each topic that it matches. The topic that was published longest ago is forgotten first.

        Raises:
            ZMQError: EINVAL: the socket is no PUB or XPUB, or the number is negative.
        """
        return self._options.last_value_cache

    @last_value_cache.setter
    def last_value_cache(self, topics: int) -> None:
        self._check_publisher("last_value_cache")
        self._change_queues("last_value_cache", _check_count("last_value_cache", topics))

    def _check_publisher(self, name: str) -> None:
        if self._pattern.type_name not in _PUBLISHERS:
            raise make_error(EINVAL, f"{name} is for PUB and XPUB sockets, not {self._pattern.type_name}")


def _check_count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        text = f"{name} is an integer, not {value!r}"
        raise TypeError(text)
    if value < 0:
        raise make_error(EINVAL, f"{name} must be 0 or more, not {value}")
    return value
