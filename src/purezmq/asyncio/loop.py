"""What pyzmq needed before it worked with any event loop; kept for programs that still call it."""

from __future__ import annotations

import warnings
from asyncio import SelectorEventLoop
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selectors import BaseSelector

__all__ = ["ZMQEventLoop", "install"]


class ZMQEventLoop(SelectorEventLoop):
    """Deprecated: sockets work with any event loop; this is asyncio's own.

    Args:
        selector: as for `asyncio.SelectorEventLoop`.
    """

    def __init__(self, selector: BaseSelector | None = None) -> None:
        _warn("ZMQEventLoop")
        super().__init__(selector)


def install() -> None:
    """Deprecated: nothing has to be installed."""
    _warn("install")


def _warn(name: str) -> None:
    text = f"zmq.asyncio.{name} is deprecated: sockets work with any event loop"
    warnings.warn(text, DeprecationWarning, stacklevel=3)
