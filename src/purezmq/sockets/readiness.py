"""Readiness: wait until a connection is made, until subscribers are there, until publishers know what is wanted.

Each is a generator of steps (see `steps`); the methods hand it to `_run_steps`, which a front may replace. Nothing is
polled: every change that may end a wait wakes it.
"""

from __future__ import annotations

from errno import EACCES, EPROTO

from purezmq.constants import EAGAIN, EHOSTUNREACH, ENOTSUP, ETIMEDOUT
from purezmq.error import make_error
from purezmq.message import check_group
from purezmq.sockets.socket_state import SocketState
from purezmq.sockets.steps import Step, deadline_after, run_steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from purezmq.engine.dialer import Dialer
    from purezmq.engine.inproc import InprocLink
    from purezmq.error import ZMQError
    from purezmq.sockets.steps import Steps

    _T = TypeVar("_T")

__all__ = ["Readiness", "connect_steps"]

_PUBLISHERS = frozenset({"PUB", "XPUB", "RADIO"})
_SUBSCRIBERS = frozenset({"SUB", "XSUB", "DISH"})
#: At most so many endpoints are named in a text.
_NAMED = 8


class Readiness(SocketState):
    """The methods of a socket that wait for peers."""

    __slots__ = ()

    def _run_steps(self, steps: Steps[_T]) -> _T:
        """Run steps to their end; a front whose calls don't block returns an awaitable of it."""
        return run_steps(self, steps)

    def wait_for_subscribers(self, n: int, topic: bytes | str = b"", timeout: float | None = None) -> int:
        """Wait until the next publication on a topic reaches at least `n` peers (PUB, XPUB, RADIO).

        Args:
            n: how many.
            topic: a peer counts when one of its subscriptions is a prefix of it; of a RADIO, when it joined this group.
                When empty, a peer counts that has any subscription. Text is UTF-8. Peers of a RADIO over udp never
                tell what they joined, and don't count.
            timeout: seconds to wait; None for ever.

        Returns:
            How many peers there are, at least `n`.

        Raises:
            Again: there were fewer when the time was over; the text says how many.
            ContextTerminated: the context was terminated.
            ZMQError: ENOTSUP (no publisher), ENOTSOCK (closed), EINVAL (no group of a RADIO).
        """
        return self._run_steps(_subscribers_steps(self, n, topic, timeout))

    def wait_subscribed(self, timeout: float | None = None) -> None:
        """Wait until every publisher has handled all subscriptions made so far (SUB, XSUB, DISH).

        Every endpoint that this socket is connected to must be connected then, and at least one publisher be there.
        What a publisher of purezmq sends after that reaches this socket. A publisher of libzmq confirms in another
        thread than the one that publishes: what it sends within a few milliseconds may still be missed. Publishers
        before ZMTP 3.0 can't confirm; they count when the subscriptions were sent.

        Args:
            timeout: seconds to wait; None for ever.

        Raises:
            Again: the time was over; the text names who is not connected or has not confirmed.
            ContextTerminated: the context was terminated.
            ZMQError: ENOTSUP (no subscriber), ENOTSOCK (closed).
        """
        return self._run_steps(_subscribed_steps(self, timeout))


def _check_type(socket: SocketState, types: frozenset[str], what: str) -> None:
    name = socket._pattern.type_name
    if name not in types:
        raise make_error(ENOTSUP, f"only {', '.join(sorted(types))} sockets {what}, not {name}")


# -- connect(wait=) --------------------------------------------------------------------------------------------------


def connect_steps(socket: Any, text: str, timeout: float, overflow: str = "") -> Steps[None]:
    """Connect and wait for the handshake; when that fails the socket is as before.

    Args:
        socket: which.
        text: the endpoint.
        timeout: seconds to wait.
        overflow: the overflow policy of this peer.
    """
    deadline = deadline_after(timeout)
    shared = socket._shared
    connector: Any = None
    try:
        with socket._engine.lease.afterwards, socket._engine.lease.guard:
            socket._check_open()
            known = shared.endpoints.find_connector(text)
            routing_id, shared.connect_routing_id = shared.connect_routing_id, b""
            connector = shared.endpoints.connect(text, routing_id, overflow, is_awaited=True)
            if connector is None:
                return  # datagrams: there is nobody to wait for
            if connector is known and not text.startswith("inproc:"):
                connector.failure = None  # of an attempt before this call
        if not (yield Step(lambda: _check_connector(connector, text), deadline)):
            raise make_error(EAGAIN, f"{text} is not connected after {timeout} s: {_what_is_missing(connector)}")
    except BaseException:
        with socket._engine.lease.afterwards, socket._engine.lease.guard:
            if connector is not None and shared.usable and connector is not known:
                shared.endpoints.withdraw(connector)
        raise


def _check_connector(connector: Dialer | InprocLink, text: str) -> bool:
    """Whether it is connected.

    Raises:
        ZMQError: it never will be, as far as the last attempt tells.
    """
    if connector.is_connected:
        return True
    failure = getattr(connector, "failure", None)
    if failure is not None:
        raise _explain(failure, text) from failure
    is_ended = connector.pipe.ended if hasattr(connector, "pipe") else connector.closed
    if is_ended:
        raise make_error(EHOSTUNREACH, f"{text} was disconnected by another call while this one waited for it")
    return False


def _explain(failure: BaseException, text: str) -> ZMQError:
    """The error of a failed attempt to connect, named by its endpoint."""
    reason = getattr(failure, "reason", None)
    if reason is None:
        number = getattr(failure, "errno", None)
        cause = getattr(failure, "strerror", None) or str(failure)
        if text not in cause:
            cause = f"cannot connect to {text}: {cause}"
        return make_error(number or EHOSTUNREACH, cause)
    numbers: dict[str, int] = {"TIMEOUT": ETIMEDOUT, "AUTH": EACCES}
    return make_error(numbers.get(reason.name, EPROTO), f"the handshake with {text} failed: {failure}")


def _what_is_missing(connector: Any) -> str:
    if hasattr(connector, "pipe"):
        return "nobody is bound to this name, or the socket that is takes no more peers"
    if connector.session.stream is None:
        return "still connecting"
    return "the peer accepted the connection, and has not finished the handshake"


# -- publishers ------------------------------------------------------------------------------------------------------


def _subscribers_steps(socket: SocketState, n: int, topic: bytes | str, timeout: float | None) -> Steps[int]:
    _check_type(socket, _PUBLISHERS, "have subscribers")
    is_radio = socket._pattern.type_name == "RADIO"
    name = check_group(topic) if is_radio else topic.encode() if isinstance(topic, str) else bytes(topic)
    if n <= 0:
        return _count_subscribers(socket, name)
    found = 0

    def look() -> int:
        nonlocal found
        found = _count_subscribers(socket, name)
        return found if found >= n else 0

    if not (yield Step(look, deadline_after(timeout))):
        what = "group" if is_radio else "topic"
        for_what = f"for {what} {name!r} " if name else ""
        raise make_error(EAGAIN, f"{found} of {n} subscribers {for_what}are there after {timeout} s")
    return found


def _count_subscribers(socket: SocketState, topic: bytes) -> int:
    """How many peers the next publication on a topic reaches; all that want anything when it is empty."""
    pattern: Any = socket._pattern
    distributor = pattern.distributor
    if not topic:
        queues = distributor.queues
    elif pattern.options.invert_matching:
        queues = distributor.not_matching(topic)
    else:
        queues = distributor.matching(topic)
    return sum([len(queue.members) if hasattr(queue, "members") else 1 for queue in queues])


# -- subscribers -----------------------------------------------------------------------------------------------------


def _subscribed_steps(socket: SocketState, timeout: float | None) -> Steps[None]:
    _check_type(socket, _SUBSCRIBERS, "subscribe")
    #: By connection: how much of what it was told has to be confirmed.
    wanted: dict[Any, int] = {}
    missing: list[str] = []

    def look() -> bool:
        missing[:] = _find_unconfirmed(socket, wanted)
        return not missing

    if not (yield Step(look, deadline_after(timeout))):
        named = missing[:_NAMED] + ([f"and {len(missing) - _NAMED} more"] if len(missing) > _NAMED else [])
        raise make_error(EAGAIN, f"the subscriptions are not confirmed after {timeout} s: {', '.join(named)}")


def _find_unconfirmed(socket: SocketState, wanted: dict[Any, int]) -> list[str]:
    """Whoever has not confirmed, as texts; asks those who were not asked yet."""
    engine = socket._engine
    carriers: list[tuple[Any, str]] = [(dialer.session, dialer.text) for dialer in engine.dialers]
    carriers += [(session, session.endpoint) for session in _accepted_sessions(engine)]
    carriers += [(link, f"inproc://{link.name}") for link in engine.links]
    missing: list[str] = []
    for carrier, text in carriers:
        if getattr(carrier, "takes_every_group", False):
            continue  # datagrams: the groups are looked at here
        confirmation = carrier.ask_confirmation()
        if confirmation is None:
            missing.append(f"{text} is not connected")
        elif confirmation.confirmed < wanted.setdefault(confirmation, confirmation.told):
            missing.append(f"{text} has not confirmed")
    if not carriers:
        missing.append("no publisher is connected")
    return missing


def _accepted_sessions(engine: Any) -> list[Any]:
    """Sessions that came to us and have finished their handshake."""
    return [
        session
        for session in list(engine.sessions.values())
        if session.dialer is None and session.connection is not None and session.connection.ready and not session.ending
    ]
