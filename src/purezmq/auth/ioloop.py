"""pyzmq's authenticator for tornado, which runs on asyncio: deprecated, see `AsyncioAuthenticator`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from purezmq.auth.asyncio import AsyncioAuthenticator

if TYPE_CHECKING:
    from purezmq.sockets.context import Context

__all__ = ["IOLoopAuthenticator"]

warnings.warn(
    "zmq.auth.ioloop.IOLoopAuthenticator is deprecated, use zmq.auth.asyncio.AsyncioAuthenticator",
    DeprecationWarning,
    stacklevel=2,
)


class IOLoopAuthenticator(AsyncioAuthenticator):
    """`AsyncioAuthenticator` under its old name.

    Args:
        context: see `Authenticator`, as for the others.
        encoding: see there.
        log: see there.
        io_loop: ignored: the running loop is used.
    """

    def __init__(
        self, context: Context[Any] | None = None, encoding: str = "utf-8", log: Any = None, io_loop: Any = None
    ) -> None:
        if io_loop is not None:
            text = f"{type(self).__name__}(io_loop) is deprecated and ignored"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        super().__init__(context=context, encoding=encoding, log=log)
