from __future__ import annotations

from typing import Any

import pytest

from purezmq.constants import Event
from purezmq.engine.announcer import announce, classic_kind, make_event
from purezmq.engine.event_source import EventSource, endpoint_of
from purezmq.pipe import Pipe
from purezmq.wire.events import PeerInfo


class ScriptedSession:
    """What a session tells about itself."""

    def __init__(self, pipe: Pipe | None = None, peer_info: PeerInfo | None = None) -> None:
        self.text = "tcp://*:5555"
        self.endpoint = "tcp://0.0.0.0:5555"
        self.remote = "tcp://10.0.0.1:4321"
        self.number = 7
        self.pipe = pipe
        self.peer_info = peer_info


class ScriptedLink:
    """What an inproc link tells about itself."""

    name = "x"
    is_direct = True


class ScriptedListener:
    """What a listener tells about itself."""

    text = "tcp://*:*"
    endpoint = "tcp://0.0.0.0:5555"


PEER = PeerInfo("DEALER", b"peer", (3, 1), "NULL")


@pytest.mark.parametrize("member", list(Event.__members__.values()))
def test_every_event_of_libzmq_has_a_kind(member: Event) -> None:
    """Its name in lower case."""
    assert member.name is not None
    assert Event.__members__[classic_kind(member).upper()] == member


def test_unknown_event_has_a_kind_of_its_number() -> None:
    """Nothing raises."""
    assert "event_0x8000000" == classic_kind(0x8000000)


def test_event_of_session_tells_whom_it_is_about() -> None:
    """The configured endpoint, the peer's address, routing id, mechanism and the number of the connection."""
    event = make_event("accepted", carrier=ScriptedSession(peer_info=PEER), endpoint="tcp://*:5555", value=3)
    assert ("10.0.0.1:4321", b"peer", "NULL", 7, 3) == (
        event.address, event.routing_id, event.mechanism, event.connection, event.value
    )  # fmt: skip
    assert event.time > 0


def test_routing_id_of_pipe_goes_first() -> None:
    """A ROUTER's own name of the peer."""
    pipe = Pipe(None, 0, 0)  # type: ignore[arg-type]  # nobody carries it
    pipe.routing_id = b"ours"
    session = ScriptedSession(pipe, PEER)
    assert b"ours" == make_event("disconnected", carrier=session).routing_id
    assert b"ours" == make_event("message_dropped", pipe=pipe).routing_id


def test_event_of_listener_tells_its_own_address() -> None:
    """It has no peer."""
    event = make_event("listening", carrier=ScriptedListener(), resolved="tcp://0.0.0.0:5555")
    assert ("0.0.0.0:5555", 0, b"") == (event.address, event.connection, event.routing_id)


@pytest.mark.parametrize(
    ("carrier", "expected"),
    [(ScriptedSession(), "tcp://*:5555"), (ScriptedLink(), "inproc://x"), (None, ""), (object(), "")],
)
def test_endpoint_is_as_configured(carrier: Any, expected: str) -> None:
    """Of sessions, links and whatever else carries a pipe."""
    assert expected == endpoint_of(carrier)


def test_observer_that_raises_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """The others get the event, and it's reported."""
    got: list[str] = []

    def fail(_event: Any) -> None:
        raise ValueError

    announce([fail, lambda event: got.append(event.kind)], "connected")
    assert ["connected"] == got
    assert ["an observer of connected failed"] == [record.getMessage() for record in caplog.records]


def test_monitor_gets_its_three_values_and_observers_the_rest() -> None:
    """The monitor's endpoint is the resolved one, the observers' the configured one."""
    source, monitored, observed = EventSource(), [], []
    source.monitor = lambda *values: monitored.append(values)
    source.emit(Event.ACCEPTED, 9, "tcp://0.0.0.0:5555", ScriptedSession())
    source.observers = (observed.append,)
    source.emit(Event.ACCEPTED, 9, "tcp://0.0.0.0:5555", ScriptedSession(), "why", "word")
    assert 2 * [(Event.ACCEPTED, 9, "tcp://0.0.0.0:5555")] == monitored
    (event,) = observed
    assert ("accepted", "tcp://*:5555", "why", "word") == (event.kind, event.endpoint, event.error, event.reason)


def test_observers_are_told_of_the_end_once() -> None:
    """Those that want to know; plain functions do, too, no harm."""

    class Observer:
        def __init__(self) -> None:
            self.ends: list[int] = []

        def __call__(self, event: Any) -> None:
            raise AssertionError

        def end(self, errno: int) -> None:
            self.ends.append(errno)

    source, observer = EventSource(), Observer()
    source.observers = (observer, lambda _: None)
    source.end_observers(88)
    source.end_observers(89)
    source.emit(Event.CLOSED, 0, "")
    assert [88] == observer.ends
