"""inproc names of one context: who is bound, and who connected before anybody was bound.

inproc carries messages by reference and no bytes, so it is no `ByteStream` transport: this file only brings the two
ends together, and `engine/inproc.py` links them. Its lock guards the two tables and nothing else is done under it.
"""

from __future__ import annotations

from purezmq.constants import EADDRINUSE, EINVAL
from purezmq.error import make_error
from purezmq.native import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["InprocRegistry"]

_RESERVED = "zeromq."


class InprocRegistry:
    """The inproc endpoints of one context; another context has its own."""

    __slots__ = ("_bound", "_lock", "_reserved", "_waiting")

    def __init__(self) -> None:
        # Re-entrant: a collected socket may close, and so come here, while this thread is here already.
        self._lock = RLock()
        self._bound: dict[str, Any] = {}
        self._waiting: dict[str, list[Any]] = {}
        #: Names of 0MQ's own (RFC 27) that were ever bound.
        self._reserved: set[str] = set()

    def bind(self, name: str, owner: Any) -> None:
        """Bind a name. Those who waited for it are the owner's to give another end to, and then to `forget`.

        Raises:
            ZMQError: EADDRINUSE: another socket of this context is bound to it; EINVAL: the name is empty.
        """
        if not name:
            raise make_error(EINVAL, "inproc:// needs a name, as in inproc://workers")
        with self._lock:
            if name in self._bound:
                raise make_error(
                    EADDRINUSE, f"cannot bind 'inproc://{name}': another socket of this context is bound to it"
                )
            self._bound[name] = owner
            if name.startswith(_RESERVED):
                self._reserved.add(name)

    def find_waiting(self, name: str) -> list[Any]:
        """The connectors that wait for a name, in order."""
        with self._lock:
            return list(self._waiting.get(name, ()))

    def unbind(self, name: str, owner: Any) -> None:
        """Free a name if `owner` holds it."""
        with self._lock:
            if self._bound.get(name) is owner:
                del self._bound[name]

    def connect(self, name: str, connector: Any) -> Any:
        """The owner of a name, or None: then the connector waits until somebody binds it."""
        with self._lock:
            owner = self._bound.get(name)
            if owner is None:
                self._waiting.setdefault(name, []).append(connector)
            return owner

    def find(self, name: str) -> Any:
        """The owner of a name as of now, or None."""
        return self._bound.get(name)

    def was_bound(self, name: str) -> bool:
        """Whether somebody is or was bound to a name of 0MQ's own, which begins with "zeromq."."""
        return name in self._reserved

    def forget(self, name: str, connector: Any) -> None:
        """A connector waits no more."""
        with self._lock:
            waiting = self._waiting.get(name, [])
            if connector in waiting:
                waiting.remove(connector)
                if not waiting:
                    del self._waiting[name]
