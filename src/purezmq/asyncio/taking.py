"""Taking messages out of a socket without waiting, and putting back what was taken when nobody got it in the end.

A request (`Request`) says what one call of `recv` and its kin wants and how to make the result of it. Everything here
works on the plain socket below the asynchronous one, and knows no event loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from purezmq.sockets.socket import Socket

__all__ = ["ManyRequest", "MessageRequest", "PartRequest", "Request", "Taken", "put_back"]


class Taken:
    """What was taken for one request.

    Attributes:
        messages: whole messages, in order; or one list of parts, when it is not a `whole`.
        first: it begins with the first part of a message.
        last: it ends with the last part of a message.
        is_back: it is being put back; `messages` are those that are not yet.
    """

    __slots__ = ("first", "is_back", "last", "messages")

    def __init__(self, messages: list[Any], *, first: bool = True, last: bool = True) -> None:
        self.messages = messages
        self.first = first
        self.last = last
        self.is_back = False

    @property
    def is_whole(self) -> bool:
        """Whether it is one message, no more and no less."""
        return self.first and self.last and len(self.messages) == 1


class Request:
    """One call that waits for messages.

    Attributes:
        copy: bytes for True, Frames for False.
        load: makes the result of what `recv` or `recv_multipart` would return; None to return just that.
    """

    __slots__ = ("copy", "load")

    def __init__(self, *, copy: bool = True, load: Callable[[Any], Any] | None = None) -> None:
        self.copy = copy
        self.load = load

    def take(self, socket: Socket) -> Taken | None:
        """What is there for it, or None (lease held).

        Raises:
            ZMQError: ENOTSUP, EFSM.
        """
        raise NotImplementedError

    def convert(self, socket: Socket, taken: Taken) -> Any:
        """What `load` makes the result of (lease held, right after `take`)."""
        raise NotImplementedError

    def _as_parts(self, socket: Socket, message: Any, *, more: bool = False) -> list[Any]:
        if socket._pattern.addressing:  # [address, body]
            return [socket._open_addressed(message, socket._pattern.last_pipe, copy=self.copy)]
        parts = list(map(_to_bytes, message)) if isinstance(message, list) else [_to_bytes(message)]
        if self.copy:
            return parts
        last = len(parts) - 1
        return [socket._as_frame(part, more=more or index < last) for index, part in enumerate(parts)]


class PartRequest(Request):
    """`recv`: one part, and the others stay for the next one."""

    __slots__ = ()

    def take(self, socket: Socket) -> Taken | None:
        """See `Request`."""
        shared = socket._shared
        rest = shared.rest
        if rest is not None:
            part = rest.pop(0)
            if not rest:
                shared.rest = None
                shared.refresh_recv_paths()
            return Taken([part], first=False, last=not rest)
        message = socket._pattern.try_recv()
        if message is None:
            return None
        if not isinstance(message, list) or len(message) == 1 or socket._pattern.addressing:
            return Taken([message])
        shared.rest = message[1:]
        shared.refresh_recv_paths()
        return Taken([message[0]], last=False)

    def convert(self, socket: Socket, taken: Taken) -> Any:
        """See `Request`."""
        return self._as_parts(socket, taken.messages[0], more=not taken.last)[0]


class MessageRequest(Request):
    """`recv_multipart`: a whole message, or what is left of one.

    Args:
        plain: a message of one part is bytes, not a list.
    """

    __slots__ = ("plain",)

    def __init__(self, *, copy: bool = True, load: Callable[[Any], Any] | None = None, plain: bool = False) -> None:
        super().__init__(copy=copy, load=load)
        self.plain = plain

    def take(self, socket: Socket) -> Taken | None:
        """See `Request`."""
        shared = socket._shared
        if shared.rest is not None:
            rest, shared.rest = shared.rest, None
            shared.refresh_recv_paths()
            return Taken([rest], first=False)
        message = socket._pattern.try_recv()
        return None if message is None else Taken([message])

    def convert(self, socket: Socket, taken: Taken) -> Any:
        """See `Request`."""
        parts = self._as_parts(socket, taken.messages[0])
        return parts[0] if self.plain and len(parts) == 1 else parts


class ManyRequest(Request):
    """`recv_many`: everything that is there.

    Args:
        max_messages: at most this many.
    """

    __slots__ = ("max_messages",)

    def __init__(self, max_messages: int) -> None:
        super().__init__()
        self.max_messages = max_messages

    def take(self, socket: Socket) -> Taken | None:
        """See `Request`."""
        shared = socket._shared
        first: list[Any] = []
        is_first = True
        if shared.rest is not None:
            first, shared.rest = [shared.rest], None
            shared.refresh_recv_paths()
            is_first = False
        messages = first + socket._pattern.try_recv_many(self.max_messages - len(first))
        return Taken(messages, first=is_first) if messages else None

    def convert(self, socket: Socket, taken: Taken) -> Any:
        """See `Request`."""
        return [socket._normalise(message) for message in taken.messages]


def put_back(socket: Socket, taken: Taken) -> None:
    """Undo a `take`: the next receiver, of whatever kind, gets it (lease held).

    A command of the mailbox that a signal handler raised out of is done once more, and goes on here where it was: no
    message comes twice.
    """
    shared, pattern = socket._shared, socket._pattern
    if not taken.is_back:
        messages = list(taken.messages)
        rest = shared.rest
        if not taken.last:  # the rest of its message lies ready still, unless another receiver took it since
            messages[-1] = [messages[-1], *(rest or [])]
            rest = None
        if not taken.first or not (pattern.fast_recv or pattern.addressing):
            # The middle of a message; or the pattern's state went on with it, so that only the socket can keep it.
            head = messages.pop(0)
            rest = [*(head if isinstance(head, list) else [head]), *(rest or [])]
        # Handlers run behind calls of C and at jumps back: not in these three lines.
        taken.is_back = True
        taken.messages = messages
        shared.rest = rest
    left = taken.messages
    ready = pattern.inbox.ready
    while left:
        if ready.maxlen is None or len(ready) < ready.maxlen:
            pattern.put_back(left)
        else:  # CONFLATE: what came meanwhile is newer
            del left[-1]
    shared.refresh_recv_paths()


def _to_bytes(part: Any) -> bytes:
    return part if type(part) is bytes else bytes(part)
