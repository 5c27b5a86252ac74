"""Whom routing ids belong to: an authenticated user keeps the ids that it came with, and nobody else gets them.

Without this a peer with any valid key may come with the routing id of another one, and be sent what is for that one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_IDS", "MAX_IDS_PER_USER", "IdOwners"]

#: Of a user with more ids the one that was left longest ago is forgotten; so nobody fills the memory, or takes away
#: another's ids by coming with many. One that a connected peer has is never forgotten, however many those are.
MAX_IDS_PER_USER = 1024
#: Of all users together, who cost a peer nothing where every key is let in. Beyond it a new id is refused: to forget
#: another user's would give it away.
MAX_IDS = 100_000


class IdOwners:
    """The owners of one socket's routing ids.

    Args:
        fixed: the owner of each id that may be used at all; None: an id belongs to the first user that comes with it.

    Attributes:
        fixed: see above.
    """

    __slots__ = ("_holders", "_idle", "_in_use", "_owners", "_totals", "fixed")

    def __init__(self, fixed: Mapping[bytes, str] | None = None) -> None:
        self.fixed = None if fixed is None else dict(fixed)
        self._owners: dict[bytes, str] = {}
        #: How many ids each user has.
        self._totals: dict[str, int] = {}
        #: By user those that no peer has now, in the order in which they were left (the keys of a dictionary keep it).
        self._idle: dict[str, dict[bytes, None]] = {}
        #: The id of each connection, and how many connections have an id: two while one takes over from another.
        self._holders: dict[object, bytes] = {}
        self._in_use: dict[bytes, int] = {}

    def claim(self, routing_id: bytes, user_id: str, holder: object = None) -> str:
        """A user comes with an id.

        Args:
            routing_id: not empty.
            user_id: who the authenticator says it is; empty when nobody said so.
            holder: the connection by which it comes, until `release`; None: it isn't connected.

        Returns:
            Why it may not have it; empty when it may.
        """
        if not user_id:
            return "a routing id needs an authenticated user"
        if routing_id[0] == 0:
            return "a routing id that begins with 0 is the router's to give"
        if self.fixed is not None:
            return "" if self.fixed.get(routing_id) == user_id else "the routing id is not this user's"
        owner = self._owners.get(routing_id)
        if owner is not None and owner != user_id:
            return "the routing id is another user's"
        if owner is None:
            idle = self._idle.get(user_id)
            while idle and self._totals[user_id] >= MAX_IDS_PER_USER:
                self._forget(next(iter(idle)), user_id)
            if len(self._owners) >= MAX_IDS:
                return "too many routing ids have an owner"
            self._owners[routing_id] = user_id
            self._totals[user_id] = self._totals.get(user_id, 0) + 1
        self._take_idle(routing_id, user_id)
        if holder is not None:
            self._holders[holder] = routing_id
            self._in_use[routing_id] = self._in_use.get(routing_id, 0) + 1
        elif routing_id not in self._in_use:
            self._idle.setdefault(user_id, {})[routing_id] = None
        return ""

    def _take_idle(self, routing_id: bytes, user_id: str) -> None:
        """An id isn't idle any more; a user without any leaves nothing behind."""
        idle = self._idle.get(user_id)
        if idle is not None:
            idle.pop(routing_id, None)
            if not idle:
                del self._idle[user_id]

    def _forget(self, routing_id: bytes, user_id: str) -> None:
        self._take_idle(routing_id, user_id)
        del self._owners[routing_id]
        self._totals[user_id] -= 1
        if not self._totals[user_id]:
            del self._totals[user_id]

    def release(self, holder: object) -> None:
        """A connection has ended; its id stays its user's until that one comes with too many others."""
        routing_id = self._holders.pop(holder, None)
        if routing_id is None:
            return
        left = self._in_use[routing_id] - 1
        if left:
            self._in_use[routing_id] = left
        else:
            del self._in_use[routing_id]
            self._idle.setdefault(self._owners[routing_id], {})[routing_id] = None
