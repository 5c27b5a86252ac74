"""`Generic` without `typing`, whose import takes a sixth of the time that the whole library has.

Type checkers see the real one. At run time a class that derives from this one can be subscribed, subclassed with an
argument and called with one, as any class of the standard library that does the same (``queue.Queue[int]``).
"""

from __future__ import annotations

from types import GenericAlias

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic
else:

    class Generic:
        """See the module's text."""

        __slots__ = ()

        __class_getitem__ = classmethod(GenericAlias)


__all__ = ["Generic", "public_name"]


def public_name(cls: type) -> str:
    """Where users find a class: ``purezmq.Socket``, ``purezmq.asyncio.Socket``, ``their.module.Socket``."""
    module = cls.__module__
    if module.startswith("purezmq."):
        front = module.split(".")[1]
        module = "purezmq" if front == "sockets" else f"purezmq.{front}"
    return f"{module}.{cls.__qualname__}"
