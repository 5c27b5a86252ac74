"""What a swap holds: blocks of messages, how large a message is, and how it comes out.

Limits, queues and files may not live here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.engine.swap_file import Address

__all__ = ["PART_OVERHEAD", "Block", "measure", "message_bytes", "to_taken"]

#: What a part takes in memory besides its bytes: the object and a reference. It counts, or tiny messages would fill
#: the memory many times over.
PART_OVERHEAD = 48


class Block:
    """Messages that are written and read together.

    Attributes:
        messages: in order, never changed; None while the block is only on disk.
        count: how many they are.
        bytes: bytes of their parts.
        cost: what they take in memory (bytes).
        plain: all messages are `bytes`.
        address: where the block is on disk, or was.
    """

    __slots__ = ("address", "bytes", "cost", "count", "messages", "plain")

    def __init__(self, messages: list[Any], size: int, cost: int, plain: bool) -> None:
        self.messages: list[Any] | None = messages
        self.count = len(messages)
        self.bytes = size
        self.cost = cost
        self.plain = plain
        self.address: Address | None = None

    def to_hand(self) -> list[Any]:
        """The messages as they come out, the last one first: a list of its own."""
        messages = self.messages or []
        if self.plain or self.address is not None:
            return messages[::-1]
        return [to_taken(message) for message in reversed(messages)]


def measure(message: Any) -> tuple[int, int]:
    """Bytes of all parts, and how many parts there are.

    Raises:
        TypeError: a part isn't bytes-like.
        ValueError: a part isn't contiguous, or there is none.
    """
    parts = _parts_of(message)
    if not parts:
        raise ValueError("a message has at least one part")
    size = 0
    for part in parts:
        if type(part) is bytes:
            size += len(part)
            continue
        with memoryview(part) as view:
            if not view.c_contiguous:
                raise ValueError("a part of a message must be contiguous in memory")
            size += view.nbytes
    return size, len(parts)


def message_bytes(message: Any) -> int:
    """Bytes of all parts."""
    return len(message) if type(message) is bytes else measure(message)[0]


def to_taken(message: Any) -> Any:
    """A message as it comes out when it was never on disk: what somebody tracks stays the object that is tracked."""
    if type(message) is bytes or (type(message) is not list and isinstance(message, list)):
        return message
    parts = _parts_of(message)
    if set(map(type, parts)) != {bytes}:
        parts = [bytes(part) for part in parts]  # those that are bytes already stay the same
    return parts if len(parts) > 1 else parts[0]


def _parts_of(message: Any) -> Any:
    return message if isinstance(message, list) else (message,)
