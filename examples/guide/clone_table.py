"""What clone keeps everywhere the same: a table of keys and values, and the updates that change it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import uuid4

__all__ = ["Table", "Update"]

_FRAMES = 5  # of an update
_ID_SIZE = 16
_MAX_DONE = 10_000


@dataclass(frozen=True)
class Update:
    """A key gets a value; an empty one removes the key.

    Args:
        key: a path such as /color/red; its beginnings are the subtrees that one can follow.
        value: what it gets.
        ttl_ms: for how long; 0 is for ever.
        sequence: the place of this update among all, given by the server.
        update_id: the same in each repetition, so that nothing is done twice.
    """

    key: str
    value: bytes
    ttl_ms: int = 0
    sequence: int = 0
    update_id: bytes = field(default_factory=lambda: uuid4().bytes)

    def encode(self) -> list[bytes]:
        """Return the frames; the key comes first, as a topic."""
        return [self.key.encode(), b"%d" % self.sequence, self.update_id, b"%d" % self.ttl_ms, self.value]

    @classmethod
    def decode(cls, frames: list[bytes]) -> Update:
        """Return what `encode` made frames of."""
        key, sequence, update_id, ttl_ms, value = frames
        return cls(key.decode(), value, int(ttl_ms), int(sequence), update_id)


class Table:
    """The values after the first so many updates."""

    def __init__(self) -> None:
        self.sequence = 0
        self._updates: dict[str, Update] = {}
        self._expires: dict[str, float] = {}
        self._done: dict[bytes, None] = {}  # ids of late; what is repeated is repeated soon

    def values(self) -> dict[str, bytes]:
        """Return all keys and their values."""
        return {key: update.value for key, update in self._updates.items()}

    def has_done(self, update: Update) -> bool:
        """Was this update already applied here?"""
        return update.update_id in self._done

    def append(self, update: Update, now: float) -> Update:
        """Apply the next update, and return it with the sequence number that it got."""
        update = replace(update, sequence=self.sequence + 1)
        self.apply(update, now)
        return update

    def apply(self, update: Update, now: float) -> None:
        """Apply an update that has its sequence number; one that is not newer than the table changes nothing."""
        if update.sequence <= self.sequence:
            return
        self.sequence = update.sequence
        self._done[update.update_id] = None
        if len(self._done) > _MAX_DONE:
            del self._done[next(iter(self._done))]
        self._set(update, now)

    def _set(self, update: Update, now: float) -> None:
        self._expires.pop(update.key, None)
        if not update.value:
            self._updates.pop(update.key, None)
            return
        self._updates[update.key] = update
        if update.ttl_ms:
            self._expires[update.key] = now + update.ttl_ms / 1000

    def expired(self, now: float) -> list[str]:
        """Return the keys whose time is over."""
        return [key for key, expires in self._expires.items() if expires <= now]

    def encode(self, subtree: str) -> list[bytes]:
        """Return sequence, ids of the updates done of late, and the frames of each value in a subtree."""
        frames = [b"%d" % self.sequence, b"".join(self._done)]
        for key, update in self._updates.items():
            if key.startswith(subtree):
                frames += update.encode()
        return frames

    def load(self, frames: list[bytes], now: float) -> None:
        """Become what `encode` made frames of."""
        sequence, ids, *rest = frames
        self.sequence = int(sequence)
        self._updates, self._expires = {}, {}
        self._done = dict.fromkeys(ids[start : start + _ID_SIZE] for start in range(0, len(ids), _ID_SIZE))
        for start in range(0, len(rest), _FRAMES):
            self._set(Update.decode(rest[start : start + _FRAMES]), now)
