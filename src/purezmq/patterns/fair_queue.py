"""Fair queue: reads one whole message of each pipe in turn (RFC 28 and 30: "fair-queue").

Two faces over the same pipes:

* `take` gives one message and its pipe, strictly in turn; for patterns that must know the sender.
* `refill` merges a small batch, in the same order, into `ready`, from which a receiving thread may pop without a
  lock. With one pipe attached there is nothing to merge: `ready` *is* that pipe's inbound queue (the short cut).

Everything here needs the lease, except that any thread may pop from `ready` and call `activate`.
"""

from __future__ import annotations

from collections import deque
from itertools import islice, repeat, starmap

from purezmq.pipe import RoomMarker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.message import Message
    from purezmq.pipe import Pipe

__all__ = ["FairQueue", "to_plain"]

#: Messages of one pipe merged per turn: a pipe that becomes active waits for at most this many of each other pipe.
MERGE_MESSAGES = 16
_LISTS = {list}


def to_plain(message: Any) -> Message:
    """A message of bytes only; over inproc one that was sent without copying arrives as it was sent."""
    if not isinstance(message, list):
        return message if type(message) is bytes else bytes(message)
    return bytes(message[0]) if len(message) == 1 else [bytes(part) for part in message]


class FairQueue:
    """The inbound side of a socket.

    Args:
        accept: applied to each message and its pipe on the way out (a ROUTER prefixes the routing id); returns
            None to drop it. None when messages pass unchanged, which permits the one-pipe short cut.
    """

    __slots__ = (
        "accept", "accept_lists", "active", "handle_ready_changed", "merge_limit", "peeked", "pipes", "ready",
        "short_cut",
    )  # fmt: skip

    def __init__(self, accept: Callable[[Pipe, Any], Message | None] | None = None) -> None:
        self.accept = accept
        #: The same for many messages, if the pattern has a way: gives for a pipe what is applied to lists, in C.
        self.accept_lists: Callable[[Pipe], Callable[[Any], Message] | None] | None = None
        self.ready: deque[Any] = deque()
        self.active: deque[Pipe] = deque()
        self.pipes: list[Pipe] = []
        self.short_cut: Pipe | None = None
        #: What `peek` found and nobody took yet: it comes after `ready`.
        self.peeked: tuple[Pipe | None, Any] | None = None
        #: Most messages that are merged ahead, 0 for what is quick; set where what is merged escapes a limit.
        self.merge_limit = 0
        #: Called when `ready` became another deque; the socket sets it to refresh its fast path.
        self.handle_ready_changed: Callable[[], None] | None = None

    def attach(self, pipe: Pipe) -> None:
        """Read this pipe from now on. Once more, at once, does no harm: the first time may have been interrupted."""
        if self.pipes[-1:] != [pipe]:
            self.pipes.append(pipe)
        if self.short_cut is not None:
            self._end_short_cut()
        if self.accept is None and len(self.pipes) == 1 and not (self.active or self.ready or self.peeked):
            self.short_cut = pipe
            self._set_ready(pipe.inbound)
        elif pipe.inbound:
            self.activate(pipe)
        else:
            self._note_drained(pipe)

    def detach(self, pipe: Pipe) -> None:
        """Forget a pipe that ended; what it brought stays readable."""
        if pipe in self.pipes:
            self.pipes.remove(pipe)

    def discard(self, pipe: Pipe) -> None:
        """Forget a pipe and what it brought."""
        self.detach(pipe)
        if self.peeked is not None and self.peeked[0] is pipe:
            self.peeked = None
        if self.short_cut is pipe:
            self.short_cut = None
            self._set_ready(deque())
        try:
            self.active.remove(pipe)
        except (ValueError, RuntimeError):  # not there, or an inproc peer activated its pipe meanwhile
            pass
        if not getattr(pipe.carrier, "is_direct", False):  # over inproc these are still the sender's
            pipe.inbound.clear()

    def retire(self, pipe: Pipe) -> None:
        """Let what an ended pipe still holds be read before anything of the pipes that come after it."""
        self.detach(pipe)
        if self.short_cut is pipe:
            self.short_cut = None  # `ready` stays its queue; merged messages of others go behind
            return
        self._merge_peeked()
        while True:
            message = self._next(pipe)
            if message is None:
                return
            self.ready.append(message)

    def set_accept(self, accept: Callable[[Pipe, Any], Message | None] | None) -> None:
        """Change what happens to each message that is not merged yet; None permits the short cut again."""
        self.accept = accept
        if accept is not None:
            if self.short_cut is not None:
                self._end_short_cut()
        elif self.short_cut is None and len(self.pipes) == 1 and not (self.ready or self.peeked):
            pipe = self.pipes[0]
            active = self.active
            if not active or (len(active) == 1 and active[0] is pipe):
                self.short_cut = pipe  # first, so that `activate` of an inproc peer leaves it alone
                active.clear()
                pipe.active = False
                self._set_ready(pipe.inbound)

    def keep_only(self, wanted: Callable[[Any], bool]) -> None:
        """Drop what was merged before the filter changed and is not wanted any more."""
        if self.short_cut is not None:
            return
        if self.peeked is not None and not wanted(self.peeked[1]):
            self.peeked = None
        ready = self.ready
        for _ in range(len(ready)):  # in place: another thread may be popping from it
            try:
                message = ready.popleft()
            except IndexError:
                return
            if wanted(message):
                ready.append(message)

    def _set_ready(self, ready: deque[Any]) -> None:
        self.ready = ready
        if self.handle_ready_changed is not None:
            self.handle_ready_changed()

    def _end_short_cut(self) -> None:
        pipe, self.short_cut = self.short_cut, None
        self._set_ready(deque())
        if pipe is not None and not self._note_drained(pipe):
            self.activate(pipe)

    def activate(self, pipe: Pipe) -> None:
        """Messages wait in this pipe. Atomic: an inproc peer calls it from its own thread."""
        if not pipe.active and pipe is not self.short_cut:
            pipe.active = True
            self.active.append(pipe)

    def _note_drained(self, pipe: Pipe) -> bool:
        """Tell the carrier that the pipe was found empty, then look again; whether it still is.

        In this order, because an inproc peer appends its message first and then asks whether it must tell us.
        """
        if pipe.inbound:
            return False
        pipe.active = False
        pipe.carrier.handle_drained(pipe)
        return not pipe.inbound

    def _next(self, pipe: Pipe) -> Any:
        """The next message of a pipe, or None when it has none left (then it is no longer active)."""
        while True:
            if not pipe.inbound:
                if self._note_drained(pipe):
                    return None
                pipe.active = True
                continue
            try:
                message = pipe.inbound.popleft()
            except IndexError:  # an inproc peer dropped it: its policy is drop-oldest
                continue
            kind = type(message)
            if kind is not bytes and kind is not list:
                if kind is RoomMarker:
                    message.wake()
                    continue
                message = to_plain(message)
            if self.accept is not None:
                message = self.accept(pipe, message)
                if message is None:
                    continue
            return message

    def take_from(self, pipe: Pipe) -> Any:
        """The next message of one pipe, or None: out of turn, for patterns that order several kinds of events."""
        return self._next(pipe)

    def take(self) -> tuple[Pipe | None, Any] | None:
        """One message and the pipe it came by, or None. The pipe is None for a message that was merged before."""
        ready = self.ready
        while True:
            while ready:
                try:
                    message = ready.popleft()
                except IndexError:  # another thread's fast path was quicker
                    break
                if type(message) is not RoomMarker:
                    return self.short_cut, message
                message.wake()
            if self.short_cut is None:
                break
            if self._note_drained(self.short_cut):
                return None
        peeked, self.peeked = self.peeked, None
        if peeked is not None:
            return peeked
        active = self.active
        while active:
            pipe = active.popleft()
            message = self._next(pipe)
            if message is not None:
                active.append(pipe)
                return pipe, message
        return None

    def put_back(self, pipe: Pipe | None, message: Message) -> None:
        """Undo a `take`: the message comes next again, and whoever waits for one sees that it is there."""
        if pipe is None:
            self.ready.appendleft(message)
            return
        pipe.inbound.appendleft(message)
        if pipe is self.short_cut:
            return
        try:
            self.active.remove(pipe)
        except (ValueError, RuntimeError):  # an inproc peer activated its pipe meanwhile: a second turn does no harm
            pass
        pipe.active = True
        self.active.appendleft(pipe)

    def refill(self) -> bool:
        """Merge the next batch into `ready`; whether a message is there now."""
        if self.ready and self.can_read():
            return True
        if self.short_cut is not None:
            return not self._note_drained(self.short_cut) and self.can_read()
        if self._merge_peeked():
            return True
        active, ready = self.active, self.ready
        while active and not ready:
            if len(active) == 1:
                pipe = active.popleft()
                if self._merge(pipe, self.merge_limit or MERGE_MESSAGES * 8):
                    active.append(pipe)
                continue
            for _ in range(self.merge_limit or MERGE_MESSAGES * len(active)):
                if not active:
                    break
                pipe = active.popleft()
                message = self._next(pipe)
                if message is not None:
                    ready.append(message)
                    active.append(pipe)
        return bool(ready)

    def _merge_peeked(self) -> bool:
        """Move what was peeked at into `ready`; whether there was anything."""
        peeked, self.peeked = self.peeked, None
        if peeked is None:
            return False
        self.ready.append(peeked[1])
        return True

    def _merge(self, pipe: Pipe, limit: int) -> bool:
        """Move at most `limit` messages of one pipe into `ready`; whether the pipe is still active."""
        inbound, accept = pipe.inbound, self.accept
        popleft, append = inbound.popleft, self.ready.append
        if self.accept_lists is not None:
            limit -= self._merge_lists(pipe, limit)
        for _ in range(limit):
            if not inbound:
                if self._note_drained(pipe):
                    return False
                pipe.active = True
                continue
            try:
                message = popleft()
            except IndexError:  # as in `_next`
                continue
            kind = type(message)
            if kind is not bytes and kind is not list:
                if kind is RoomMarker:
                    message.wake()
                    continue
                message = to_plain(message)
            if accept is not None:
                message = accept(pipe, message)
                if message is None:
                    continue
            append(message)
        return True

    def _merge_lists(self, pipe: Pipe, limit: int) -> int:
        """As `_merge`, for the messages in front if all are lists; how many. No signal handler runs in their midst."""
        inbound = pipe.inbound
        count = min(limit, len(inbound))
        # Over inproc others append to the queue, and perhaps drop from it, at any time.
        if count < 2 or self.accept_lists is None or getattr(pipe.carrier, "is_direct", False):
            return 0
        accept = self.accept_lists(pipe)
        if accept is None or set(map(type, islice(inbound, count))) != _LISTS:
            return 0
        self.ready.extend(map(accept, starmap(inbound.popleft, repeat((), count))))
        return count

    def can_read(self) -> bool:
        """Whether `ready` holds a message now (a marker at its head is consumed)."""
        ready = self.ready
        while ready:
            try:
                if type(ready[0]) is not RoomMarker:
                    return True
                head = ready.popleft()
            except IndexError:  # another thread took it
                return False
            if type(head) is RoomMarker:
                head.wake()
            else:  # another thread took the marker: this is a message, put it back
                ready.appendleft(head)
        return False

    def peek(self) -> bool:
        """As `has_messages`, but nothing is merged: the message that was found is given by `take` with its pipe."""
        if self.peeked is not None or self.can_read():
            return True
        if self.short_cut is not None:
            return self.refill()
        self.peeked = self.take()
        return self.peeked is not None

    def has_messages(self) -> bool:
        """Whether a `recv` would succeed now, as far as messages that `accept` keeps are concerned."""
        return self.refill()
