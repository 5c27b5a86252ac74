"""An authenticator in the running asyncio loop."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

from purezmq.asyncio import Poller
from purezmq.auth.base import Authenticator
from purezmq.constants import POLLIN
from purezmq.error import ZMQError

if TYPE_CHECKING:
    from purezmq.sockets.context import Context

__all__ = ["AsyncioAuthenticator"]


class AsyncioAuthenticator(Authenticator):
    """An authenticator that answers in a task.

    Args:
        context: see `Authenticator`, as for the others.
        loop: deprecated and ignored: the running loop is used.
        encoding: see there.
        log: see there.
    """

    def __init__(
        self, context: Context[Any] | None = None, loop: Any = None, encoding: str = "utf-8", log: Any = None
    ) -> None:
        super().__init__(context, encoding, log)
        if loop is not None:
            text = f"{type(self).__name__}(loop) is deprecated and ignored"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        self._task: asyncio.Future[None] | None = None

    def start(self) -> None:
        """Answer questions from now on; to be called in a coroutine.

        Raises:
            RuntimeError: no loop is running.
            ZMQError: EADDRINUSE: the context has a handler already, perhaps this one.
        """
        super().start()
        self._task = asyncio.ensure_future(self._run(self.zap_socket))

    async def _run(self, zap_socket: Any) -> None:
        poller = Poller()
        poller.register(zap_socket, POLLIN)
        try:
            while self.zap_socket is zap_socket:
                if await poller.poll():
                    await self.handle_zap_message(zap_socket.recv_multipart())
        except ZMQError as error:
            self.log.debug("the authenticator ends: %s", error)  # its socket, or the context, was closed
        except Exception:
            self.log.exception("the authenticator fails, and lets nobody in any more")
        finally:
            zap_socket.close()  # or peers would wait for an answer, and the end of the context for the socket

    def stop(self) -> None:
        """Answer no more. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        super().stop()
