"""RADIO and DISH: groups, which match exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import TRANSPORTS, EventWatch, bind, bind_again, eventually, link, purezmq_only, run_in_thread, zmq
from tests.support.raw_peer import COMMAND, MORE, RawPeer

MakeSocket = Callable[..., Any]


def join_and_wait(radio: Any, dish: Any, *groups: bytes) -> None:
    """Join groups, and send probes until the RADIO knows the last of them; take all probes out."""
    for group in (*groups, b"<probe>"):
        dish.join(group)

    def arrives() -> bool:
        radio.send(b"probe", group=b"<probe>")
        return bool(dish.poll(10))

    eventually(arrives)
    dish.leave(b"<probe>")


def error_of(call: Callable[[], Any]) -> int:
    """The errno that a call raises."""
    with pytest.raises(zmq.ZMQError) as caught:
        call()
    return int(caught.value.errno)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("radio_binds", [True, False], ids=["radio-binds", "dish-binds"])
def test_only_joined_groups_arrive(make_socket: MakeSocket, radio_binds: bool, transport: str) -> None:
    """A group is no prefix; the one without a name is a group as well."""
    radio, dish = make_socket(zmq.RADIO), make_socket(zmq.DISH)
    link(*((radio, dish) if radio_binds else (dish, radio)), transport=transport)
    join_and_wait(radio, dish, b"news", b"")
    for group in ("new", "newsroom", "news", "NEWS"):
        radio.send(group.encode(), group=group)
    radio.send(b"nameless")
    assert [b"news", b"nameless"] == [dish.recv(), dish.recv()]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_frame_tells_group_and_can_be_sent(make_socket: MakeSocket, transport: str) -> None:
    """As str; `send` takes str and bytes; a Frame with a group goes to that group."""
    radio, dish = make_socket(zmq.RADIO), make_socket(zmq.DISH)
    link(radio, dish, transport=transport)
    join_and_wait(radio, dish, "käse".encode(), b"\xff")
    radio.send(b"1", group="käse")
    frame = dish.recv(copy=False)
    assert (b"1", "käse", False) == (frame.bytes, frame.group, frame.more)
    radio.send(frame)
    assert [b"1"] == dish.recv_multipart()
    own = zmq.Frame(b"2")
    own.group = "käse"
    radio.send(own, copy=False)
    radio.send_multipart([b"3"], group="käse")
    radio.send(b"4", group=b"\xff")
    frames = [dish.recv_multipart(copy=False)[0] for _ in range(3)]
    assert [(b"2", "käse"), (b"3", "käse"), (b"4", "\udcff")] == [(frame.bytes, frame.group) for frame in frames]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_left_group_stays_away(make_socket: MakeSocket, transport: str) -> None:
    """Also what has arrived and waits."""
    radio, dish = make_socket(zmq.RADIO), make_socket(zmq.DISH)
    link(radio, dish, transport=transport)
    join_and_wait(radio, dish, b"a", b"b")
    radio.send(b"1", group="a")
    radio.send(b"2", group="b")
    assert dish.poll(5000)
    dish.leave("a")
    assert b"2" == dish.recv()
    radio.send(b"3", group="a")
    radio.send(b"4", group="b")
    assert b"4" == dish.recv()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_each_dish_gets_its_groups(make_socket: MakeSocket, transport: str) -> None:
    """Whoever shares a group gets the same, and nobody more."""
    radio, dishes = make_socket(zmq.RADIO), [make_socket(zmq.DISH) for _ in range(3)]
    link(radio, *dishes, transport=transport)
    for dish, groups in zip(dishes, ([b"a"], [b"a", b"b"], [b"b"]), strict=True):
        join_and_wait(radio, dish, *groups)
    for group in ("a", "b", "c"):
        radio.send(group.encode(), group=group)
    radio.send(b"end", group="a")
    radio.send(b"end", group="b")
    # The second gets the end of both its groups, and stops at the first of them.
    assert [[b"a"], [b"a", b"b"], [b"b"]] == [list(iter(dish.recv, b"end")) for dish in dishes]


def test_groups_are_checked(make_socket: MakeSocket) -> None:
    """EINVAL: joined twice, left unknown, too long, not a DISH; 255 bytes are fine."""
    dish, radio = make_socket(zmq.DISH), make_socket(zmq.RADIO)
    dish.join("g" * 255)
    dish.leave(b"g" * 255)
    dish.join("twice")
    assert zmq.EINVAL == error_of(lambda: dish.join(b"twice"))
    assert zmq.EINVAL == error_of(lambda: dish.leave("unknown"))
    assert zmq.EINVAL == error_of(lambda: dish.join("ä" * 128))
    assert zmq.EINVAL == error_of(lambda: radio.join("g"))
    assert zmq.EINVAL == error_of(lambda: make_socket(zmq.SUB).leave("g"))
    assert zmq.EINVAL == error_of(lambda: radio.send(b"x", group="g" * 256))
    for call in (lambda: dish.join(5), lambda: radio.send(b"x", group=5)):
        with pytest.raises(TypeError):
            call()


def test_directions_are_one_way(make_socket: MakeSocket) -> None:
    """ENOTSUP for a DISH that sends and a RADIO that receives."""
    dish, radio = make_socket(zmq.DISH), make_socket(zmq.RADIO)
    assert zmq.ENOTSUP == error_of(lambda: dish.send(b"x", group="g"))
    assert zmq.ENOTSUP == error_of(lambda: dish.send_multipart([b"x", b"y"]))
    assert zmq.ENOTSUP == error_of(radio.recv)
    assert (0, zmq.POLLOUT) == (dish.poll(0, zmq.POLLOUT), radio.poll(0, zmq.POLLIN | zmq.POLLOUT))


def test_joins_return_after_reconnect(make_socket: MakeSocket) -> None:
    """A RADIO that was restarted knows nothing: the DISH tells it again."""
    radio, dish = make_socket(zmq.RADIO), make_socket(zmq.DISH, reconnect_ivl=10)
    endpoint = link(radio, dish)
    join_and_wait(radio, dish, b"g")
    with EventWatch(dish) as events:
        radio.close()
        events.wait_for(zmq.EVENT_DISCONNECTED)
    radio = make_socket(zmq.RADIO)
    bind_again(radio, endpoint)

    def arrives() -> bool:
        radio.send(b"again", group="g")
        return bool(dish.poll(10))

    eventually(arrives)
    assert b"again" == dish.recv()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_radio_drops_for_full_dish(make_socket: MakeSocket, transport: str) -> None:
    """A slow DISH loses messages; the RADIO never waits."""
    radio, dish = make_socket(zmq.RADIO, sndhwm=4), make_socket(zmq.DISH, rcvhwm=4)
    link(radio, dish, transport=transport)
    join_and_wait(radio, dish, b"g", b"end")
    for number in range(300):
        radio.send(b"%d" % number + b"x" * 100_000, zmq.DONTWAIT, group="g")

    def ends() -> bool:
        radio.send(b"end", group="end")
        return bool(dish.poll(10)) and dish.recv() == b"end"

    received = 0
    while dish.poll(100):
        received += dish.recv().endswith(b"x")
    assert 0 < received < 300
    eventually(ends)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_radio_waits_with_nodrop(make_socket: MakeSocket, transport: str) -> None:
    """XPUB_NODROP: Again instead of a loss; other groups go on; room wakes a blocked send."""
    radio, dish = make_socket(zmq.RADIO, sndhwm=4, sndbuf=4096), make_socket(zmq.DISH, rcvhwm=4)
    link(radio, dish, transport=transport)
    join_and_wait(radio, dish, b"g")
    radio.setsockopt(zmq.XPUB_NODROP, 1)
    body, sent = b"x" * 100_000, 0
    with pytest.raises(zmq.Again):
        while sent < 1000:
            radio.send(body, zmq.DONTWAIT, group="g")
            sent += 1
    radio.send(b"for nobody", zmq.DONTWAIT, group="h")
    blocked = run_in_thread(lambda: radio.send(b"last", group="g"))
    assert [body] * sent == [dish.recv() for _ in range(sent)]
    blocked.result()
    assert b"last" == dish.recv()


def test_radio_speaks_as_rfc_48_says(make_socket: MakeSocket) -> None:
    """[group MORE][body] on the wire, to whoever said JOIN and not LEAVE."""
    radio = make_socket(zmq.RADIO)
    with RawPeer.connect(bind(radio, "tcp")) as peer:
        assert b"RADIO" in peer.shake_hands("DISH")
        peer.send_frame(b"\x04JOINa", COMMAND)
        peer.send_frame(b"\x04JOINb", COMMAND)
        peer.send_frame(b"\x05LEAVEa", COMMAND)
        peer.send_frame(b"\x04PING\x00\x00", COMMAND)
        assert (COMMAND, b"\x04PONG") == peer.receive_frame()
        radio.send(b"1", group="a")
        radio.send(b"2", group="b")
        assert [(MORE, b"b"), (0, b"2")] == [peer.receive_frame(), peer.receive_frame()]


def test_dish_speaks_as_rfc_48_says(make_socket: MakeSocket) -> None:
    """Its joins follow the handshake, changes follow at once."""
    dish = make_socket(zmq.DISH)
    dish.join("early")
    with RawPeer.connect(bind(dish, "tcp")) as peer:
        assert b"DISH" in peer.shake_hands("RADIO")
        assert (COMMAND, b"\x04JOINearly") == peer.receive_frame()
        dish.join("late")
        dish.leave("early")
        assert [(COMMAND, b"\x04JOINlate"), (COMMAND, b"\x05LEAVEearly")] == [
            peer.receive_frame(),
            peer.receive_frame(),
        ]
        peer.send_frame(b"late", MORE)
        peer.send_frame(b"body")
        assert b"body" == dish.recv()


@pytest.mark.parametrize("wrong", ["one-part", "three-parts", "long-group"])
def test_dish_closes_on_what_no_radio_sends(make_socket: MakeSocket, wrong: str) -> None:
    """That connection ends, what came before is delivered, and the next peer is served."""
    dish = make_socket(zmq.DISH)
    dish.join("g")
    endpoint = bind(dish, "tcp")
    with RawPeer.connect(endpoint) as peer:
        peer.shake_hands("RADIO")
        parts = {"one-part": [b"g"], "three-parts": [b"g", b"x", b"y"], "long-group": [b"g" * 256, b"x"]}[wrong]
        for index, part in enumerate([b"g", b"before", *parts]):
            last = index in {1, len(parts) + 1}
            peer.send_frame(part, 0 if last else MORE)
        peer.wait_until_closed()
    assert b"before" == dish.recv()
    radio = make_socket(zmq.RADIO)
    radio.connect(endpoint)

    def arrives() -> bool:
        radio.send(b"after", group="g")
        return bool(dish.poll(10))

    eventually(arrives)
    assert b"after" == dish.recv()


def test_radio_closes_on_too_long_group(make_socket: MakeSocket) -> None:
    """More than 255 bytes can't be joined."""
    radio = make_socket(zmq.RADIO)
    with RawPeer.connect(bind(radio, "tcp")) as peer:
        peer.shake_hands("DISH")
        peer.send_frame(b"\x04JOIN" + b"g" * 256, COMMAND)
        peer.wait_until_closed()


def test_join_to_another_type_is_ignored(make_socket: MakeSocket) -> None:
    """A PULL goes on to receive."""
    pull = make_socket(zmq.PULL)
    with RawPeer.connect(bind(pull, "tcp")) as peer:
        peer.shake_hands("PUSH")
        peer.send_frame(b"\x04JOINg", COMMAND)
        peer.send_frame(b"body")
        assert b"body" == pull.recv()


def test_messages_of_dish_are_forgotten_by_radio(make_socket: MakeSocket) -> None:
    """A peer that talks upstream costs no memory and harms nobody."""
    radio = make_socket(zmq.RADIO)
    with RawPeer.connect(bind(radio, "tcp")) as peer:
        peer.shake_hands("DISH")
        for _ in range(3000):
            peer.send_frame(b"talk" * 50)
        peer.send_frame(b"\x04JOINg", COMMAND)
        peer.send_frame(b"\x04PING\x00\x00", COMMAND)
        assert (COMMAND, b"\x04PONG") == peer.receive_frame()
        radio.send(b"1", group="g")
        assert [(MORE, b"g"), (0, b"1")] == [peer.receive_frame(), peer.receive_frame()]
    assert zmq.ENOTSUP == error_of(lambda: radio.recv(zmq.DONTWAIT))


@purezmq_only("libzmq has no such limit")
def test_radio_closes_on_a_flood_of_groups(make_socket: MakeSocket) -> None:
    """One peer can't fill the memory: at the limit its connection ends and is counted; others are served."""
    radio, dish = make_socket(zmq.RADIO), make_socket(zmq.DISH)
    radio.max_topics_per_peer = 20
    endpoint = bind(radio, "tcp")
    with RawPeer.connect(endpoint) as peer:
        peer.shake_hands("DISH")
        for number in range(20):
            peer.send_frame(b"\x04JOIN%d" % number, COMMAND)
        peer.send_frame(b"\x04JOIN7", COMMAND)  # known already
        peer.send_frame(b"\x05LEAVE7", COMMAND)
        peer.send_frame(b"\x04JOINg", COMMAND)
        peer.send_frame(b"\x04PING\x00\x00", COMMAND)
        assert (COMMAND, b"\x04PONG") == peer.receive_frame()
        eventually(lambda: 20 == radio._pattern.topics_count)
        for number in range(20, 30):
            peer.send_frame(b"\x04JOIN%d" % number, COMMAND)
        peer.wait_until_closed()
    eventually(lambda: 0 == radio._pattern.topics_count)
    assert 1 == radio._engine.protocol_failures
    dish.connect(endpoint)
    join_and_wait(radio, dish, b"g")
