"""What a handle holds, and the checks that every call begins with. The hot rooms are `socket_send`, `socket_recv`.

The lock-free paths read two attributes, and whoever changes the conditions sets them under the lease:

* `_ready`: the deque that `recv` pops from; an always empty one when each message needs a look.
* `_parts_target`: the same for messages of several parts; closed on types that send single parts only.
* `_target`: the pipe (or shared queue) that `send` appends to while its `outbound` is shorter than its `room`. One
  object, read once per send, so that a change of peers in between can't mix two of them.
"""

from __future__ import annotations

from collections import deque
from time import monotonic

from purezmq.constants import DONTWAIT as _DONTWAIT_FLAG
from purezmq.constants import ENOTSOCK, ETERM
from purezmq.error import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import FastTarget, Pattern
    from purezmq.sockets.context import Context
    from purezmq.sockets.shared_state import SharedState

#: A plain number: arithmetic with the enumeration itself costs a microsecond.
_DONTWAIT = int(_DONTWAIT_FLAG)

__all__ = ["NO_MESSAGES", "NO_TARGET", "NewsHint", "RoomHint", "SocketState", "deadline_of"]

#: Stands in for the inbox while the lock-free path of recv is closed. Nothing is ever put into it.
NO_MESSAGES: deque[Any] = deque(maxlen=0)


class _NoTarget:
    """Stands in for a target while the lock-free path of send is closed: it never has room."""

    outbound: Any = ()
    carrier: Any = None
    quiet = False
    room = 0
    tickets: Iterator[None] | None = None

    def write_room(self) -> int:
        """None, ever."""
        return 0


NO_TARGET = _NoTarget()


class SocketState:
    """The attributes of a socket."""

    copy_threshold: int

    __slots__ = (
        "__weakref__",
        "_context",
        "_engine",
        "_options",
        "_parts_target",
        "_pattern",
        "_ready",
        "_shared",
        "_target",
        "copy_threshold",
    )

    def _open(self, shared: SharedState) -> None:
        """Stand for a socket: what every call needs is one attribute away."""
        self._shared = shared
        self._context: Context[Any] = shared.context
        self._options: SocketOptions = shared.options
        self._pattern: Pattern = shared.pattern
        self._engine: SocketEngine = shared.engine
        self._ready: deque[Any] = NO_MESSAGES
        self._target: FastTarget = NO_TARGET
        self._parts_target: FastTarget = NO_TARGET
        with self._engine.lease.afterwards, self._engine.lease.guard:
            shared.add_handle(self)
            self._refresh_send_path()
            self._refresh_recv_path()

    def _handle_closed(self) -> None:
        """The socket was closed, by this handle or another; a front cancels what waits."""

    def _wait(self, timeout: float | None, hint: Callable[[], object]) -> None:
        """Wait until something changed, at most `timeout` seconds; the one place where a socket blocks.

        A front that must not block its thread replaces it. It may return early for no reason.

        Args:
            timeout: seconds; None for ever.
            hint: cheap test: what the caller waits for may have come already.
        """
        self._engine.leadership.wait(timeout, hint)

    # -- the lock-free paths ---------------------------------------------------------------------------------------

    def _refresh_send_path(self) -> None:
        """Open or close the lock-free path of send as the pattern's state allows (lease held)."""
        target = None
        if self._shared.usable and self._shared.parts is None:
            target = self._pattern.fast_target()
        if target is None:
            self._target = self._parts_target = NO_TARGET
        else:
            target.room = target.write_room()
            self._target = target
            self._parts_target = NO_TARGET if self._pattern.single_part else target

    def _refresh_recv_path(self) -> None:
        """Open or close the lock-free path of recv (lease held)."""
        pattern = self._pattern
        is_open = pattern.fast_recv and not pattern.take_origin and self._shared.rest is None and self._shared.usable
        if self._engine.queues.counts_bytes:
            is_open = False
        self._ready = pattern.inbox.ready if is_open else NO_MESSAGES

    def _close_paths(self) -> None:
        self._target = self._parts_target = NO_TARGET
        self._ready = NO_MESSAGES

    # -- checks and waiting ----------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        """Raise ENOTSOCK or ETERM when the socket can't be used any more."""
        if self._shared.usable:
            return
        if self._shared.closed:
            raise make_error(ENOTSOCK, "the socket is closed")
        raise make_error(ETERM, "the context is terminated; close the socket")

    def _recv_hint(self) -> object:
        """Cheap look without the lease: a recv may succeed, or must raise."""
        pattern = self._pattern
        inbox = pattern.inbox
        if (inbox.ready or inbox.active) and (pattern.fast_recv or pattern.may_receive()):
            return True
        return not self._shared.usable

    def _send_hint(self) -> object:
        """Cheap look without the lease: a send must raise. Room is told by waking."""
        return not self._shared.usable

    def _as_message(self, parts: list[Any]) -> Message:
        return parts[0] if len(parts) == 1 else parts


class NewsHint:
    """The hint of a wait for something other than a message: every change may be what it waits for."""

    __slots__ = ()


class RoomHint(NewsHint):
    """Cheap look without the lease: whether there was news for a blocked sender, or for what it waits for besides."""

    __slots__ = ("besides", "socket", "token")

    def __init__(self, socket: SocketState, token: object, besides: Callable[[], object]) -> None:
        self.socket = socket
        self.token = token
        self.besides = besides

    def __call__(self) -> object:
        """Whether to look again."""
        return self.socket._engine.room_token is not self.token or self.besides()


def deadline_of(flags: int, timeout: float | None, option_ms: int) -> float | None:
    """When a call must have succeeded, in monotonic seconds: None for never, 0.0 for now or not at all.

    Args:
        flags: DONTWAIT means now.
        timeout: seconds given to the call, which win over the option; None if not given.
        option_ms: RCVTIMEO or SNDTIMEO.
    """
    if flags and flags & _DONTWAIT:
        return 0.0
    if timeout is None:
        if option_ms < 0:
            return None
        timeout = option_ms / 1000
    return monotonic() + timeout if timeout > 0 else 0.0
