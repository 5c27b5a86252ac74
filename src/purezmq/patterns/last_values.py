"""The last message of each topic, for subscribers that come late (the setting ``last_value_cache`` of PUB and XPUB).

A cache is bounded: when there are more topics than it may hold, the one that was published longest ago is forgotten.
It knows no pipe; who subscribes is the business of its owner.
"""

from __future__ import annotations

from collections import OrderedDict

from purezmq.pipe import key_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.message import Message

__all__ = ["LastValues"]


class LastValues:
    """See the module's text.

    Args:
        limit: most topics.
        find_topic: as the setting ``conflate_key``: what two messages have in common that are about the same thing.
            None: the first part.
        former: a cache whose messages this one takes over, but for those without a topic by `find_topic`.

    Attributes:
        limit: as given.
        key: `find_topic` as given.
    """

    __slots__ = ("_find_topic", "_messages", "key", "limit")

    def __init__(self, limit: int, find_topic: Any, former: LastValues | None = None) -> None:
        self.limit = limit
        self.key = find_topic
        self._find_topic = key_function(0 if find_topic is None else find_topic)
        self._messages: OrderedDict[object, Message] = OrderedDict()
        if former is not None:
            for message in former._messages.values():
                try:
                    self.keep(message)
                except Exception:  # noqa: BLE001, S112 - the application's function: it was made for what comes
                    continue

    def __len__(self) -> int:
        """How many topics it holds."""
        return len(self._messages)

    def keep(self, message: Message) -> None:
        """This is the last one of its topic now. What is the application's memory still is copied."""
        assert self._find_topic is not None
        if type(message) is not bytes and (
            type(message) is not list or any(type(part) is not bytes for part in message)
        ):
            parts = message if isinstance(message, list) else [message]
            message = [part if type(part) is bytes else bytes(part) for part in parts]
        topic = self._find_topic(message if isinstance(message, list) else [message])
        self._messages[topic] = message
        self._messages.move_to_end(topic)
        if len(self._messages) > self.limit:
            self._messages.popitem(last=False)

    def find(self, prefix: bytes, known: tuple[bytes, ...] = ()) -> list[Message]:
        """What somebody who subscribes to `prefix` has missed, in the order in which it was published.

        Args:
            prefix: the new subscription.
            known: prefixes to which the same peer was subscribed before: what they match it has got already.
        """
        found = []
        for message in self._messages.values():
            first = bytes(message[0] if isinstance(message, list) else message)
            if first.startswith(prefix) and not first.startswith(known):
                found.append(message)
        return found
