"""Who may come in: the ZAP handler of the context is asked about each peer that a mechanism presents (RFC 27).

A handler is a REP or ROUTER socket of the application, bound to inproc://zeromq.zap.01 in the same context. Each
question has an inproc link of its own, on whose near end stands the `Question` instead of a socket: so the answer
belongs to the link it comes by, a handler that goes away ends its links, and a peer that goes away ends its question.
Nobody waits: the answer is posted to the socket that asked. Only a well-formed 200 lets a peer in, and it must come
within `HANDLER_TIMEOUT_S`.

An endpoint that was told whom to let in (`Gate.admission`) decides by itself, and asks nobody.

What may not live here: handlers (`purezmq.auth`), lists of keys and passwords (`sockets.admission`), mechanisms.
"""

from __future__ import annotations

from errno import EBUSY, EFAULT, ETIMEDOUT
from time import monotonic

from purezmq.constants import Event
from purezmq.engine.fence import report
from purezmq.engine.inproc import InprocLink, pair_up
from purezmq.options import SocketOptions
from purezmq.pipe import BLOCK
from purezmq.wire.commands import decode_properties
from purezmq.wire.error import RemoteProtocolError
from purezmq.wire.events import ConnectionFailed, FailureReason
from purezmq.wire.verdict import ADMITTED, FAILED, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from purezmq.engine.security import Gate
    from purezmq.engine.session import Session
    from purezmq.engine.socket_engine import SocketEngine
    from purezmq.engine.timers import Timer
    from purezmq.pipe import Pipe
    from purezmq.wire.events import AuthenticationNeeded

__all__ = ["HANDLER_TIMEOUT_S", "MAX_QUESTIONS", "ZAP_NAME", "Question", "decide", "parse_reply"]

#: Where a handler is bound, after inproc://.
ZAP_NAME = "zeromq.zap.01"
#: A handler has so long to answer (seconds); HANDSHAKE_IVL may end the handshake before.
HANDLER_TIMEOUT_S = 5.0
#: Questions of one socket that wait for an answer; peers beyond it are sent away, and come again.
MAX_QUESTIONS = 1024

_VERSION = b"1.0"
#: Of every question, as libzmq's: each has a link of its own.
_REQUEST_ID = b"1"
#: Delimiter, version, request id, status, text, user id, metadata.
_REPLY_PARTS = 7
_STATUSES = {b"200": 200, b"300": 300, b"400": 400, b"500": 500}
#: The types that a handler may have. (libzmq lets a SERVER bind there, too, which then never gets a question.)
_HANDLER_TYPES = frozenset({"REP", "ROUTER"})


def decide(session: Session, question: AuthenticationNeeded, now: float) -> None:
    """Have it decided about a peer (lease held): by the socket's own lists, else by the handler of the context.

    A context that never had a handler does as libzmq: PLAIN lets nobody in, CURVE whoever knows the server's key, NULL
    everybody; with ZAP_ENFORCE_DOMAIN nobody comes in. When the handler went away nobody comes in either: a door-keeper
    that crashed must not leave the door open (better than libzmq, which lets CURVE and NULL in again).
    """
    engine = session.engine
    connection = session.connection
    if connection is None:
        return
    gate: Gate = connection.config.gate
    if gate.admission is not None:
        session.admit(_decide_here(gate.admission, question), now)
        return
    if gate.enforces_domain and not gate.domain:
        _turn_away(session, "no-domain", "ZAP_ENFORCE_DOMAIN is set, but no ZAP_DOMAIN", EFAULT)
        return
    handler: Any = engine.context.inproc.find(ZAP_NAME)
    if handler is None:
        had_one = engine.context.inproc.was_bound(ZAP_NAME)
        if question.mechanism != "PLAIN" and not gate.enforces_domain and not had_one:
            session.admit(Verdict(ADMITTED), now)
        else:
            what = "the ZAP handler went away, and none" if had_one else "no ZAP handler"
            _turn_away(session, "no-handler", f"{what} is bound to inproc://{ZAP_NAME} in this context", EFAULT)
    elif handler.pattern.type_name not in _HANDLER_TYPES:
        text = f"a {handler.pattern.type_name} socket is bound to inproc://{ZAP_NAME}; a ZAP handler is a REP or ROUTER"
        _turn_away(session, "no-handler", text, EFAULT)
    elif len(engine.questions) >= MAX_QUESTIONS and _count_unanswered(engine, handler) >= MAX_QUESTIONS:
        text = f"the ZAP handler has {MAX_QUESTIONS} questions of this socket to answer"
        _turn_away(session, "busy", text, EBUSY)
    else:
        Question(session, question, gate).ask(handler, now)


def _decide_here(admission: Any, question: AuthenticationNeeded) -> Verdict:
    """By the socket's own lists; one that can't be read lets nobody in."""
    try:
        verdict: Verdict = admission.decide(question.mechanism, question.credentials)
    except Exception as error:  # noqa: BLE001 - the fence: whatever fails, this peer stays outside
        report("a decision about a peer", error)
        return Verdict(FAILED, "no decision could be made")
    return verdict


def _count_unanswered(engine: SocketEngine, handler: Any) -> int:
    """How many questions of a socket wait for an answer, or for being read in vain; the others are forgotten."""
    engine.questions = {question for question in engine.questions if question.is_waiting(handler)}
    return len(engine.questions)


def _turn_away(session: Session, word: str, text: str, number: int) -> None:
    reason = FailureReason.TIMEOUT if number == ETIMEDOUT else FailureReason.NO_DETAIL
    session.turn_away(ConnectionFailed(reason, text, number), word)


class Question:
    """One question about one peer, from asking to its answer. To the handler's socket it is the engine that connected.

    Everything here needs the lease of the socket that asks, except `activate`, `wake` and `post`.

    Args:
        session: of the peer.
        needed: what the mechanism presents.
        gate: of the endpoint that it came to.
    """

    __slots__ = (
        "_gate", "_handler", "_link", "_needed", "_queue", "_session", "_timer", "context", "lease", "links", "post",
    )  # fmt: skip

    #: What the handler's socket looks at of the other side: no limits, no names.
    options = SocketOptions()
    options.sndhwm = options.rcvhwm = 0
    #: The handler's statistics name its peers by their types.
    type_name = "REQ"

    def __init__(self, session: Session, needed: AuthenticationNeeded, gate: Gate) -> None:
        self._session: Session | None = session
        self._needed = needed
        self._gate = gate
        self._handler: Any = None
        self._timer: Timer | None = None
        self.context = session.engine.context
        self.lease = session.engine.lease
        self.post: Callable[[Callable[[], None]], None] = session.engine.post
        self.links: set[InprocLink] = set()
        owner: Any = self
        link = InprocLink(owner, ZAP_NAME, self.options, conflate=False)
        self._link: InprocLink | None = link
        #: What the handler has not read yet.
        self._queue: Any = link.pipe.outbound

    def _get_self(self) -> Question:
        return self

    #: What an engine has others for. Not attributes: a question must not refer to itself, for there may be many.
    inbox = leadership = queues = pattern = property(_get_self)

    def ask(self, handler: Any, now: float) -> None:
        """Send the question to the handler's socket."""
        session = self._session
        link = self._link
        assert session is not None  # until the answer
        assert link is not None  # likewise
        engine = session.engine
        engine.questions.add(self)
        session.question = self
        self._timer = engine.loop.call_at(now + HANDLER_TIMEOUT_S, self._handle_timeout)
        address = "" if session.stream is None else session.stream.peer_address
        link.pipe.write(
            [
                b"", _VERSION, _REQUEST_ID, self._gate.domain, address.encode(),
                self._gate.routing_id, self._needed.mechanism.encode(), *self._needed.credentials,
            ]
        )  # fmt: skip
        self._handler = handler
        pair_up(link, handler)

    def is_waiting(self, handler: Any) -> bool:
        """Whether the answer is awaited, or this handler has yet to read a question whose peer has left."""
        return self._session is not None or (handler is self._handler and bool(self._queue))

    def close(self) -> None:
        """Wait for the answer no more. Idempotent."""
        session, self._session = self._session, None
        link, self._link = self._link, None
        if session is None or link is None:
            return
        session.question = None
        if not self._queue:
            session.engine.questions.discard(self)  # else it goes on counting: somebody has to read it
        if self._timer is not None:
            self._timer.cancel()
        link.close()

    def _handle_answer(self) -> None:
        """Something came by the link."""
        session, link = self._session, self._link
        if session is None or link is None or not link.pipe.inbound:
            return
        reply = link.pipe.inbound.popleft()
        self.close()
        try:
            verdict = parse_reply(reply)
        except RemoteProtocolError as error:
            session.turn_away(ConnectionFailed(error.reason, error.text, error.status), "malformed-reply")
            return
        session.admit(verdict, monotonic())

    def _handle_timeout(self) -> None:
        """The handler is too slow (I/O thread)."""
        session = self._session
        if session is None:
            return
        with session.engine.lease:
            if self._session is not None:
                self.close()
                text = f"the ZAP handler has not answered within {HANDLER_TIMEOUT_S} s"
                _turn_away(session, "handler-timeout", text, ETIMEDOUT)

    # -- what the link and the handler's socket call -----------------------------------------------------------------

    def activate(self, pipe: Pipe) -> None:
        """A reply was appended (any thread)."""
        self.post(self._handle_answer)

    def wake(self) -> None:
        """Nobody sleeps here (any thread)."""

    def receive_policy(self, given: str) -> str:
        """What comes is never too much: one reply is looked at."""
        return BLOCK

    def handle_link_connected(self, link: InprocLink) -> None:
        """The handler's socket took the link."""

    def configure_link(self, link: InprocLink) -> None:
        """The handler's limits changed: the question's have none."""

    def handle_room(self) -> None:
        """The handler has read it: nothing waits for that."""

    def note_drop(self, pipe: Pipe, count: int, reason: str) -> None:
        """Nothing is counted here."""

    def handle_link_ended(self, link: InprocLink) -> None:
        """The handler's socket was closed, before or after it answered."""
        link.peer = None
        self._handle_answer()
        session = self._session
        if session is not None:
            self.close()
            session.engine.questions.discard(self)  # nobody will read it
            _turn_away(session, "no-handler", "the ZAP handler went away before it answered", EFAULT)


def parse_reply(reply: Any) -> Verdict:
    """Read the reply of a handler.

    Args:
        reply: its parts, from the delimiter on.

    Returns:
        What it decided.

    Raises:
        RemoteProtocolError: it is malformed (RFC 27: delimiter, version, request id, status code, status text, user id,
            metadata); the status is libzmq's number of what is wrong.
    """
    parts = [bytes(part) for part in reply] if isinstance(reply, list) else [bytes(reply)]
    if len(parts) != _REPLY_PARTS:
        text = f"a reply has {_REPLY_PARTS} parts with its delimiter, not {len(parts)}"
        raise _malformed(text, Event.PROTOCOL_ERROR_ZAP_MALFORMED_REPLY)
    delimiter, version, request_id, code, status_text, user_id, metadata = parts
    if delimiter:
        raise _malformed("its first part is no delimiter", Event.PROTOCOL_ERROR_ZAP_UNSPECIFIED)
    if version != _VERSION:
        raise _malformed("its version is not 1.0", Event.PROTOCOL_ERROR_ZAP_BAD_VERSION)
    if request_id != _REQUEST_ID:
        raise _malformed("its request id is not the question's", Event.PROTOCOL_ERROR_ZAP_BAD_REQUEST_ID)
    status = _STATUSES.get(code)
    if status is None:
        raise _malformed("its status is none of 200, 300, 400, 500", Event.PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE)
    try:
        properties = dict(decode_properties(metadata))
    except (RemoteProtocolError, IndexError) as error:
        raise _malformed(f"its metadata is none ({error})", Event.PROTOCOL_ERROR_ZAP_INVALID_METADATA) from error
    try:
        user = user_id.decode()
    except UnicodeDecodeError as error:
        raise _malformed("its user id is no UTF-8", Event.PROTOCOL_ERROR_ZAP_MALFORMED_REPLY) from error
    return Verdict(status, status_text.decode("utf-8", "replace"), user, properties)


def _malformed(what: str, number: int) -> RemoteProtocolError:
    return RemoteProtocolError(FailureReason.PROTOCOL, f"the ZAP handler's reply is malformed: {what}", int(number))
