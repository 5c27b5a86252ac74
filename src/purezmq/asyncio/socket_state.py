"""What an asynchronous socket knows of event loops: one binding for each loop that uses it."""

from __future__ import annotations

import warnings
from asyncio import get_event_loop, get_running_loop
from typing import TYPE_CHECKING, Any

from purezmq.asyncio.binding import LoopBinding
from purezmq.native import allocate_lock
from purezmq.sockets.socket import Socket as SyncSocket
from purezmq.sockets.socket_state import NO_TARGET

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from typing import Self

    from purezmq.sockets.context import Context

__all__ = ["AsyncSocketState"]

#: Stands in for the receivers of the only loop while there is none, or several: `recv` must take a closer look.
_LOOK_CLOSER: Any = (None,)
_bind_lock = allocate_lock()


class AsyncSocketState(SyncSocket):
    """The part of an asynchronous socket that knows event loops; see `socket`."""

    __slots__ = ("_binding", "_bindings", "_receivers")

    def __init__(
        self,
        context: Context[Any] | SyncSocket | None = None,
        socket_type: int = -1,
        io_loop: Any = None,
        _from_socket: SyncSocket | None = None,
        **kwargs: Any,
    ) -> None:
        #: The binding of the loop that used the socket last, and of all loops that used it.
        self._binding: LoopBinding | None = None
        self._bindings: list[LoopBinding] = []
        self._receivers: Any = _LOOK_CLOSER
        if io_loop is not None:
            text = f"{type(self).__name__}(io_loop) is deprecated: the running loop is used"
            warnings.warn(text, DeprecationWarning, stacklevel=2)
        super().__init__(context if _from_socket is None else _from_socket, socket_type, **kwargs)

    @classmethod
    def from_socket(cls, other_socket: SyncSocket, io_loop: Any = None) -> Self:
        """An asynchronous handle of a synchronous socket; each may be used, and closing one closes both."""
        return cls(_from_socket=other_socket, io_loop=io_loop)

    # -- the running loop ----------------------------------------------------------------------------------------

    def _here(self) -> LoopBinding:
        """What this socket is in the running loop."""
        try:
            loop = get_running_loop()
        except RuntimeError:
            text = "No running event loop. purezmq.asyncio should be used from within an asyncio loop."
            warnings.warn(text, RuntimeWarning, stacklevel=4)
            loop = get_event_loop()
        binding = self._binding
        return binding if binding is not None and binding.loop is loop else self._bind(loop)

    def _bind(self, loop: AbstractEventLoop) -> LoopBinding:
        with _bind_lock:
            alive = [binding for binding in self._bindings if not binding.loop.is_closed()]
            for binding in self._bindings:
                if binding not in alive:
                    binding.drop()
            found = next((binding for binding in alive if binding.loop is loop), None)
            if found is None:
                found = LoopBinding(self, loop)
                alive.append(found)
            self._bindings = alive
            self._binding = found
            self._receivers = found.receivers if len(alive) == 1 else _LOOK_CLOSER
        return found

    def _handle_closed(self) -> None:
        """Cancel what waits, in every loop."""
        for binding in self._bindings:
            binding.end_from_any_thread()

    def _refresh_send_path(self) -> None:
        """As every socket's (lease held); closed, too, while somebody waits for room: first come, first served."""
        super()._refresh_send_path()
        if any(binding.senders for binding in self._bindings):
            self._target = NO_TARGET
