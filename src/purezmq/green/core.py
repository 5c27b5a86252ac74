"""Context and Socket for gevent: a call that waits lets other greenlets run. What they wait in is `green.waiting`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purezmq.engine.burst import flush_thread
from purezmq.error import Again
from purezmq.green.gevent_hub import get_hub
from purezmq.green.hub_pause import HubPause
from purezmq.green.waiting import close_rooms, hub_wait_of
from purezmq.sockets.context import Context as _PlainContext
from purezmq.sockets.socket import Socket as _PlainSocket

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.sockets.event_stream import EventStream

__all__ = ["Context", "Socket"]


class Socket(_PlainSocket):
    """A socket of which recv, send and poll block the calling greenlet only. Everything else is `purezmq.Socket`.

    Greenlets of several threads may use one socket.
    """

    __slots__ = ()

    def _wait(self, timeout: float | None, hint: Callable[[], object]) -> None:
        hub_wait_of(self._shared).wait(timeout, hint)

    def _open_events(self, timeout: float | None, max_events: int | None) -> EventStream:
        from purezmq.sockets.event_stream import EventStream, open_event_stream

        return open_event_stream(self, max_events, lambda engine, queue: EventStream(engine, queue, timeout, HubPause))

    def _handle_closed(self) -> None:
        close_rooms(self._shared)
        super()._handle_closed()


class Context(_PlainContext[Socket]):
    """A context that makes green sockets."""

    _socket_class = Socket
    #: `instance()` is another context than `purezmq.Context.instance()`.
    _instance: Any = None

    def term(self, timeout: float | None = None) -> None:
        """End the context, as `purezmq.Context.term`, and let other greenlets run meanwhile: they may close sockets."""
        if self._shadowed is None and not self.closed:
            self._terminate()
            flush_thread()
            if self._state.engines:
                # A thread of its own waits for the sockets' last messages.
                failure = get_hub().threadpool.apply(_find_failure, (super().term, timeout))
                if failure is not None:
                    raise failure
                return
        super().term(timeout)


def _find_failure(term: Callable[[float | None], None], timeout: float | None) -> Again | None:
    """The Again of a `term`: gevent would print what its thread raises."""
    try:
        term(timeout)
    except Again as error:
        return error
    return None


#: pyzmq's names inside this module.
_Context = Context
_Socket = Socket
