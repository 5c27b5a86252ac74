"""A queue that keeps the latest message per key (the setting ``conflate_key``): a table of last values on its way.

A newer message goes to the end and the older one with its key is dropped and counted, so what is left is in the order
in which it was sent. CONFLATE is the case of one key for all. It looks like the deque that it stands for. What makes it
safe without a lock, one thread appending while others take: popping a key, popping the first and storing under a key
are single operations of an OrderedDict (a plain dict would find its first key by walking over all that were popped
before); walking over it is tried again when it changed meanwhile.
"""

from __future__ import annotations

from collections import OrderedDict, deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    KeyFunction = Callable[[list[bytes]], object]

__all__ = ["KeyedQueue", "keep_last", "key_function"]


class KeyedQueue:
    """See the module's text.

    Args:
        find_key: the key of a message, from the list of its parts. What it raises ends in the sender's call.
        has_sender: there is a call that it may end in. For a message that arrived there is none: one without a key that
            can be found has a key of its own, for nothing may be lost.

    Attributes:
        replaced: how many messages were dropped for newer ones.
        maxlen: 1 when there is one key for all (CONFLATE), else None, as of a deque.
    """

    __slots__ = ("_front", "_markers", "_messages", "find_key", "has_sender", "maxlen", "replaced")

    def __init__(self, find_key: KeyFunction, *, has_sender: bool = True) -> None:
        self.find_key = find_key
        self.has_sender = has_sender
        self.replaced = 0
        self.maxlen = 1 if find_key is keep_last else None
        self._messages: OrderedDict[object, Any] = OrderedDict()
        #: What was put back: it goes first.
        self._front: deque[Any] = deque()
        #: (length, marker): whom to wake when no more than so many messages wait.
        self._markers: deque[tuple[int, Any]] = deque()

    def key_of(self, message: Any) -> object:
        """The key of a message in its queued form."""
        try:
            key = self.find_key(message if isinstance(message, list) else [message])
            hash(key)
        except Exception:
            if self.has_sender:
                raise
            return object()
        return key

    def has_key_of(self, message: Any) -> bool:
        """Whether a message with the same key waits."""
        return self.key_of(message) in self._messages

    def append(self, message: Any) -> None:
        """Add a message; an older one with its key is dropped."""
        key = self.key_of(message)
        if self._messages.pop(key, None) is not None:
            self.replaced += 1
        self._messages[key] = message

    def extend(self, messages: Iterable[Any]) -> None:
        """Append each."""
        for message in messages:
            self.append(message)

    def appendleft(self, message: Any) -> None:
        """Put back what was taken: it comes next."""
        self._front.appendleft(message)

    def extendleft(self, messages: Iterable[Any]) -> None:
        """The same for each of several."""
        self._front.extendleft(messages)

    def put_back(self, message: Any) -> None:
        """Put back what had not left, unless a newer message with its key waits: then that one counts."""
        if self.has_key_of(message):
            self.replaced += 1
        else:
            key = self.key_of(message)
            self._messages[key] = message
            self._messages.move_to_end(key, last=False)

    def insert(self, index: int, marker: Any) -> None:
        """Have a marker's `wake` called when no more than `index` messages wait: as if it lay between them."""
        self._markers.append((index, marker))

    def _wake(self) -> None:
        """A message was taken: perhaps a writer may go on."""
        while self._markers and len(self) <= self._markers[0][0]:
            try:
                self._markers.popleft()[1].wake()
            except IndexError:  # another thread was quicker
                return

    def popleft(self) -> Any:
        """The message that is next.

        Raises:
            IndexError: there is none.
        """
        try:
            return self._front.popleft()
        except IndexError:
            pass
        messages = self._messages
        while messages:
            try:
                message = messages.popitem(last=False)[1]
            except (KeyError, RuntimeError):  # another thread was quicker
                continue
            if self._markers:
                self._wake()
            return message
        raise IndexError

    def make_empty(self) -> KeyedQueue:
        """One to take the place of this one when all of it is dropped; it goes on with the count."""
        empty = KeyedQueue(self.find_key, has_sender=self.has_sender)
        empty.replaced = self.replaced
        return empty

    def clear(self) -> None:
        """Drop everything."""
        self._front.clear()
        self._messages.clear()

    def __len__(self) -> int:
        """How many messages wait."""
        return len(self._messages) + len(self._front)

    def __iter__(self) -> Iterator[Any]:
        """The messages in order, as of now."""
        while True:
            try:
                return iter([*self._front, *self._messages.values()])
            except RuntimeError:  # another thread changed it meanwhile
                continue

    def __getitem__(self, index: int) -> Any:
        """A message by its place, as of now."""
        if index == 0 and not self._front:  # every reader looks at the first one: don't list them all
            try:
                return next(iter(self._messages.values()))
            except (KeyError, RuntimeError, StopIteration):
                pass
        return list(self)[index]


def keep_last(parts: list[bytes]) -> object:
    """CONFLATE: every message has the same key."""
    del parts
    return None


def key_function(given: Any) -> KeyFunction | None:
    """What the setting ``conflate_key`` means.

    Args:
        given: None for no conflation; a number for that part of the message (0 is the first; a message without such
            a part has its own text as key); or a function of the list of parts.

    Raises:
        TypeError: it's neither.
    """
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool):
        index = given

        def find_part(parts: list[bytes]) -> object:
            return bytes(parts[index]) if -len(parts) <= index < len(parts) else tuple(map(bytes, parts))

        return find_part
    if callable(given):
        function: KeyFunction = given
        return function
    text = f"conflate_key is None, the number of a part, or a function of the list of parts, not {given!r}"
    raise TypeError(text)
