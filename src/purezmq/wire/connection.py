"""The ZMTP connection: bytes in, messages and events out; messages in, chunks out. Sans-I/O, time is an argument.

What may not live here: frames (``framing``, ``framing_fast``), the greeting (``greeting``), mechanisms, the table of
states (``state``), any I/O.
"""

from __future__ import annotations

from collections import deque

from purezmq.wire import commands, framing
from purezmq.wire.encoding_fast import encode_batch
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import (
    AuthenticationNeeded,
    Cancelled,
    ConnectionFailed,
    FailureReason,
    HandshakeSucceeded,
    Joined,
    Left,
    MessagesDropped,
    PeerInfo,
    Ponged,
    Subscribed,
)
from purezmq.wire.framing_fast import FastFrameDecoder
from purezmq.wire.greeting import V1, V3_0, V3_1, Greeting
from purezmq.wire.heartbeat import Heartbeat
from purezmq.wire.limits import (
    EARLY_READ_SIZE,
    HEARTBEAT_CONTEXT_SIZE,
    MAX_ERROR_REASON_SIZE,
    MAX_GROUP_SIZE,
    MAX_HANDSHAKE_FRAME_SIZE,
    MAX_OUTSTANDING_PINGS,
    MAX_ROUTING_ID_SIZE,
    UNLIMITED,
)
from purezmq.wire.mechanisms import create_mechanism
from purezmq.wire.sifting import SIFTED_TYPES, count_grouped, take_subscriptions
from purezmq.wire.state import TRANSITIONS, Input, State

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Buffer

    from purezmq.wire.config import ConnectionConfig
    from purezmq.wire.events import Event
    from purezmq.wire.framing import FrameDecoder
    from purezmq.wire.framing_sealed import SealedFrameDecoder
    from purezmq.wire.mechanisms import Mechanism
    from purezmq.wire.mechanisms.cipher import FrameCipher
    from purezmq.wire.verdict import Verdict

    Message = bytes | list[bytes]

__all__ = ["Connection"]


def _refuse_to_encode(messages: Sequence[Message]) -> list[Buffer]:
    text = f"{len(messages)} messages to encode, but the connection is not ready"
    raise RuntimeError(text)


class Connection:
    """One ZMTP connection, either side.

    Args:
        config: settings, shared with other connections.
        bound: True when a listener of ours accepted it.

    Attributes:
        ready: the handshake is over and messages may flow.
        closed: it's over; whatever is received is ignored.
        peer: what the handshake told about the peer, or None before its end.
        read_size: how many bytes to read next: inside a large body exactly what is missing, after one just a
            header, or under a cipher as much again.
        has_buffered: bytes are waiting that ``receive_data(b"", now)`` can decode.
        shares_encoding: what ``encode`` returns fits every other connection for which this is True, too.
        encode: ``encode(messages)`` turns a batch (single bodies, or lists of parts) into few chunks to send, in order.
            Parts are bytes, bytearrays or memoryviews of bytes. Raises RuntimeError before the handshake's end.
    """

    __slots__ = (
        "_cipher", "_commands", "_deadline", "_decoder", "_events", "_greeting", "_heartbeat", "_is_sifting",
        "_mechanism", "_outgoing", "_pings", "_pong", "_state", "_takes_subscriptions", "bound", "closed", "config",
        "encode", "peer", "ready", "shares_encoding",
    )  # fmt: skip

    encode: Callable[[Sequence[Message]], list[Buffer]]

    def __init__(self, config: ConnectionConfig, *, bound: bool) -> None:
        self.config = config
        self.bound = bound
        self.ready = False
        self.closed = False
        self.peer: PeerInfo | None = None
        self.shares_encoding = False
        self.encode = _refuse_to_encode
        self._state = State.INITIAL
        self._takes_subscriptions = config.socket_type in ("PUB", "XPUB")
        self._is_sifting = self._takes_subscriptions or config.socket_type in SIFTED_TYPES
        self._greeting: Greeting | None = Greeting(config)  # dropped when ready
        self._mechanism: Mechanism | None = None  # dropped when ready, with its keys
        self._cipher: FrameCipher | None = None
        self._decoder: FastFrameDecoder | FrameDecoder | SealedFrameDecoder | None = None
        self._heartbeat: Heartbeat | None = None
        self._deadline: float | None = None
        self._events: deque[Event] | None = None
        self._outgoing: list[Buffer] | None = None
        self._commands: list[bytes] | None = None  # those to be sealed when they leave, see `_send_command`
        self._pong: bytes | None = None  # the context of a PONG that waits to be sent
        self._pings: deque[bytes] | None = None  # contexts of `send_ping` that were not echoed yet

    def __repr__(self) -> str:
        side = "bound" if self.bound else "connected"
        return f"<Connection {self.config.socket_type} {side} {self._state.name} peer={self.peer!r}>"

    @property
    def state(self) -> State:
        """Where the connection is in its life."""
        return self._state

    # --- data plane -------------------------------------------------------------------------------

    @property
    def early_size(self) -> int:
        """Bytes that the peer has sent before the end of its handshake; 0 after that."""
        return 0 if self._greeting is None else self._greeting.size

    @property
    def read_size(self) -> int:
        """How many bytes to read next."""
        decoder = self._decoder
        return EARLY_READ_SIZE if decoder is None or self._greeting is not None else decoder.read_size

    @property
    def has_buffered(self) -> bool:
        """Whether bytes are waiting that a limit kept from being decoded."""
        decoder = self._decoder
        return decoder is not None and decoder.has_buffered

    @property
    def frame_overhead(self) -> int:
        """By how much the body of each frame grows on the wire."""
        return 0 if self._cipher is None else self._cipher.overhead

    @property
    def has_control(self) -> bool:
        """Whether an event or control output waits; asked once per read, so that a plain read costs no more."""
        return self._events is not None or self._outgoing is not None or self._commands is not None

    def receive_data(self, data: bytes, now: float, limit: int = UNLIMITED) -> list[Message]:
        """Take bytes of the peer. Never raises for what a peer sent.

        Args:
            data: bytes received; empty to go on after ``limit``.
            now: seconds of a monotonic clock.
            limit: most messages to return, at least 1; the rest stays undecoded, see ``has_buffered``.

        Returns:
            Messages in order. Subscriptions that PUB and XPUB receive are events, not messages. After a violation,
            the messages before it; the connection is then closed and ConnectionFailed queued.
        """
        if not self.ready:
            return self._receive_early(data, now, limit)
        heartbeat = self._heartbeat
        if heartbeat is not None and data:
            heartbeat.last_received = now
        decoder = self._decoder
        assert decoder is not None  # ready means there is one
        messages = decoder.decode(data, limit)
        if decoder.command is None and decoder.failure is None and not self._is_sifting:
            return messages
        return self._receive_slowly(messages, now, limit)

    def encode_subscription(self, topic: bytes, subscribe: bool) -> bytes:  # reads well: (b"news", True)
        """Encode a subscription or its cancellation as the peer's version wants it.

        Args:
            topic: prefix of messages; for a DISH the group.
            subscribe: True for a subscription, False for its cancellation.

        Returns:
            A SUBSCRIBE or CANCEL command from ZMTP 3.1 on, otherwise an 0x01 or 0x00 message. Of a DISH, a JOIN or
            LEAVE command, and nothing for a peer before ZMTP 3.0, which has no commands.

        Raises:
            RuntimeError: before the end of the handshake.
        """
        peer = self.peer
        if peer is None:
            text = "no subscription can be encoded: the connection is not ready"
            raise RuntimeError(text)
        if self.config.socket_type == "DISH":
            if peer.version < V3_0:
                return b""
            body = commands.encode_join(topic) if subscribe else commands.encode_leave(topic)
            return self._encode_frame(framing.COMMAND, body)
        if peer.version >= V3_1:
            body = commands.encode_subscribe(topic) if subscribe else commands.encode_cancel(topic)
            return self._encode_frame(framing.COMMAND, body)
        return self._encode_frame(0, (b"\x01" if subscribe else b"\x00") + topic)

    def encode_refusal(self, text: str) -> bytes:
        """Encode the last words to a peer that our pattern doesn't take: an ERROR command.

        libzmq ignores it after the handshake; our own side makes a ConnectionFailed of it.

        Args:
            text: why; cut where an ERROR has no room for more.

        Returns:
            Nothing for a peer before ZMTP 3.0, which has no commands.
        """
        if self.peer is None or self.peer.version < V3_0:
            return b""
        return self._encode_frame(framing.COMMAND, commands.encode_error(text.encode()[:MAX_ERROR_REASON_SIZE]))

    # --- control plane ----------------------------------------------------------------------------

    def send_ping(self, context: bytes) -> None:
        """Queue a PING; a peer that has handled everything sent before it echoes it, which is told by `Ponged`.

        Of more than `MAX_OUTSTANDING_PINGS` without an echo the oldest are forgotten: a later echo tells as much.

        Args:
            context: 1 to 16 bytes that the peer echoes.

        Raises:
            ValueError: the context is empty or too long.
            RuntimeError: before the end of the handshake, or the peer speaks less than ZMTP 3.0 and has no PING.
        """
        if not 0 < len(context) <= HEARTBEAT_CONTEXT_SIZE:
            text = f"the context of a PING has 1 to {HEARTBEAT_CONTEXT_SIZE} bytes, not {len(context)}"
            raise ValueError(text)
        if self.peer is None or self.peer.version < V3_0:
            text = "no PING can be sent: the connection is not ready, or the peer has none"
            raise RuntimeError(text)
        if self._pings is None:
            self._pings = deque(maxlen=MAX_OUTSTANDING_PINGS)
        self._pings.append(context)
        self._send_command(commands.encode_ping(0, context))

    def start(self, now: float) -> None:
        """Queue the greeting and start the handshake's clock.

        Args:
            now: seconds of a monotonic clock.
        """
        self._move(Input.SEND_GREETING)
        assert self._greeting is not None  # dropped when ready
        self._send(self._greeting.encode_start())
        self._deadline = self._greeting.start(now, bound=self.bound)

    def data_to_send(self, *, keeps_pong: bool = False) -> list[Buffer]:
        """Return what the control plane wants sent (greeting, READY, PING, PONG), and forget it.

        It may go out before or after any chunk of ``encode``, never inside one; under a cipher, in the order in which
        both were asked for.

        Args:
            keeps_pong: a PONG waits: the peer doesn't take what was sent before, and one will do for many PINGs; or
                what came before its PING has yet to be handled.
        """
        unsealed, self._commands = self._commands, None
        for body in unsealed or ():
            self._send(self._encode_frame(framing.COMMAND, body))
        outgoing = self._outgoing
        if outgoing is None:
            return []
        self._outgoing = None
        if self._pong is not None:
            if keeps_pong:
                self._outgoing = []
                return outgoing
            outgoing.append(self._encode_frame(framing.COMMAND, commands.encode_pong(self._pong)))
            self._pong = None
        return outgoing

    def next_event(self) -> Event | None:
        """Return the next event, or None."""
        events = self._events
        if events is None:
            return None
        event = events.popleft()
        if not events:
            self._events = None  # an idle connection must stay small
        return event

    def next_timer(self) -> float | None:
        """Return when ``handle_timer`` is to be called next, or None."""
        if self._deadline is not None:
            return self._deadline
        return None if self._heartbeat is None else self._heartbeat.next_timer()

    def note_alive(self, now: float) -> None:
        """The owner holds back what the peer sent: its silence counts from now.

        Args:
            now: seconds of a monotonic clock.
        """
        if self._heartbeat is not None:
            self._heartbeat.last_received = now

    def handle_timer(self, now: float) -> None:
        """Do what is due: end a late handshake or a dead peer's connection, queue a PING. Harmless when nothing is.

        Read what the socket holds before: our own pause (a long call under the GIL) isn't the peer's silence.

        Args:
            now: seconds of a monotonic clock.
        """
        if self._deadline is not None and now >= self._deadline:
            assert self._greeting is not None  # a deadline means that the handshake goes on
            self._fail(self._greeting.too_late(is_over=self._state is State.HANDSHAKE))
            return
        heartbeat = self._heartbeat
        if heartbeat is None:
            return
        deadline = heartbeat.deadline()
        if deadline is not None and now >= deadline:
            text = f"nothing came from the peer for {now - heartbeat.last_received:.3f} s"
            self._fail(RemoteProtocolError(FailureReason.HEARTBEAT, text))
        elif heartbeat.is_ping_due(now):
            self._send_command(commands.encode_ping(self.config.heartbeat_ttl))

    def close(self) -> None:
        """End the connection from our side, without an event. Idempotent."""
        self._close(Input.CLOSE)

    # --- handshake --------------------------------------------------------------------------------

    def authorize(self, verdict: Verdict, now: float) -> None:
        """Say what was decided about the peer, after `AuthenticationNeeded`. Without effect when it has left meanwhile.

        Args:
            verdict: only the status 200 lets the peer in; otherwise ConnectionFailed is queued.
            now: seconds of a monotonic clock.
        """
        mechanism, greeting = self._mechanism, self._greeting
        if self._state is not State.HANDSHAKE or mechanism is None or mechanism.credentials is None:
            return
        assert greeting is not None  # dropped when ready
        try:
            for reply in mechanism.receive_verdict(verdict):
                self._send(framing.encode_frame(framing.COMMAND, reply))
            if mechanism.refusal is not None:
                raise mechanism.refusal
            if mechanism.done:
                self._become_ready(mechanism.describe_peer(greeting.version), greeting, now)
        except RemoteProtocolError as error:
            self._fail(error)

    def _receive_early(self, data: bytes, now: float, limit: int) -> list[Message]:
        """Receive in any state but READY."""
        greeting = self._greeting
        if self.closed or greeting is None:
            return []
        greeting.size += len(data)
        try:
            if self._state is not State.HANDSHAKE:
                if self._state is State.INITIAL:
                    text = "receive_data before start"
                    raise RuntimeError(text)
                rest = greeting.receive(data, self._send)
                if rest is None:
                    return []
                self._move(Input.RECV_GREETING)
                self._deadline = greeting.deadline
                self._start_handshake(greeting)
                data = rest
            if not self._receive_handshake(data, now):
                greeting.check_size()
                return []
        except RemoteProtocolError as error:
            self._fail(error)
            return []
        return self.receive_data(b"", now, limit)

    def _start_handshake(self, greeting: Greeting) -> None:
        """Send what follows the greetings, and choose the framing."""
        routing_id = self.config.routing_id
        if greeting.version >= V3_0:
            mechanism = self._mechanism = create_mechanism(self.config, bound=self.bound)
            is_exact = self.config.checks_each_frame() and not mechanism.seals  # sealed frames are counted when opened
            self._decoder = (framing.FrameDecoder if is_exact else FastFrameDecoder)(MAX_HANDSHAKE_FRAME_SIZE)
            for body in mechanism.start():
                self._send(framing.encode_frame(framing.COMMAND, body))
            self._ask_about(mechanism)
        elif greeting.version == V1:
            self._decoder = framing.FrameDecoderV1(MAX_HANDSHAKE_FRAME_SIZE)
            # Our signature was already the header of our identity if the peer knows no versions.
            self._send(routing_id if greeting.unversioned else framing.encode_frame_v1(0, routing_id))
        else:
            decoder = framing.FrameDecoder if self.config.checks_each_frame() else FastFrameDecoder
            self._decoder = decoder(MAX_HANDSHAKE_FRAME_SIZE)
            self._send(framing.encode_frame(0, routing_id))

    def _receive_handshake(self, data: bytes, now: float) -> bool:
        """Take the peer's part of the handshake; tell whether it's over."""
        decoder, greeting, mechanism = self._decoder, self._greeting, self._mechanism
        assert decoder is not None  # made by _start_handshake
        assert greeting is not None  # dropped when ready
        while True:
            messages = decoder.decode(data, 1)
            command, decoder.command = decoder.command, None
            if messages and mechanism is None:
                self._become_ready(self._describe_old_peer(messages[0], greeting), greeting, now)
                return True
            if command is not None and mechanism is not None:
                is_asked = mechanism.credentials is not None
                for reply in mechanism.receive_command(command):
                    self._send(framing.encode_frame(framing.COMMAND, reply))
                if not is_asked:
                    self._ask_about(mechanism)
                if mechanism.done:
                    self._become_ready(mechanism.describe_peer(greeting.version), greeting, now)
                    return True
            elif messages or command is not None:
                what = "message" if messages else "command"
                raise RemoteProtocolError(FailureReason.PROTOCOL, f"unexpected {what} before the end of the handshake")
            elif decoder.failure is not None:
                raise decoder.failure
            else:
                return False
            data = b""

    def _ask_about(self, mechanism: Mechanism) -> None:
        """Have the owner decide about the peer, when the mechanism waits for that."""
        if mechanism.credentials is not None:
            self._queue(AuthenticationNeeded(mechanism.name, mechanism.credentials))

    def _describe_old_peer(self, identity: Message, greeting: Greeting) -> PeerInfo:
        """Make the description of a ZMTP 1.0 or 2.0 peer; like libzmq, don't judge by its socket type."""
        if isinstance(identity, list) or len(identity) > MAX_ROUTING_ID_SIZE:
            raise RemoteProtocolError(FailureReason.PROTOCOL, "identity is multipart or longer than 255 bytes")
        return PeerInfo(greeting.socket_type, identity, greeting.version, "")

    def _become_ready(self, peer: PeerInfo, greeting: Greeting, now: float) -> None:
        self._move(Input.RECV_READY)
        config, mechanism, decoder = self.config, self._mechanism, self._decoder
        assert decoder is not None  # made by _start_handshake
        self.peer = peer
        self._deadline = self._greeting = self._mechanism = None
        cipher = self._cipher = None if mechanism is None else mechanism.cipher
        decoder.max_size = config.max_message_size
        decoder.max_parts, decoder.max_multipart_bytes = config.max_parts, config.max_multipart_bytes
        if peer.version == V1:
            self.encode = framing.encode_batch_v1
        elif cipher is not None:
            from purezmq.wire.framing_sealed import SealedFrameDecoder

            assert type(decoder) is FastFrameDecoder  # chosen by _start_handshake
            sealed = self._decoder = SealedFrameDecoder(decoder, cipher, config.max_message_size)
            sealed.max_parts, sealed.max_multipart_bytes = config.max_parts, config.max_multipart_bytes
            self.encode = cipher.encode_batch
        else:
            self.encode = encode_batch
            self.shares_encoding = True
        if config.heartbeat_interval is not None and peer.version >= V3_0:
            self._heartbeat = Heartbeat(now, config.heartbeat_interval, config.heartbeat_timeout)
        self.ready = True  # last: what fails on the way leaves a connection that takes nothing
        self._queue(HandshakeSucceeded(peer))
        if greeting.unversioned and self._takes_subscriptions:
            # ZeroMQ 2.x filters at the subscriber and never tells: it wants everything.
            self._queue(Subscribed(b""))

    # --- commands and subscriptions -----------------------------------------------------------------

    def _receive_slowly(self, messages: list[Message], now: float, limit: int) -> list[Message]:
        """Go on after a decode that ended at a command or a violation, or that may have brought subscriptions."""
        decoder = self._decoder
        assert decoder is not None  # ready means there is one
        kept = self._sift(messages) if self._is_sifting else messages
        try:
            # When nothing is kept of a whole batch, what the limit held back is looked at, too: nobody would ask.
            while decoder.command is not None or (messages and not kept and decoder.failure is None):
                command, decoder.command = decoder.command, None
                if command is not None:
                    self._receive_command(command, now)
                if len(kept) >= limit:
                    break
                messages = decoder.decode(b"", limit - len(kept))
                kept += self._sift(messages) if self._is_sifting else messages
            if decoder.failure is not None:
                raise decoder.failure
        except RemoteProtocolError as error:
            self._fail(error)
        return kept

    def _receive_command(self, body: bytes, now: float) -> None:
        """Take a command after the handshake; ignore unknown ones and those our socket type has no use for."""
        name, data = commands.split_command(body)
        if name in (b"SUBSCRIBE", b"CANCEL"):
            if self._takes_subscriptions:
                self._queue(Subscribed(data) if name == b"SUBSCRIBE" else Cancelled(data))
        elif name == b"PING":
            ttl, context = commands.decode_ping(data)
            if ttl and self._heartbeat is None:
                self._heartbeat = Heartbeat(now, None, 0.0)
            if self._heartbeat is not None:
                self._heartbeat.peer_ttl = ttl or None
            self._pong = context  # one for all that weren't answered yet: a flood of PINGs is no flood of PONGs
            self._outgoing = self._outgoing or []
        elif name == b"PONG":
            self._receive_pong(data)
        elif name in (b"JOIN", b"LEAVE"):
            if self.config.socket_type == "RADIO":
                if len(data) > MAX_GROUP_SIZE:
                    raise RemoteProtocolError(FailureReason.PROTOCOL, "group is longer than 255 bytes")
                self._queue(Joined(data) if name == b"JOIN" else Left(data))
        elif name == b"ERROR":
            raise commands.decode_error(data)
        elif name == b"READY":
            raise RemoteProtocolError(FailureReason.PROTOCOL, "READY after the end of the handshake")

    def _receive_pong(self, context: bytes) -> None:
        """An echo of a PING of ours answers for those before it, too; any other PONG is a heartbeat's, or nothing."""
        pings = self._pings
        if pings is None or context not in pings:
            return
        while pings.popleft() != context:
            pass
        if not pings:
            self._pings = None  # an idle connection must stay small
        self._queue(Ponged(context))

    def _sift(self, messages: list[Message]) -> list[Message]:
        """Look at the messages that came, on the types where not every message is for the application."""
        if self.config.socket_type == "DISH":
            kept = list(messages[: count_grouped(messages)])
            if len(kept) < len(messages):
                decoder = self._decoder
                assert decoder is not None  # ready means there is one
                text = "a RADIO message is a group of at most 255 bytes and a body"
                decoder.failure = RemoteProtocolError(FailureReason.PROTOCOL, text)
                decoder.command = None
            return kept
        if self._takes_subscriptions:
            kept = take_subscriptions(messages, self._queue)
            if self.config.socket_type == "XPUB":
                return kept
            dropped, kept = len(kept), []  # a PUB has nobody to give them to
        else:
            kept = [message for message in messages if type(message) is bytes]
            dropped = len(messages) - len(kept)
        if dropped:
            self._queue(MessagesDropped(dropped))
        return kept

    # --- inside -----------------------------------------------------------------------------------

    def _move(self, step: Input) -> None:
        try:
            self._state = TRANSITIONS[self._state, step]
        except KeyError:
            text = f"can't {step.value} in state {self._state.name}"
            raise RuntimeError(text) from None

    def _send(self, data: bytes) -> None:
        if self._outgoing is None:
            self._outgoing = []
        self._outgoing.append(data)

    def _send_command(self, body: bytes) -> None:
        """Queue a command. A sealed frame must leave before whatever is sealed later, so that is done at the last."""
        if self._cipher is None:
            self._send(self._encode_frame(framing.COMMAND, body))
        elif self._commands is None:
            self._commands = [body]
        else:
            self._commands.append(body)

    def _encode_frame(self, flags: int, body: bytes) -> bytes:
        """Encode one frame after the handshake, as this connection's framing and mechanism want it."""
        if self.peer is not None and self.peer.version == V1:
            return framing.encode_frame_v1(flags & framing.MORE, body)
        if self._cipher is not None:
            flags, body = self._cipher.encode_frame(flags, body)
        return framing.encode_frame(flags, body)

    def _queue(self, event: Event) -> None:
        if self._events is None:
            self._events = deque()
        self._events.append(event)

    def _close(self, step: Input) -> None:
        self._move(step)
        self.ready = self.shares_encoding = False
        self.closed = True
        self._deadline = self._heartbeat = self._decoder = self._greeting = self._mechanism = self._commands = None
        self.encode = _refuse_to_encode

    def _fail(self, error: RemoteProtocolError) -> None:
        self._close(Input.FAIL)
        self._queue(ConnectionFailed(error.reason, error.text, error.status, error.limit))
