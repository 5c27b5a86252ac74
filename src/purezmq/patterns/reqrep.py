"""REQ and REP: strict request and reply (RFC 28).

On the wire a request is ``[id of 4 bytes when REQ_CORRELATE] [empty delimiter] [parts ...]``. A REP strips everything
through the first empty part (the envelope: one part per ROUTER on the way), and puts it back before the reply.

Both need the pipe of every message, so they take one by one. Looking (`can_recv`) puts back what it found. A list of
parts that comes by `try_send` is the pattern's own: the envelope is put into it.
"""

from __future__ import annotations

from sys import byteorder

from purezmq.patterns.base import Pattern, state_error
from purezmq.patterns.dealer import Dealer
from purezmq.patterns.fair_queue import to_plain
from purezmq.pipe import BLOCK, DROP_NEWEST, DROPPING, DropReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.patterns.base import FastTarget
    from purezmq.pipe import Pipe

__all__ = ["Rep", "Req"]

_DELIMITER = b""
#: What stands before a reply whose request had no more than the delimiter.
_NO_ENVELOPE = [_DELIMITER]


class Req(Dealer):
    """The client: one request, then one reply.

    Attributes:
        waiting: a request was sent and its reply was not received.
        reply_pipe: where the reply must come from; None when that peer is gone (then from anywhere, as in libzmq).
        request_id: the id that the reply must carry, None without REQ_CORRELATE.
        last_request_id: number of the last correlated request.
        must_correlate: requests carry an id from now on, whatever REQ_CORRELATE says: a late reply may come by the
            connection that the next request takes.
        is_lost: the connection that the reply should come by was lost; the request may wait in its queue still.
        discarded: replies that were malformed, late or from the wrong peer.
    """

    #: One request at a time, each changes the state.
    try_send_many = Pattern.try_send_many

    type_name = "REQ"
    refused_policies = dict.fromkeys(DROPPING, "a REQ whose request was dropped would wait for its reply for ever")
    peer_types = frozenset({"REP", "ROUTER"})
    fast_recv = False
    takes_turns = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.waiting = False
        self.reply_pipe: Pipe | None = None
        self.request_id: bytes | None = None
        self.last_request_id = 0
        self.must_correlate = False
        self.is_lost = False
        self.discarded = 0

    def seed_ids(self, number: int) -> None:
        """Start the request ids somewhere: any u32, best a random one."""
        self.last_request_id = number

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone; when it owed the reply, that may now come from anywhere."""
        if self.reply_pipe is pipe:
            self.reply_pipe = None
            self.is_lost = True
        super().detach(pipe)

    def hiccup(self, pipe: Pipe) -> None:
        """The connection was lost: a request that had left by it gets no reply."""
        if self.reply_pipe is pipe:
            self.is_lost = True
        super().hiccup(pipe)

    def give_up(self) -> Pipe | None:
        """Wait for the reply no more: the next request may be sent.

        Returns:
            Where the request went; None when that peer is gone.
        """
        pipe, self.reply_pipe = self.reply_pipe, None
        self.waiting = self.is_lost = False
        return pipe

    def check_send(self) -> None:
        """Raise EFSM between request and reply."""
        if self.waiting and not self.options.req_relaxed:
            raise state_error(
                "waiting for a reply: receive it before sending the next request, or set REQ_RELAXED to give it up"
            )

    def check_recv(self) -> None:
        """Raise EFSM before a request was sent."""
        if not self.waiting:
            raise state_error("no request is outstanding: send one before receiving its reply")

    def try_send(self, message: Message) -> bool:
        """Send a request to the next peer with room.

        Raises:
            ZMQError: EFSM while a reply is awaited, unless REQ_RELAXED.
        """
        if self.waiting:
            self.check_send()
        pipes = self.balancer.pipes
        if len(pipes) == 1:
            pipe = pipes[0]
            if not pipe.can_take(message):
                return self._send_to_full(pipe, message)
        else:
            chosen = self.balancer.choose(message)
            if chosen is None:
                open_pipes = [pipe for pipe in pipes if pipe.policy != BLOCK and not pipe.ended]
                return bool(open_pipes) and self._send_to_full(open_pipes[0], message)
            pipe = chosen
        pipe.write(self._begin(pipe, message))
        return True

    def _send_to_full(self, pipe: Pipe, message: Message) -> bool:
        """Send a request to a peer whose queue is full, if the overflow policy has a way (spill, error)."""
        if pipe.policy == BLOCK:
            return False
        before = self.waiting, self.reply_pipe, self.request_id
        request = self._begin(pipe, message)
        is_sent = False
        try:
            is_sent = pipe.offer(request)
        finally:
            if not is_sent:
                self.waiting, self.reply_pipe, self.request_id = before
                del request[: request.index(_DELIMITER) + 1]
        return is_sent

    def _begin(self, pipe: Pipe, message: Message) -> Any:
        """The request as it travels; from now on its reply is awaited from this pipe."""
        inbox = self.inbox
        if inbox.ready or inbox.active:
            self._discard_unread()
        if isinstance(message, list):
            message.insert(0, _DELIMITER)
        else:
            message = [_DELIMITER, message]
        if self.options.req_correlate or self.must_correlate:
            number = self.last_request_id = (self.last_request_id + 1) & 0xFFFFFFFF
            self.request_id = number.to_bytes(4, byteorder)
            message.insert(0, self.request_id)
        else:
            self.request_id = None
        self.reply_pipe = pipe
        self.waiting = True
        self.is_lost = False
        return message

    def _discard_unread(self) -> None:
        """Drop what came before this request, lest an old reply answers it."""
        take = self.inbox.take
        while take() is not None:
            self.discarded += 1

    def try_recv(self) -> Message | None:
        """The reply, or None while there is none.

        Raises:
            ZMQError: EFSM when no request is outstanding.
        """
        if not self.waiting:
            self.check_recv()
        message = self._fetch()
        if message is None:
            return None
        self.waiting = False
        start = 1 if self.request_id is None else 2
        return message[start] if len(message) == start + 1 else message[start:]

    def _fetch(self) -> list[bytes] | None:
        """Take messages until one is the reply, from `last_pipe`; it has its envelope still."""
        take = self.inbox.take
        while (taken := take()) is not None:
            pipe, message = taken
            if type(message) is not list:
                message = to_plain(message)
            if (pipe is self.reply_pipe or self.reply_pipe is None) and type(message) is list:
                request_id = self.request_id
                if (
                    not message[0]
                    if request_id is None
                    else len(message) > 2 and message[0] == request_id and not message[1]
                ):
                    self.last_pipe = pipe
                    return message
            self.discarded += 1
        return None

    def may_receive(self) -> bool:
        """Between request and reply."""
        return self.waiting

    def can_recv(self) -> bool:
        """Whether the reply is there."""
        if not self.waiting:
            return False
        message = self._fetch()
        if message is None:
            return False
        self.inbox.put_back(self.last_pipe, message)
        return True

    def can_send(self) -> bool:
        """Whether a request may be sent now and a peer has room."""
        return (not self.waiting or bool(self.options.req_relaxed)) and self.balancer.can_send()

    def fast_target(self) -> FastTarget | None:
        """None: each request changes the state."""
        return None


class Rep(Pattern):
    """The server: one request, then one reply.

    Attributes:
        replying: a request was received and its reply was not sent.
        requester: the pipe that the reply goes to.
        envelope: what stands before the reply, through the delimiter.
        discarded: requests without a delimiter.
    """

    type_name = "REP"
    overflow = DROP_NEWEST
    peer_types = frozenset({"REQ", "DEALER"})
    can_transmit = True
    fast_recv = False
    takes_turns = True

    def __init__(self, options: SocketOptions) -> None:
        super().__init__(options)
        self.replying = False
        self.requester: Pipe | None = None
        self.envelope: list[bytes] | None = None
        self.discarded = 0

    def check_send(self) -> None:
        """Raise EFSM when there is no request to reply to."""
        if not self.replying:
            raise state_error("there is no request to reply to: receive one first")

    def check_recv(self) -> None:
        """Raise EFSM between request and reply."""
        if self.replying:
            raise state_error("the last request has no reply yet: send it before receiving the next request")

    def try_recv(self) -> Message | None:
        """The next request without its envelope, or None.

        Raises:
            ZMQError: EFSM when the last request was not replied to.
        """
        if self.replying:
            self.check_recv()
        inbox = self.inbox
        pipe = inbox.short_cut
        if pipe is not None and inbox.ready:
            # What is usual, the short way: one peer, a request of one part, straight or by way of one ROUTER.
            try:
                head = inbox.ready.popleft()
            except IndexError:  # an inproc peer dropped it: its policy is drop-oldest
                return None
            size = len(head) if type(head) is list else 0
            if (size == 2 and not head[0]) or (size == 3 and head[0] and not head[1]):
                self.requester = self.last_pipe = pipe
                self.replying = True
                self.envelope = None if size == 2 else head[:2]
                body: bytes = head[-1]
                return body
            inbox.ready.appendleft(head)
        message = self._fetch()
        if message is None:
            return None
        self.requester = self.last_pipe
        self.replying = True
        if not message[0]:  # straight from a REQ
            self.envelope = None
            return message[1] if len(message) == 2 else message[1:]
        start = message.index(_DELIMITER) + 1
        self.envelope = message[:start]
        return message[start] if len(message) == start + 1 else message[start:]

    def _fetch(self) -> list[bytes] | None:
        """Take messages until one is a request, from `last_pipe`; it has its envelope still."""
        take = self.inbox.take
        while (taken := take()) is not None:
            pipe, message = taken
            if type(message) is not list:
                message = to_plain(message)
            # A delimiter with something after it: most often at the very front.
            if type(message) is list and (not message[0] or _DELIMITER in message[:-1]):
                self.last_pipe = pipe
                return message
            self.discarded += 1
        return None

    def may_receive(self) -> bool:
        """Not between request and reply."""
        return not self.replying

    def can_recv(self) -> bool:
        """Whether a request may be received now and one is there."""
        if self.replying:
            return False
        message = self._fetch()
        if message is None:
            return False
        self.inbox.put_back(self.last_pipe, message)
        return True

    def try_send(self, message: Message) -> bool:
        """Send the reply to the requester; it is dropped when that is gone or its queue is full.

        Raises:
            ZMQError: EFSM when there is no request to reply to.
        """
        if not self.replying:
            self.check_send()
        pipe = self.requester
        if pipe is not None:
            envelope = _NO_ENVELOPE if self.envelope is None else self.envelope
            reply: Any
            if isinstance(message, list):
                message[:0] = envelope
                reply = message
            else:
                reply = [*envelope, message]
            if pipe.attached and pipe.can_take(reply):
                pipe.write(reply)
            elif not self._reply_anyway(pipe, reply, len(envelope)):
                return False  # its policy says to wait; the state is as before
        self.replying = False
        self.requester = None
        return True

    def _reply_anyway(self, pipe: Pipe, reply: Any, envelope_parts: int) -> bool:
        """Reply to a requester that is full or gone; False, and the message without its envelope, when it must wait.

        Raises:
            Again: the requester is full, and the overflow policy is `error`.
        """
        is_sent = False
        try:
            is_sent = pipe.attached and pipe.offer(reply)
        finally:
            is_lost = not is_sent and (pipe.ended or not pipe.attached)  # the connection broke, perhaps just now
            if not (is_sent or is_lost):
                del reply[:envelope_parts]
        if is_lost:
            pipe.drop(1, DropReason.DISCONNECTED)
        return is_sent or is_lost

    def why_blocked(self) -> str:
        """The requester is full and its policy says to wait."""
        return "no request waits for a reply" if self.requester is None else self.requester.why_full()

    def can_send(self) -> bool:
        """Whether a request waits for its reply."""
        return self.replying and (self.requester is None or not self.requester.attached or self.requester.is_open())
