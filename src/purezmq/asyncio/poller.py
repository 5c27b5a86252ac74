"""Poller whose `poll` returns a future: 0MQ sockets of both kinds, descriptors and objects with ``fileno()`` mixed."""

from __future__ import annotations

from asyncio import Future, get_running_loop
from typing import TYPE_CHECKING, Any

from purezmq.asyncio.ready import make_failed, make_ready
from purezmq.asyncio.socket import Socket
from purezmq.asyncio.waiter import PollFuture
from purezmq.constants import POLLERR as _POLLERR_FLAG
from purezmq.constants import POLLIN as _POLLIN_FLAG
from purezmq.constants import POLLOUT as _POLLOUT_FLAG
from purezmq.constants import POLLPRI as _POLLPRI_FLAG
from purezmq.sockets.poller import EXCEPTION_LOOK_S, make_exception_selector, poll_items
from purezmq.sockets.poller import Poller as SyncPoller
from purezmq.sockets.socket import Socket as SyncSocket

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle

    from purezmq.engine.selector import EpollSelector

__all__ = ["Poller"]

#: Plain numbers: arithmetic with the enumeration itself costs a microsecond.
_POLLIN = int(_POLLIN_FLAG)
_POLLOUT = int(_POLLOUT_FLAG)
_EXCEPTIONS = int(_POLLERR_FLAG | _POLLPRI_FLAG)


class Poller(SyncPoller):
    """A set of things to wait for, in the running event loop."""

    def __init__(self) -> None:
        super().__init__()
        #: Asynchronous handles of synchronous sockets that were polled.
        self._twins: dict[SyncSocket, Socket] = {}

    def unregister(self, socket: Any) -> None:
        """Wait for it no more.

        Raises:
            KeyError: it isn't registered.
        """
        super().unregister(socket)
        self._twins.pop(socket, None)

    def poll(  # type: ignore[override]  # pyzmq's asynchronous poller derives from the synchronous one
        self, timeout: float | None = -1
    ) -> Future[list[tuple[Any, int]]]:
        """Wait until something is ready.

        Args:
            timeout: milliseconds; None or negative to wait for ever.

        Returns:
            A future of pairs of the registered thing (a descriptor for objects with ``fileno()``, as pyzmq) and its
            events; empty when the time is over. It fails with ContextTerminated when the context of a socket was
            terminated, with ENOTSOCK when a socket is closed.

        Raises:
            RuntimeError: no event loop runs.
        """
        loop = get_running_loop()
        try:
            found = poll_items(self.sockets, 0)
        except Exception as error:  # noqa: BLE001 - a future that failed, whatever happened
            return make_failed(loop, error)
        if found or timeout == 0:
            return make_ready(found)
        call = _PollCall(self, loop)
        call.start(None if timeout is None or timeout < 0 else timeout / 1000)
        return call.future

    def _twin(self, socket: SyncSocket) -> Socket:
        if isinstance(socket, Socket):
            return socket
        twin = self._twins.get(socket)
        if twin is None:
            twin = self._twins[socket] = Socket.from_socket(socket)
        return twin


class _PollCall:
    """One `poll` that waits.

    Args:
        poller: whose things, as they are registered now.
        loop: the running loop.
    """

    def __init__(self, poller: Poller, loop: AbstractEventLoop) -> None:
        self.future: Future[list[tuple[Any, int]]] = loop.create_future()
        self._loop = loop
        self._items = list(poller.sockets)
        self._sockets = [(poller._twin(item), flags) for item, flags in self._items if isinstance(item, SyncSocket)]
        self._watches: list[PollFuture] = []
        self._readers: list[int] = []
        self._exceptions: list[EpollSelector] = []
        self._writers: list[int] = []
        self._timer: TimerHandle | None = None
        self.future.add_done_callback(self._end)

    def start(self, timeout: float | None) -> None:
        """Wait, at most `timeout` seconds."""
        if timeout is not None:
            self._timer = self._loop.call_later(timeout, self._handle_time_over)
        for item, flags in self._items:
            if not isinstance(item, SyncSocket):
                self._watch_descriptor(item if isinstance(item, int) else item.fileno(), flags)
        for socket, flags in self._sockets:
            self._watch_socket(socket, flags)

    def _watch_socket(self, socket: Socket, flags: int) -> None:
        binding = socket._here()
        watch = PollFuture(binding, lambda: socket._look_for_events(flags), 0)
        self._watches.append(watch)
        watch.add_done_callback(self._handle_watch)
        binding.wait(watch, binding.pollers, None)
        # Announced first, looked second, as in `Socket._receive`.
        binding.serve()

    def _watch_descriptor(self, number: int, flags: int) -> None:
        if flags & _POLLIN:
            self._watch_for_reading(number)
        elif flags & _EXCEPTIONS:
            selector = make_exception_selector(number, flags)
            if selector is None:
                self._loop.call_later(EXCEPTION_LOOK_S, self._look_repeatedly)
            else:
                self._exceptions.append(selector)
                self._watch_for_reading(selector.fileno())
        if flags & _POLLOUT:
            self._loop.add_writer(number, self._look)
            self._writers.append(number)

    def _watch_for_reading(self, number: int) -> None:
        self._loop.add_reader(number, self._look)
        self._readers.append(number)

    def _handle_watch(self, watch: Future[Any]) -> None:
        if self.future.done():
            return
        if watch.cancelled():
            self.future.cancel()
        elif (error := watch.exception()) is not None:
            self.future.set_exception(error)
        else:
            self._look(must_end=True)

    def _handle_time_over(self) -> None:
        self._look(must_end=True)

    def _look(self, *, must_end: bool = False) -> None:
        if self.future.done():
            return
        try:
            found = poll_items(self._items, 0)
        except Exception as error:  # noqa: BLE001 - a future that failed, whatever happened
            self.future.set_exception(error)
            return
        if found or must_end:
            self.future.set_result(found)

    def _look_repeatedly(self) -> None:
        self._look()
        if not self.future.done():
            self._loop.call_later(EXCEPTION_LOOK_S, self._look_repeatedly)

    def _end(self, _future: Future[Any]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for watch in self._watches:
            watch.cancel()
        if not self._loop.is_closed():
            for number in self._readers:
                self._loop.remove_reader(number)
            for number in self._writers:
                self._loop.remove_writer(number)
        for selector in self._exceptions:
            selector.close()
