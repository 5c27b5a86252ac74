"""Load balancer: sends one whole message to each pipe in turn and skips full ones (RFC 28 and 30: "round-robin").

Everything here needs the lease.
"""

from __future__ import annotations

from purezmq.error import Again
from purezmq.pipe import BLOCK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from purezmq.message import Message
    from purezmq.pipe import Pipe

__all__ = ["LoadBalancer"]


class LoadBalancer:
    """The outbound side of PUSH, DEALER, REQ and their kin."""

    __slots__ = ("next_index", "pipes")

    def __init__(self) -> None:
        self.pipes: list[Pipe] = []
        self.next_index = 0

    def attach(self, pipe: Pipe) -> None:
        """Send to this pipe, too. Once more, at once, does no harm: the first time may have been interrupted."""
        if self.pipes[-1:] != [pipe]:
            self.pipes.append(pipe)

    def detach(self, pipe: Pipe) -> None:
        """Send to this pipe no more."""
        if pipe in self.pipes:
            index = self.pipes.index(pipe)
            del self.pipes[index]
            if index < self.next_index:
                self.next_index -= 1

    def choose(self, message: Message) -> Pipe | None:
        """The next pipe with room for the message, or None when there is none; the turn moves on."""
        pipes = self.pipes
        count = len(pipes)
        index = self.next_index
        for _ in range(count):
            if index >= count:
                index = 0
            pipe = pipes[index]
            index += 1
            if pipe.can_take(message):
                self.next_index = index
                return pipe
        return None

    def send(self, message: Message) -> Pipe | None:
        """Write the message to the next pipe with room; returns that pipe, or None when the sender must wait.

        Raises:
            Again: every pipe is full, and the overflow policy of one of them is `error`.
        """
        pipe = self.choose(message)
        if pipe is not None:
            pipe.write(message)
            return pipe
        return self.overflow(message)

    def overflow(self, message: Message) -> Pipe | None:
        """No pipe has room: the first in turn whose overflow policy takes the message gets it, or what it makes of it.

        Raises:
            Again: the first in turn that has a policy says `error`.
        """
        pipes = self.pipes
        start = self.next_index
        for pipe in pipes[start:] + pipes[:start]:
            if pipe.policy != BLOCK and not pipe.ended and pipe.offer(message):
                if pipe in pipes:
                    self.next_index = pipes.index(pipe) + 1
                return pipe
        return None

    def send_many(self, messages: list[Message]) -> int:
        """Write from the front of a list while there is room; how many were written. With `error` it waits, too."""
        done = 0
        if len(self.pipes) == 1:
            pipe = self.pipes[0]
            done = pipe.free_room(len(messages))
            if pipe.tickets is not None:
                done = self._send_each(pipe, pipe.tickets, messages[:done])
                if pipe.ended:
                    return done
            elif done:
                # All of them before the carrier is told, or else it would write the first one alone.
                outbound = pipe.outbound
                try:
                    outbound.extend(messages if done == len(messages) else messages[:done])
                finally:  # whatever a signal handler raises, what is queued isn't forgotten
                    if pipe.quiet or len(outbound) >= pipe.write_batch:
                        pipe.carrier.handle_write(pipe)
        for index in range(done, len(messages)):
            try:
                if self.send(messages[index]) is None:
                    return index
            except Again:
                return index
        return len(messages)

    @staticmethod
    def _send_each(pipe: Pipe, tickets: Iterator[Any], messages: list[Message]) -> int:
        """Write messages, for which there is room, to an inproc peer; how many, which is less if it ended."""
        outbound, carrier = pipe.outbound, pipe.carrier
        for index, message in enumerate(messages):
            outbound.append(message)
            next(tickets)
            if pipe.quiet or len(outbound) >= pipe.write_batch:
                carrier.handle_write(pipe)
                if pipe.ended:
                    return index + 1
        return len(messages)

    def can_send(self) -> bool:
        """Whether any pipe has room, or takes what it has no room for."""
        return any(pipe.is_open() for pipe in self.pipes)

    def why_blocked(self) -> str:
        """Why no pipe takes a message now."""
        if not self.pipes:
            return "no peer is connected"
        if len(self.pipes) == 1:
            return f"the only peer is full: {self.pipes[0].why_full()}"
        return f"the queues to all {len(self.pipes)} peers are full (high-water mark)"
