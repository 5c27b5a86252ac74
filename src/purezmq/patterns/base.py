"""What every socket pattern is: who gets an outgoing message, which incoming message is next.

A pattern is sans-I/O. The engine tells it about pipes (`attach`, `detach`, `hiccup`, `handle_subscription`), the
socket asks it to send and receive. Every method needs the lease of its socket; none blocks.
"""

from __future__ import annotations

from itertools import repeat, starmap

from purezmq.constants import EFSM, ENOTSUP
from purezmq.error import Again, ZMQError, make_error
from purezmq.patterns.fair_queue import FairQueue
from purezmq.pipe import BLOCK, DropReason, RoomMarker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar, Protocol

    from purezmq.message import Message
    from purezmq.options import SocketOptions
    from purezmq.pipe import Pipe

    class FastTarget(Protocol):
        """What the lock-free path of `send` may append to: a Pipe, or the shared queue of a publisher."""

        outbound: Any
        quiet: bool
        carrier: Any
        room: int
        tickets: Any

        def write_room(self) -> int: ...


__all__ = ["LAST", "Pattern", "send_rest", "state_error"]

#: ``map(messages.pop, LAST)``: what takes the last one off a list when it's asked for it, in C.
LAST = (-1,)
#: The types that know HELLO_MSG, DISCONNECT_MSG and HICCUP_MSG (zmq_setsockopt(3)).
_GREETING = frozenset({"ROUTER", "DEALER", "CLIENT", "SERVER", "PEER"})
_NOTING_DISCONNECT = frozenset({"ROUTER", "SERVER", "PEER"})
_NOTING_HICCUP = frozenset({"DEALER", "CLIENT", "PEER"})


def state_error(text: str) -> Exception:
    """EFSM with a text that names the cause and the cure."""
    return make_error(EFSM, text)


def send_rest(pipe: Pipe, message: Any) -> bool:
    """Send a message without its first part, which is the address; False, and the message as it was, when it must wait.

    The list is ours, and a tracked one must stay the same object.

    Raises:
        Again: the pipe is full and its overflow policy is `error`.
    """
    address = message.pop(0)
    is_sent = False
    try:
        is_sent = pipe.send(message[0] if type(message) is list and len(message) == 1 else message)
    finally:
        if not is_sent:
            message.insert(0, address)
    return is_sent


class Pattern:
    """Base of all patterns: receives by fair queue, sends nothing.

    Class attributes:
        type_name: the Socket-Type of the wire ("PULL").
        peer_types: Socket-Types that may be connected with it (RFC 28, 29, 30, 31).
        can_receive / can_transmit: whether recv and send exist at all on this type (ENOTSUP otherwise).
        sends_routing_id: whether READY tells our routing id (REQ, DEALER, ROUTER; SUB and XSUB where one is set).

    Attributes:
        options: the socket's live options.
        inbox: the fair queue; `inbox.ready` is what the lock-free path of `recv` pops from.
        handle_changed: set by the socket; called when `fast_target()` may give another answer.
        take_origin: messages are taken one by one with their pipe, because the application reads metadata.
        is_unread: nothing was received yet, so whether the application reads metadata isn't known.
        dropped: messages that the type can't receive, or that are for nobody; `drops` by reason.
        refusals: what peers wanted and didn't get, by name (see `purezmq.limits`).
        note_drop: set by the engine; called with (None, count, reason) for each of those.
        last_pipe: the pipe of the message that `try_recv` returned last, where it is known.
    """

    type_name: ClassVar[str] = ""
    peer_types: ClassVar[frozenset[str]] = frozenset()
    can_receive: ClassVar[bool] = True
    can_transmit: ClassVar[bool] = False
    sends_routing_id: ClassVar[bool] = False
    #: The lock-free path of `recv` may pop from `inbox.ready` (no state to keep per message).
    fast_recv: ClassVar[bool] = True
    #: Not so, but while `may_receive` says yes and the inbox has nothing, `try_recv` has nothing, either (REQ, REP).
    takes_turns: ClassVar[bool] = False
    #: A second connect() to the same endpoint is a silent no-op (libzmq's is_single_connect).
    single_connect: ClassVar[bool] = False
    #: Only one peer at a time: further ones are refused before their handshake and come back (PAIR).
    exclusive: ClassVar[bool] = False
    #: The pipe that ends doesn't wait for unread inbound messages (PUB, PUSH, RADIO, SCATTER).
    no_delay: ClassVar[bool] = False
    #: Messages have one part: SNDMORE is an error, and what comes with more parts is dropped.
    single_part: ClassVar[bool] = False
    #: A message goes to whichever peer has room, so that what doesn't fit now can't be sent at all.
    picks_peer: ClassVar[bool] = False
    #: What `send` and Frame tell besides the body: "routing_id", "group" or nothing. Where it is something, a message
    #: is [address, body] on its way in and out of the pattern.
    addressing: ClassVar[str] = ""
    #: Errors of `try_send` that tell of one message, not of the socket: in a batch such a message is dropped.
    undeliverable: ClassVar[frozenset[int]] = frozenset()

    #: What happens to a message when the queue to its peer is full, unless the application chose a policy.
    overflow: ClassVar[str] = BLOCK
    #: The policy is about what arrives: the type receives only, or mainly.
    receives_by_policy: ClassVar[bool] = False
    #: Policies that would break the type's promises, and why; the application can't choose them.
    refused_policies: ClassVar[Mapping[str, str]] = {}

    #: A publisher's last message was for nobody: perhaps a subscription has come that was not read yet.
    is_unheard = False

    def __init__(self, options: SocketOptions) -> None:
        self.options = options
        self.inbox = FairQueue(self._accept())
        self.handle_changed: Callable[[], None] = _nothing
        self.take_origin = False
        self.is_unread = True
        self.dropped = 0
        self.drops: dict[str, int] = {}
        self.refusals: dict[str, int] = {}
        self.note_drop: Callable[[Pipe | None, int, str], None] = _nothing
        self.last_pipe: Pipe | None = None

    def _accept(self) -> Callable[[Pipe, Any], Message | None] | None:
        """The transformation of incoming messages for the fair queue; None when they pass unchanged."""
        return None

    def refuse(self, name: str) -> None:
        """Count something that a peer wanted and didn't get."""
        self.refusals[name] = self.refusals.get(name, 0) + 1

    def drop(self, count: int, reason: str) -> None:
        """Count messages that belong to no pipe."""
        total = self.drops.get(reason, 0) + count
        self.drops[reason] = total  # here and in the next line no handler runs: both, or none of it
        self.dropped += count
        self.note_drop(None, count, reason)

    # -- pipes -------------------------------------------------------------------------------------------------

    def attach(self, pipe: Pipe) -> None:
        """A peer is there (connect side: will be there). May refuse it by ``pipe.carrier.end_pipe(pipe)``."""
        self.inbox.attach(pipe)

    def detach(self, pipe: Pipe) -> None:
        """The peer is gone for good. Messages that it brought stay readable."""
        self.inbox.detach(pipe)

    def connected(self, pipe: Pipe) -> None:
        """The handshake with the peer behind an attached pipe succeeded (again, after a reconnect)."""

    def hiccup(self, pipe: Pipe) -> None:
        """The connection behind a connect-side pipe was lost; the pipe stays and waits for the next one."""

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """The peer subscribed to or cancelled a topic; only publishers care."""

    def option_changed(self, number: int, value: Any) -> bool:
        """An option of the socket was set; a pattern acts on those it owns. True when it was one of them."""
        return False

    def policy_changes(self, pipe: Pipe, change: int) -> None:
        """The overflow policy of a pipe is about to change (-1), or has changed (1); publishers count some."""

    def setting_changed(self, name: str) -> None:
        """A setting of the queues (`overflow`, `last_value_cache` ...) was changed; a pattern acts on those it owns."""

    def greet(self, pipe: Pipe) -> None:
        """Queue HELLO_MSG before everything else for this peer; to be called by `connected`, so once per connection."""
        hello = self.options.hello_msg
        if not hello or self.type_name not in _GREETING:
            return
        outbound = pipe.outbound
        if type(outbound) is list:
            if outbound and outbound[0] is hello:  # of a connection that was lost before it left
                return
            outbound.insert(0, hello)
        elif outbound.maxlen is None or not outbound:  # with CONFLATE the last message is all that counts
            outbound.appendleft(hello)
        if pipe.quiet:
            pipe.carrier.handle_write(pipe)

    def note_disconnect(self, pipe: Pipe) -> None:
        """Give our application DISCONNECT_MSG behind the last message of an accepted peer; to be called by `detach`.

        Not for a peer that we sent away ourselves (unbind): its pipe isn't marked as ended yet when it's detached.
        """
        message = self.options.disconnect_msg
        if message and pipe.ended and self.type_name in _NOTING_DISCONNECT and _is_accepted(pipe):
            self._inject(pipe, message)

    def note_hiccup(self, pipe: Pipe) -> None:
        """Give our application HICCUP_MSG behind the last message of a lost connection; to be called by `hiccup`.

        The engine calls it, too: for a pipe that ends with its connection (IMMEDIATE).
        """
        message = self.options.hiccup_msg
        if message and self.type_name in _NOTING_HICCUP:
            self._inject(pipe, message)

    def _inject(self, pipe: Pipe, message: bytes) -> None:
        pipe.inbound.append(message)
        self.inbox.activate(pipe)

    # -- receiving ---------------------------------------------------------------------------------------------

    def try_recv(self) -> Message | None:
        """The next message, or None.

        Raises:
            ZMQError: EFSM when the pattern's state forbids receiving now.
        """
        inbox = self.inbox
        if self.take_origin:
            taken = inbox.take()
            if taken is None:
                return None
            self.last_pipe = taken[0]
            message: Message = taken[1]
            return message
        self.is_unread = False
        while inbox.ready or inbox.refill():
            try:
                head: Any = inbox.ready.popleft()
            except IndexError:  # another thread's fast path was quicker
                continue
            if type(head) is RoomMarker:
                head.wake()
                continue
            message = head
            self.last_pipe = inbox.short_cut
            return message
        return None

    def put_back(self, messages: list[Message]) -> None:
        """Undo the end of a `try_recv_many`: the last of `messages` comes next again, before what was put back earlier.

        It leaves the list in the call of C that queues it: no signal handler runs while it's in neither, or in both.
        """
        self.inbox.ready.extendleft(map(messages.pop, LAST))

    def try_recv_many(self, limit: int) -> list[Any]:
        """What is there now, at most `limit` messages; for those that move whole batches, as proxies."""
        messages: list[Any] = []
        if not self.fast_recv or self.take_origin:
            while len(messages) < limit and self.may_receive() and (message := self.try_recv()) is not None:
                messages.append(message)
            return messages
        inbox = self.inbox
        while len(messages) < limit and inbox.refill():
            ready = inbox.ready
            count = min(limit - len(messages), len(ready))
            try:
                messages.extend(starmap(ready.popleft, repeat((), count)))  # in C; keeps what came before an IndexError
            except IndexError:  # another thread's fast path was quicker
                continue
        if RoomMarker in set(map(type, messages)):
            for marker in messages:
                if type(marker) is RoomMarker:
                    marker.wake()
            messages = [message for message in messages if type(message) is not RoomMarker]
        self.last_pipe = inbox.short_cut
        return messages

    def may_receive(self) -> bool:
        """Whether the pattern's state allows receiving at all; a hint, without the lease."""
        return True

    def can_recv(self) -> bool:
        """Whether `try_recv` would give a message (POLLIN). It must not cost a message the pipe that it came by."""
        return self.inbox.peek() if self.take_origin or self.is_unread else self.inbox.has_messages()

    # -- sending -----------------------------------------------------------------------------------------------

    def check_send(self) -> None:
        """Raise ENOTSUP or EFSM when nothing may be sent now; called before the first part is taken."""
        if not self.can_transmit:
            raise make_error(ENOTSUP, f"a {self.type_name} socket can't send")

    def check_recv(self) -> None:
        """Raise ENOTSUP or EFSM when nothing may be received now."""
        if not self.can_receive:
            raise make_error(ENOTSUP, f"a {self.type_name} socket can't receive")

    def try_send(self, message: Message) -> bool:
        """Hand the message to the pipes it is for; False when the caller must wait for room or for a peer."""
        raise make_error(ENOTSUP, f"a {self.type_name} socket can't send")

    def try_send_many(self, messages: list[Any]) -> int:
        """Send from the front of a list until one must wait; how many were sent.

        For those that pass on what others sent, as proxies: what can't be sent at all (`undeliverable`) is dropped and
        counted, for there is nobody to tell; with the overflow policy `error` they wait.
        """
        try_send = self.try_send
        for count, message in enumerate(messages):
            try:
                if not try_send(message):
                    return count
            except Again:
                return count
            except ZMQError as error:
                if error.errno not in self.undeliverable:
                    raise
                self.drop(1, DropReason.UNROUTABLE)
        return len(messages)

    def can_send(self) -> bool:
        """Whether `try_send` would succeed (POLLOUT)."""
        return False

    def fast_target(self) -> FastTarget | None:
        """What `send` may append single-part messages to without the lease, while nothing changes; None if nothing."""
        return None

    def why_blocked(self) -> str:
        """Why `try_send` said False, for the text of Again."""
        return "no peer is connected"


def _is_accepted(pipe: Pipe) -> bool:
    """Whether the peer came to us: over a listener, or to a bound inproc name."""
    carrier = pipe.carrier
    if getattr(carrier, "is_direct", False):
        return bool(carrier.accepted)
    return getattr(carrier, "dialer", None) is None


def _nothing(*_: object) -> None:
    """Stand-in until a socket listens."""
