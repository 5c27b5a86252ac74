"""Steps for tasks: what blocks the thread of a synchronous socket is a coroutine here, over the same generators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from purezmq.asyncio.socket_state import AsyncSocketState
from purezmq.asyncio.turn import flush_soon
from purezmq.asyncio.waiter import PollFuture
from purezmq.engine.burst import thread_state
from purezmq.sockets.steps import Look

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from typing import Self, TypeVar

    from typing_extensions import Buffer

    from purezmq.message import Frame
    from purezmq.sockets.socket import EndpointContext
    from purezmq.sockets.steps import Step, Steps

    _T = TypeVar("_T")

__all__ = ["AsyncReadiness"]


class AsyncReadiness(AsyncSocketState):
    """The methods of an asynchronous socket that wait for peers and make requests: coroutines."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Made at run time by `_run_steps`; here are their types.

        @overload  # type: ignore[override]  # with `wait` a coroutine of what the synchronous one returns
        def connect(self, addr: str, *, wait: None = ..., overflow: str = ...) -> EndpointContext[Self]: ...
        @overload
        def connect(
            self, addr: str, *, wait: float, overflow: str = ...
        ) -> Coroutine[Any, Any, EndpointContext[Self]]: ...
        def connect(self, addr: str, *, wait: float | None = None, overflow: str = "") -> Any:
            """See `connect` of the synchronous socket."""

        def wait_for_subscribers(  # type: ignore[override]  # a coroutine of what the synchronous one returns
            self, n: int, topic: bytes | str = ..., timeout: float | None = ...
        ) -> Coroutine[Any, Any, int]:
            """See `wait_for_subscribers` of the synchronous socket."""

        def wait_subscribed(  # type: ignore[override]  # a coroutine of what the synchronous one returns
            self, timeout: float | None = ...
        ) -> Coroutine[Any, Any, None]:
            """See `wait_subscribed` of the synchronous socket."""

        def request(  # type: ignore[override]  # a coroutine of what the synchronous one returns
            self, message: Buffer | Frame | Sequence[Any], timeout: float | None = ..., retries: int = ...
        ) -> Coroutine[Any, Any, bytes | list[bytes]]:
            """See `request` of the synchronous socket."""

    async def _run_steps(self, steps: Steps[_T]) -> _T:  # type: ignore[override]  # a coroutine
        """Run steps to their end; other tasks run while they wait.

        Raises:
            CancelledError: this task was cancelled, or the socket was closed.
            Exception: what the steps raise.
        """
        found = None
        try:
            while True:
                try:
                    step = steps.send(found)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]  # what the generator returns
                found = await self._wait_for(step)
        finally:
            steps.close()
            if thread_state.engines:
                flush_soon()

    async def _wait_for(self, step: Step) -> Any:
        look = Look(self, step)
        binding = self._here()
        left = step.time_left()
        if left == 0.0 and not look():
            binding.look()
        if look() or left == 0.0:
            return look.outcome()
        future = PollFuture(binding, look, None)
        binding.wait(future, binding.pollers, left)
        # Announced first, looked second: what came in between is seen here, what comes later rings.
        binding.serve()
        await future
        return look.outcome()
