"""Whom routing ids belong to: an authenticated user keeps the ids that it came with, and nobody else gets them.

Without this a peer with any valid key may come with the routing id of another one, and be sent what is for that one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_IDS", "MAX_IDS_PER_USER", "IdOwners"]

#: A user that comes with more ids loses the one that it used longest ago; so nobody fills the memory, or takes away
#: another's ids by coming with many.
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

    __slots__ = ("_ids", "_owners", "fixed")

    def __init__(self, fixed: Mapping[bytes, str] | None = None) -> None:
        self.fixed = None if fixed is None else dict(fixed)
        self._owners: dict[bytes, str] = {}
        #: By user, in the order of their use; the keys of a dictionary are a set that keeps it.
        self._ids: dict[str, dict[bytes, None]] = {}

    def claim(self, routing_id: bytes, user_id: str) -> str:
        """A user comes with an id.

        Args:
            routing_id: not empty.
            user_id: who the authenticator says it is; empty when nobody said so.

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
        ids = self._ids.get(user_id, {})
        if owner is None and len(self._owners) >= MAX_IDS and len(ids) < MAX_IDS_PER_USER:
            return "too many routing ids have an owner"
        self._owners[routing_id] = user_id
        self._ids[user_id] = ids
        ids.pop(routing_id, None)
        ids[routing_id] = None
        if len(ids) > MAX_IDS_PER_USER:
            oldest = next(iter(ids))
            del ids[oldest], self._owners[oldest]
        return ""
