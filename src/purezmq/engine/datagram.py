"""A datagram endpoint of a socket: one descriptor and one pipe. No connection, no handshake, nobody to lose.

To the socket's engine it looks like a session: it reads into the pipe's inbound queue until RCVHWM (then the system
drops what comes), and writes what is queued, in the sending thread, one system call per message. What the network says
about a datagram is counted and nothing ends by it. What is in a datagram is the codecs' matter, below and in
`wire/datagram.py`. Everything here needs the lease.
"""

from __future__ import annotations

from errno import EINVAL, EMSGSIZE, ENOENT
from time import monotonic

from purezmq.constants import Event
from purezmq.engine.fence import is_interruption, report
from purezmq.engine.inbox import deliver_by_policy, refill_inbound
from purezmq.engine.outbox import take_batch
from purezmq.engine.selector import READ, WRITE
from purezmq.engine.stranger import find_sender
from purezmq.error import ZMQError, make_error
from purezmq.pipe import BLOCK, DropReason
from purezmq.transports.registry import get_datagram_transport
from purezmq.wire.datagram import (
    MAX_DATAGRAM_BODY_SIZE,
    MAX_GROUP_DATAGRAM_SIZE,
    decode_group_datagram,
    decode_peer,
    encode_group_datagram,
    encode_peer,
    group_datagram_size,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from purezmq.endpoint import Endpoint
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.pipe import Pipe
    from purezmq.transports.datagram import DatagramSocket

    class Codec(Protocol):
        """What the messages of a socket type look like in datagrams."""

        shares_encoding: bool
        ready: bool
        malformed: int

        def decode(self, data: bytes, sender: Any) -> list[bytes] | None:
            """The message of a datagram; None when it is none, or nobody wants it."""

        def encode(self, message: Any) -> tuple[bytes, Any] | None:
            """The datagram of a message and whom it is for (None: the endpoint); None when there can't be one."""

        def check(self, message: Any) -> None:
            """Raise EINVAL or EMSGSIZE for what can't be sent."""


__all__ = ["DatagramSession", "GroupCodec", "PlainCodec", "end_datagram", "open_datagram"]

#: Datagrams read per turn: bounded work, so that a flood can't hold up the socket's other peers.
READS_PER_TURN = 256
#: Peers whose texts and addresses are remembered; then the memory begins anew.
REMEMBERED_PEERS = 1024


class GroupCodec:
    """RADIO and DISH: ``[group, body]``.

    Args:
        groups: what the DISH joined, live: the rest is not even queued. None for a RADIO.
    """

    __slots__ = ("groups", "malformed")

    shares_encoding = False
    ready = True

    def __init__(self, groups: set[bytes] | None) -> None:
        self.groups = groups
        #: Datagrams that were none.
        self.malformed = 0

    def decode(self, data: bytes, sender: Any) -> list[bytes] | None:
        """The message, if it is one and its group was joined."""
        message = decode_group_datagram(data)
        if message is None:
            self.malformed += 1
        elif self.groups is None or message[0] in self.groups:
            return message
        return None

    def encode(self, message: Any) -> tuple[bytes, Any] | None:
        """The datagram, for the endpoint."""
        group, body = message
        if group_datagram_size(group, body) > MAX_GROUP_DATAGRAM_SIZE:
            return None
        return encode_group_datagram(group, body), None

    def check(self, message: Any) -> None:
        """Refuse what no receiver would read.

        Raises:
            ZMQError: EMSGSIZE.
        """
        group, body = message
        size = group_datagram_size(group, body)
        if size > MAX_GROUP_DATAGRAM_SIZE:
            raise make_error(
                EMSGSIZE,
                f"a message of {len(body)} bytes does not fit a udp datagram: with its group and one more byte it "
                f"takes {size}, the limit of RADIO and DISH is {MAX_GROUP_DATAGRAM_SIZE}; send it in pieces, or by tcp",
            )


class PlainCodec:
    """DGRAM: ``[b"ip:port", body]``.

    Args:
        stream: knows how the addresses of its family are written.
    """

    __slots__ = ("_addresses", "_names", "_stream", "malformed")

    shares_encoding = False
    ready = True

    def __init__(self, stream: DatagramSocket) -> None:
        self._stream = stream
        self._names: dict[Any, bytes] = {}
        self._addresses: dict[bytes, Any] = {}
        self.malformed = 0

    def decode(self, data: bytes, sender: Any) -> list[bytes] | None:
        """The message; the sender's address in front, ended by NUL as libzmq does."""
        name = self._names.get(sender)
        if name is None:
            if len(self._names) >= REMEMBERED_PEERS:
                self._names.clear()
            name = self._names[sender] = encode_peer(self._stream.format_peer(sender))
        return [name, data]

    def encode(self, message: Any) -> tuple[bytes, Any] | None:
        """The body, for the peer that the first part names."""
        address = self._find_address(message[0])
        return (message[1], address) if address is not None else None

    def check(self, message: Any) -> None:
        """Refuse what names no peer, and what no datagram holds.

        Raises:
            ZMQError: EINVAL, EMSGSIZE.
        """
        if self._find_address(message[0]) is None:
            raise make_error(
                EINVAL,
                f"{bytes(message[0])[:64]!r} names no peer that this DGRAM socket can send to; the first part of a "
                "message is an address in figures, as b'127.0.0.1:5555' or b'[::1]:5555', of the family that is bound",
            )
        size = len(message[1])
        if size > MAX_DATAGRAM_BODY_SIZE:
            raise make_error(
                EMSGSIZE, f"a body of {size} bytes does not fit a udp datagram; the limit is {MAX_DATAGRAM_BODY_SIZE}"
            )

    def _find_address(self, part: Any) -> Any:
        name = part if type(part) is bytes else bytes(part)
        address = self._addresses.get(name)
        if address is None:
            text = decode_peer(name)
            address = self._stream.parse_peer(text) if text is not None else None
            if address is not None:
                if len(self._addresses) >= REMEMBERED_PEERS:
                    self._addresses.clear()
                self._addresses[name] = address
        return address


class DatagramSession:
    """See the module's text.

    Args:
        engine: of the socket.
        stream: the transport's socket.
        text: what the application gave to bind() or connect().
        codec: of the socket's type.
        bound: it receives (and may send); otherwise it only sends.

    Attributes:
        connection: the codec, under the name that the engine looks for.
        dialer: None: nothing is dialed.
        is_lossy: what the system takes not now is dropped; otherwise it waits in the pipe.
    """

    __slots__ = (
        "bound", "connection", "ending", "endpoint", "engine", "fd", "mask", "overflow", "pipe", "stream", "text",
    )  # fmt: skip

    takes_every_group = True
    dialer = None

    def __init__(self, engine: SocketEngine, stream: DatagramSocket, text: str, codec: Codec, *, bound: bool) -> None:
        # Any: the engine calls every session a Session, and this one has what it calls.
        self.engine: Any = engine
        self.stream: DatagramSocket | None = stream
        self.endpoint = stream.endpoint
        self.text = text
        self.connection: Any = codec
        self.bound = bound
        self.ending = False
        self.fd = stream.fileno()
        self.mask = READ if bound else 0
        self.overflow = ""
        self.pipe: Pipe | None = None

    def __repr__(self) -> str:
        return f"<DatagramSession {self.endpoint} {self.pipe!r}>"

    @property
    def is_lossy(self) -> bool:
        """A RADIO drops what it can't send at once, unless XPUB_NODROP says to wait; a DGRAM waits."""
        if self.engine.pattern.type_name != "RADIO" or self.engine.options.xpub_nodrop:
            return False
        return self.pipe is None or not self.pipe.has_own_policy

    def start(self) -> None:
        """Receive and send from now on."""
        engine = self.engine
        engine.sessions[self.fd] = self
        if self.mask:
            engine.leadership.register(self.fd, self.mask, self)
        if engine.stranger is None and self.mask & READ:
            engine.stranger = find_sender(str(self.endpoint))
        engine.attach(engine.queues.make_pipe(self))

    def handle_event(self, mask: int, now: float) -> None:
        """The descriptor is readable, writable or has an error to tell."""
        try:
            if mask & ~WRITE:
                self._read()
            if mask & WRITE and self.stream is not None:
                self.flush(now)
                self.engine.handle_room()  # some of it, at least
        except Exception as error:  # the fence: a datagram may be lost, the endpoint stays
            if is_interruption(error):
                raise
            report(f"a datagram of {self.endpoint}", error)

    # -- incoming --------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        stream, pipe = self.stream, self.pipe
        if stream is None or pipe is None:
            return
        count = READS_PER_TURN
        if pipe.receive_limit and self.bound and pipe.receive_policy == BLOCK:
            count = min(count, pipe.receive_limit - len(pipe.inbound))
        if count <= 0 or not self.mask & READ:
            stream.clear_error()
            if self.mask & READ:
                self._set_interest(self.mask & ~READ)
                self.engine.stalled.add(self)
            return
        decode, receive = self.connection.decode, stream.try_receive
        messages: list[Any] = []
        try:
            for _ in range(count):
                datagram = receive()
                if datagram is None:
                    break
                message = decode(*datagram)
                if message is not None:
                    messages.append(message)
        finally:  # Ctrl-C, too
            if messages:
                pipe.received += len(messages)
                deliver_by_policy(pipe, messages)
                if pipe.receive_swap is not None:
                    self.engine.stalled.add(self)
                if not pipe.active:
                    self.engine.inbox.activate(pipe)
                self.engine.leadership.wake()

    def handle_drained(self, pipe: Pipe) -> None:
        """The application took everything: read on where reading was paused."""
        if pipe.receive_swap is not None:
            refill_inbound(pipe)
        if pipe.receive_meter is not None:
            pipe.receive_meter.settle(len(pipe.inbound))
        if self in self.engine.stalled and pipe.receive_swap is None:
            self.engine.stalled.discard(self)
            if self.stream is not None:
                self._set_interest(self.mask | READ)

    # -- outgoing --------------------------------------------------------------------------------------------------

    def check_message(self, message: Any) -> None:
        """Whether a message can be a datagram; patterns ask before they queue it.

        Raises:
            ZMQError: EINVAL, EMSGSIZE.
        """
        self.connection.check(message)

    def handle_write(self, pipe: Pipe) -> None:
        """A message was appended."""
        if self.mask & WRITE:
            pipe.quiet = False  # the system is full: the next event goes on
        else:
            self.flush(0.0)

    def flush(self, now: float) -> None:
        """Send everything that the system takes now."""
        del now
        pipe = self.pipe
        if pipe is None or self.stream is None:
            return
        while pipe.outbound or (pipe.swapping and pipe.refill()):
            batch = take_batch(pipe.outbound)
            count = 0
            try:
                while count < len(batch) and self._send(batch[count], pipe):
                    count += 1
            finally:  # Ctrl-C, too
                pipe.outbound[:0] = batch[count:]
            if count < len(batch):
                pipe.quiet = False
                self._set_interest(self.mask | WRITE)
                return
        pipe.quiet = True  # nobody appends without the lease: these patterns have no lock-free path of send
        if self.mask & WRITE:
            self._set_interest(self.mask & ~WRITE)
            self.engine.handle_room()  # no event will tell those who wait for it
        if self.engine.closing or self.ending:
            self.engine.handle_flushed(self)

    def _send(self, message: Any, pipe: Pipe) -> bool:
        """Send one message; False when it must wait. What can never be sent is dropped and counted."""
        stream = self.stream
        datagram = self.connection.encode(message)
        if datagram is None or stream is None:
            pipe.drop(1, DropReason.MALFORMED)
            return True
        errors = stream.errors
        if not stream.try_send(*datagram):
            if not self.is_lossy:
                return False
            pipe.drop(1, DropReason.NEWEST)
        elif stream.errors != errors:
            pipe.drop(1, DropReason.REFUSED)
        else:
            pipe.sent += 1
        return True

    def has_output(self) -> bool:
        """Whether anything waits to be sent."""
        return self.pipe is not None and (bool(self.pipe.outbound) or self.pipe.swapping)

    def flush_pipe(self, pipe: Pipe) -> None:
        """See `Carrier`."""
        self.flush(0.0)

    def free_unsent(self, pipe: Pipe) -> None:
        """See `Carrier`: a datagram leaves at once or not at all."""

    def open_swap(self, pipe: Pipe) -> Any:
        """See `Carrier`."""
        return self.engine.queues.open_swap(pipe, self._handle_swap_changed, self.engine)

    def _handle_swap_changed(self) -> None:
        pipe = self.pipe
        if pipe is None:
            return
        if pipe.swapping and not self.mask & WRITE:
            self.flush(0.0)
        if pipe.receive_swap is not None and not pipe.inbound and refill_inbound(pipe):
            self.engine.inbox.activate(pipe)
            self.engine.leadership.wake()
        self.engine.handle_room()

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None:
        """See `Carrier`."""
        self.engine.note_drop(pipe, count, reason)

    def handle_subscription(self, pipe: Pipe, topic: bytes, subscribe: bool) -> None:
        """Nobody is told what is wanted: the receiver filters."""

    # -- the end ---------------------------------------------------------------------------------------------------

    def end_pipe(self, pipe: Pipe) -> None:
        """The pattern refuses the endpoint."""
        self.close_stream(None)

    def close_stream(self, error: BaseException | None) -> None:
        """The endpoint is over, whoever ended it. Idempotent; what was received stays readable."""
        stream, self.stream = self.stream, None
        if stream is None:
            return
        engine = self.engine
        engine.leadership.unregister(self.fd)
        engine.sessions.pop(self.fd, None)
        engine.stalled.discard(self)
        stream.close()
        number = getattr(error, "errno", None)
        text = "" if error is None else str(error)
        engine.emit(Event.CLOSED, self.fd if number is None else number, self.endpoint, self, text)
        if self.pipe is not None:
            engine.detach(self.pipe)
        if engine.closing:
            engine.check_closed()

    def _set_interest(self, mask: int) -> None:
        """Change what the selector tells; a sender is registered while it waits for room, and no longer."""
        before, self.mask = self.mask, mask
        if mask == before:
            return
        leadership = self.engine.leadership
        if not before and self.fd not in leadership.handlers:
            leadership.register(self.fd, mask, self)
        else:
            leadership.modify(self.fd, mask)


def open_datagram(engine: SocketEngine, endpoint: Endpoint, text: str, overflow: str = "", *, bound: bool) -> str:
    """Bind or connect a datagram endpoint.

    Returns:
        The resolved endpoint (LAST_ENDPOINT).

    Raises:
        ZMQError: see the transport; EINVAL: the socket has an endpoint, and its type can't have two.
    """
    pattern = engine.pattern
    if pattern.type_name == "DGRAM" and pattern.pipe is not None:
        raise make_error(
            EINVAL,
            f"cannot bind '{endpoint}': a DGRAM socket has one endpoint; unbind '{pattern.pipe.carrier.endpoint}' "
            "first, or use a second socket",
        )
    transport = get_datagram_transport(endpoint.scheme)
    if not bound:
        stream = transport.open_sender(endpoint, engine.options)
    else:
        try:
            stream = transport.open_receiver(endpoint, engine.options)
        except ZMQError as error:
            engine.emit(Event.BIND_FAILED, error.errno or 0, text, error=str(error))
            raise
    codec: Codec
    codec = PlainCodec(stream) if pattern.type_name == "DGRAM" else GroupCodec(getattr(pattern, "groups", None))
    session = DatagramSession(engine, stream, text, codec, bound=bound)
    session.overflow = overflow
    try:
        session.start()
    except OSError as error:
        session.close_stream(error)
        raise make_error(error.errno or EINVAL, f"cannot use '{endpoint}': {error.strerror}") from error
    engine.emit(Event.LISTENING if bound else Event.CONNECTED, session.fd, session.endpoint, session)
    return session.endpoint


def end_datagram(engine: Any, text: str, *, bound: bool) -> None:
    """Unbind or disconnect a datagram endpoint; what a full system holds up leaves for as long as LINGER allows.

    Raises:
        ZMQError: ENOENT: there is no such endpoint.
    """
    for session in list(engine.sessions.values()):
        if isinstance(session, DatagramSession) and session.bound == bound and text in {session.endpoint, session.text}:
            session.flush(monotonic())
            engine.end_session(session)
            return
    how = "bound" if bound else "connected"
    raise make_error(ENOENT, f"this socket is not {how} to '{text}'; LAST_ENDPOINT tells the resolved text of a bind")
