"""An authenticator in a thread of its own: for programs whose other threads have better to do, or block."""

from __future__ import annotations

import asyncio
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from purezmq.asyncio import Poller
from purezmq.auth.base import Authenticator
from purezmq.constants import NOBLOCK, POLLIN, SocketType
from purezmq.error import ZMQError
from purezmq.sockets.socket import Socket

if TYPE_CHECKING:
    from purezmq.sockets.context import Context

__all__ = ["AuthenticationThread", "ThreadAuthenticator"]

_TERMINATE = b"TERMINATE"
#: A thread that has not started by then won't (seconds).
_START_S = 10.0


class AuthenticationThread(Thread):
    """The thread of a `ThreadAuthenticator`; coroutines of its callbacks run in its event loop.

    Args:
        authenticator: whose questions it hands over.
        pipe: a PAIR socket, by which it is told to end.

    Attributes:
        started: set when it is ready for questions.
    """

    def __init__(self, authenticator: Authenticator, pipe: Any) -> None:
        super().__init__(name="purezmq-auth", daemon=True)
        self.authenticator = authenticator
        self.pipe: Any = pipe
        self.log = authenticator.log
        self.started = Event()

    def run(self) -> None:
        """Answer questions until told to end, or until the context ends."""
        zap_socket = self.authenticator.zap_socket
        try:
            asyncio.run(self._run(zap_socket))
        except (ZMQError, asyncio.CancelledError) as error:  # the context ended, or closed what is polled
            self.log.debug("the authenticator's thread ends: %r", error)
        except Exception:
            self.log.exception("the authenticator's thread fails, and lets nobody in any more")
        finally:
            zap_socket.close()  # or peers would wait for an answer, and the end of the context for the socket
            self.started.set()
            self.pipe.close()

    async def _run(self, zap_socket: Any) -> None:
        poller = Poller()
        poller.register(self.pipe, POLLIN)
        poller.register(zap_socket, POLLIN)
        self.started.set()
        while True:
            ready = dict(await poller.poll())
            if self.pipe in ready and self._handle_pipe_message(self.pipe.recv_multipart()):
                return
            if zap_socket in ready:
                await self.authenticator.handle_zap_message(zap_socket.recv_multipart())

    def _handle_pipe_message(self, msg: list[bytes]) -> bool:
        """Obey a command; whether it was the last one."""
        if msg[0] == _TERMINATE:
            return True
        self.log.error("unknown command to the authenticator's thread: %r", msg[0])
        self.pipe.send(b"ERROR")
        return False


class ThreadAuthenticator(Authenticator):
    """An authenticator that answers in a thread of its own.

    Args:
        context: see `Authenticator`, as for the others.
        encoding: see there.
        log: see there.

    Attributes:
        pipe: our end of the way to the thread; None while it doesn't run.
        pipe_endpoint: where it is bound.
        thread: the thread, or None.
    """

    pipe_endpoint: str = ""

    def __init__(self, context: Context[Any] | None = None, encoding: str = "utf-8", log: Any = None) -> None:
        super().__init__(context=context, encoding=encoding, log=log)
        self.pipe: Any = None
        self.pipe_endpoint = f"inproc://{id(self)}.inproc"
        self.thread: Any = None

    def start(self) -> None:
        """Start the thread; when it returns, questions are answered.

        Raises:
            ZMQError: EADDRINUSE: the context has a handler already, perhaps this one.
            RuntimeError: the thread doesn't start.
        """
        if self.thread is not None and not self.is_alive():
            self.stop()  # it failed: what is left of it goes
        super().start()
        self.pipe = self._make_end()
        self.pipe.bind(self.pipe_endpoint)
        far_end = self._make_end()
        far_end.connect(self.pipe_endpoint)
        self.thread = AuthenticationThread(self, far_end)
        self.thread.start()
        if not self.thread.started.wait(_START_S):
            raise RuntimeError("the authenticator's thread has not started")

    def _make_end(self) -> Any:
        end = self.context.socket(SocketType.PAIR, socket_class=Socket)
        end.linger = 1
        return end

    def stop(self) -> None:
        """End the thread, and wait for that. Idempotent."""
        pipe, self.pipe = self.pipe, None
        if pipe is not None:
            if self.is_alive():
                try:
                    pipe.send(_TERMINATE, NOBLOCK)  # with nobody at the other end it would wait
                except ZMQError as error:  # the context has ended, and with it the thread, or the thread failed
                    self.log.debug("the authenticator's thread has ended: %s", error)
                self.thread.join()
            self.thread = None
            pipe.close()
        super().stop()

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return bool(self.thread and self.thread.is_alive())

    def __del__(self) -> None:
        """Stop, if there is anything to stop."""
        if getattr(self, "pipe", None) is not None:
            self.stop()
