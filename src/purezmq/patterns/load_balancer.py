"""Load balancer: sends one whole message to each pipe in turn and skips full ones (RFC 28 and 30: "round-robin").

Everything here needs the lease.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
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
        """Send to this pipe, too."""
        self.pipes.append(pipe)

    def detach(self, pipe: Pipe) -> None:
        """Send to this pipe no more."""
        if pipe in self.pipes:
            index = self.pipes.index(pipe)
            del self.pipes[index]
            if index < self.next_index:
                self.next_index -= 1

    def choose(self) -> Pipe | None:
        """The next pipe with room, or None when there is none; the turn moves on."""
        pipes = self.pipes
        count = len(pipes)
        index = self.next_index
        for _ in range(count):
            if index >= count:
                index = 0
            pipe = pipes[index]
            index += 1
            if pipe.can_write():
                self.next_index = index
                return pipe
        return None

    def send(self, message: Message) -> Pipe | None:
        """Write the message to the next pipe with room; returns that pipe, or None when every pipe is full."""
        pipe = self.choose()
        if pipe is not None:
            pipe.write(message)
        return pipe

    def send_many(self, messages: list[Message]) -> int:
        """Write from the front of a list while there is room; how many were written."""
        if len(self.pipes) == 1:
            pipe = self.pipes[0]
            count = pipe.free_room(len(messages))
            outbound, carrier = pipe.outbound, pipe.carrier
            append = outbound.append
            for index in range(count):
                append(messages[index])
                if pipe.quiet or len(outbound) >= pipe.write_batch:
                    carrier.handle_write(pipe)
                    if pipe.ended:
                        return index + 1
            return count
        for count, message in enumerate(messages):
            if self.send(message) is None:
                return count
        return len(messages)

    def can_send(self) -> bool:
        """Whether any pipe has room."""
        return any(pipe.can_write() for pipe in self.pipes)

    def why_blocked(self) -> str:
        """Why no pipe takes a message now."""
        if not self.pipes:
            return "no peer is connected"
        who = "the only peer" if len(self.pipes) == 1 else f"all {len(self.pipes)} peers"
        return f"the queue to {who} is full (high-water mark)"
