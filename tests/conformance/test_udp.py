"""RADIO and DISH over udp: one datagram is one message, nothing is shaken, and the network ends nothing."""

from __future__ import annotations

import errno
import random
import select
import socket as stdlib_socket
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.support import EventWatch, bind, eventually, purezmq_only, run_in_thread, try_recv, zmq
from tests.support.multicast import (
    GROUP,
    GROUP6,
    LOOPBACK,
    find_multicast4_interface,
    find_multicast6_interface,
    needs_multicast6,
)

from purezmq.transports.datagram import DatagramSocket

MakeSocket = Callable[..., Any]

pytestmark = purezmq_only("pyzmq's wheels refuse join and group, and libzmq tells no port for ':*'")

WRONG_ROLES = [
    (kind, how)
    for kind in ("PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH", "XPUB", "XSUB", "STREAM")
    for how in ("bind", "connect")
] + [("RADIO", "bind"), ("DISH", "connect"), ("DGRAM", "connect")]


@pytest.fixture
def raw() -> Iterator[stdlib_socket.socket]:
    """A plain udp socket on loopback."""
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def port_of(socket: Any) -> int:
    """The port that was bound."""
    return int(socket.getsockopt(zmq.LAST_ENDPOINT).rpartition(b":")[2])


def bound(socket: Any, endpoint: str = "udp://127.0.0.1:*") -> str:
    """Bind; what to connect to."""
    socket.bind(endpoint)
    text: str = socket.getsockopt(zmq.LAST_ENDPOINT).decode()
    return text


def joined(make_socket: MakeSocket, *groups: str, **options: Any) -> Any:
    """A DISH that joined groups."""
    dish = make_socket(zmq.DISH, **options)
    for group in groups:
        dish.join(group)
    return dish


def session_of(socket: Any) -> Any:
    """The one datagram endpoint of a socket."""
    (session,) = socket._engine.sessions.values()
    return session


# -- the wire ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("group", "body"), [("g", b"body"), ("", b""), ("g" * 255, b"x" * 100), ("ä", b"\0")])
def test_radio_sends_length_group_body(
    make_socket: MakeSocket, raw: stdlib_socket.socket, group: str, body: bytes
) -> None:
    """Byte for byte what libzmq sends, whoever listens."""
    radio = make_socket(zmq.RADIO)
    radio.connect(f"udp://127.0.0.1:{raw.getsockname()[1]}")
    radio.send(body, group=group)
    name = group.encode()
    assert bytes([len(name)]) + name + body == raw.recv(9000)


def test_dish_reads_length_group_body(make_socket: MakeSocket, raw: stdlib_socket.socket) -> None:
    """From any program; the group is told by the Frame."""
    dish = joined(make_socket, "weather")
    bound(dish)
    raw.sendto(b"\x07weathersunny", ("127.0.0.1", port_of(dish)))
    frame = dish.recv(copy=False)
    assert (b"sunny", "weather") == (frame.bytes, frame.group)


@pytest.mark.parametrize("datagram", [b"", b"\x05four", b"\xff"])
def test_dish_malformed_datagram_is_dropped_and_counted(
    make_socket: MakeSocket, raw: stdlib_socket.socket, datagram: bytes
) -> None:
    """The next good one arrives."""
    dish = joined(make_socket, "g")
    bound(dish)
    raw.sendto(datagram, ("127.0.0.1", port_of(dish)))
    raw.sendto(b"\x01gok", ("127.0.0.1", port_of(dish)))
    assert b"ok" == dish.recv()
    assert 1 == session_of(dish).connection.malformed


def test_dish_random_datagrams_end_nothing(make_socket: MakeSocket, raw: stdlib_socket.socket) -> None:
    """Noise from the network, from bytes to the largest datagram, never stops what is wanted."""
    dish = joined(make_socket, "g")
    bound(dish)
    source = random.Random(7)
    for number in range(300):
        noise = source.randbytes(source.choice((0, 1, 2, 50, 300, 1400, 8193, 60_000)))
        raw.sendto(noise[:1].replace(b"\x01", b"\x02") + noise[1:], ("127.0.0.1", port_of(dish)))
        raw.sendto(b"\x01g%d" % number, ("127.0.0.1", port_of(dish)))
        assert b"%d" % number == dish.recv()


# -- radio and dish ------------------------------------------------------------------------------------------------


def test_dish_gets_joined_groups_only(make_socket: MakeSocket) -> None:
    """Exactly those, no prefixes; what was left is dropped even if it is here already."""
    dish, radio = joined(make_socket, "a", "b"), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    for group in ("a", "ab", "", "b", "c"):
        radio.send(group.encode(), group=group)
    assert [b"a", b"b"] == [dish.recv(), dish.recv()]
    radio.send(b"late", group="a")
    assert dish.poll(1000)
    dish.leave("a")
    radio.send(b"last", group="b")
    assert b"last" == dish.recv()


def test_dish_over_udp_and_tcp_at_once(make_socket: MakeSocket) -> None:
    """One socket, both kinds of peers; a RADIO likewise."""
    dish, by_udp, by_both = joined(make_socket, "g"), make_socket(zmq.RADIO), make_socket(zmq.RADIO)
    tcp = bind(dish, "tcp")
    udp = bound(dish)
    by_udp.connect(udp)
    by_both.connect(udp)
    by_both.connect(tcp)
    by_udp.send(b"udp", group="g")
    assert b"udp" == dish.recv()

    def has_both() -> bool:
        """Whether the JOIN came by tcp: then each message comes twice."""
        by_both.send(b"both", group="g")
        assert b"both" == dish.recv()
        return bool(try_recv(dish, 20) is not None)

    eventually(has_both)


def test_radio_without_listener_goes_on(make_socket: MakeSocket) -> None:
    """Nobody is bound yet: datagrams are lost, the socket lives."""
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    radio = make_socket(zmq.RADIO)
    radio.connect(f"udp://127.0.0.1:{port}")
    for _ in range(20):
        radio.send(b"lost", group="g")
    dish = joined(make_socket, "g")
    dish.bind(f"udp://127.0.0.1:{port}")
    radio.send(b"heard", group="g")
    assert b"heard" == dish.recv()


def test_radio_to_unreachable_network_counts_and_goes_on(make_socket: MakeSocket) -> None:
    """What the system refuses to send is one datagram less."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    session = session_of(radio)
    good, session.stream.target = session.stream.target, ("0.0.0.0", 0)
    radio.send(b"nowhere", group="g")
    assert (1, 1) == (session.stream.errors, session.pipe.dropped)
    session.stream.target = good
    radio.send(b"x", group="g")
    assert b"x" == dish.recv()


def test_radio_message_that_fits_no_datagram_raises_emsgsize(make_socket: MakeSocket) -> None:
    """8192 bytes with group and length; the error comes before anybody gets the message."""
    dish, radio = joined(make_socket, "gg"), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    radio.send(b"x" * 8189, group="gg")
    assert b"x" * 8189 == dish.recv()
    with pytest.raises(zmq.ZMQError, match="8193") as caught:
        radio.send(b"x" * 8190, group="gg")
    assert errno.EMSGSIZE == caught.value.errno
    radio.send(b"next", group="gg")
    assert b"next" == dish.recv()


@pytest.mark.parametrize(
    "interface",
    [
        f"{LOOPBACK};",
        pytest.param("lo;", marks=pytest.mark.skipif(sys.platform != "linux", reason="Linux' name of loopback")),
        pytest.param("", marks=pytest.mark.skipif(not find_multicast4_interface(), reason="no route to groups here")),
    ],
)
def test_multicast_reaches_every_dish(make_socket: MakeSocket, interface: str) -> None:
    """Two sockets share group and port; the interface by address, by name, or the system's choice."""
    first, second, radio = joined(make_socket, "g"), joined(make_socket, "g"), make_socket(zmq.RADIO)
    endpoint = bound(first, f"udp://{interface}{GROUP}:*")
    second.bind(endpoint)
    radio.connect(endpoint)
    radio.send(b"all", group="g")
    assert [b"all", b"all"] == [first.recv(), second.recv()]


@needs_multicast6
def test_multicast_of_ipv6(make_socket: MakeSocket) -> None:
    """A group of IPv6 by the name of an interface."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    radio.connect(bound(dish, f"udp://{find_multicast6_interface()};[{GROUP6}]:*"))
    radio.send(b"six", group="g")
    assert b"six" == dish.recv()


def test_wildcard_with_ipv6_hears_ipv4(make_socket: MakeSocket) -> None:
    """IPV6=1 with ``*`` is dual-stack, or IPv4 where there is no IPv6."""
    dish, radio = joined(make_socket, "g", ipv6=1), make_socket(zmq.RADIO)
    bound(dish, "udp://*:*")
    radio.connect(f"udp://127.0.0.1:{port_of(dish)}")
    radio.send(b"x", group="g")
    assert b"x" == dish.recv()


def test_radio_drops_and_counts_what_the_system_takes_not_now(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fire and forget: a full system queue costs the datagram, not the sender's time."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    with monkeypatch.context() as patch:
        patch.setattr(DatagramSocket, "try_send", lambda *_: False)
        for _ in range(3):
            radio.send(b"dropped", group="g")
    assert 3 == session_of(radio).pipe.dropped
    radio.send(b"sent", group="g")
    assert b"sent" == dish.recv()


def test_radio_with_nodrop_keeps_what_the_system_takes_not_now(
    make_socket: MakeSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XPUB_NODROP: it waits, in order, and at the high-water mark send says Again."""
    dish = joined(make_socket, "g")
    radio = make_socket(zmq.RADIO, xpub_nodrop=1, sndhwm=2)
    radio.connect(bound(dish))
    with monkeypatch.context() as patch:
        patch.setattr(DatagramSocket, "try_send", lambda *_: False)
        radio.send(b"0", group="g")
        radio.send(b"1", group="g")
        with pytest.raises(zmq.Again):
            radio.send(b"2", zmq.DONTWAIT, group="g")
    assert [b"0", b"1"] == [dish.recv(), dish.recv()]
    radio.send(b"2", group="g")
    assert b"2" == dish.recv()


@pytest.mark.skipif(sys.platform != "linux", reason="Linux' numbers of the options that tell TTL and TOS")
def test_multicast_hops_and_tos_are_in_the_datagram(make_socket: MakeSocket) -> None:
    """Set on a RADIO before connect, they arrive at a member of the group."""
    ip_recvttl, ip_ttl = 12, 2
    with stdlib_socket.socket(stdlib_socket.AF_INET, stdlib_socket.SOCK_DGRAM) as member:
        member.bind(("", 0))
        request = stdlib_socket.inet_aton(GROUP) + stdlib_socket.inet_aton(LOOPBACK)
        member.setsockopt(stdlib_socket.IPPROTO_IP, stdlib_socket.IP_ADD_MEMBERSHIP, request)
        member.setsockopt(stdlib_socket.IPPROTO_IP, ip_recvttl, 1)
        member.setsockopt(stdlib_socket.IPPROTO_IP, stdlib_socket.IP_RECVTOS, 1)
        radio = make_socket(zmq.RADIO, multicast_hops=7, tos=0x28)
        radio.connect(f"udp://{LOOPBACK};{GROUP}:{member.getsockname()[1]}")
        radio.send(b"x", group="g")
        assert select.select([member], [], [], 5)[0]
        ancillary = {kind: data[0] for _, kind, data in member.recvmsg(100, 100)[1]}
    assert {ip_ttl: 7, stdlib_socket.IP_TOS: 0x28} == ancillary


@pytest.mark.skipif(sys.platform != "linux", reason="BINDTODEVICE works on Linux only")
def test_bindtodevice_decides_which_device_is_heard(make_socket: MakeSocket) -> None:
    """A DISH on ``lo`` hears this machine; a device that is not there is ENODEV, for both roles."""
    dish, radio = joined(make_socket, "g", bindtodevice=b"lo"), make_socket(zmq.RADIO)
    bound(dish, "udp://*:*")
    radio.connect(f"udp://127.0.0.1:{port_of(dish)}")
    radio.send(b"x", group="g")
    assert b"x" == dish.recv()
    for kind, how in ((zmq.DISH, "bind"), (zmq.RADIO, "connect")):
        with pytest.raises(zmq.ZMQError) as caught:
            getattr(make_socket(kind, bindtodevice=b"nosuchdev9"), how)("udp://127.0.0.1:5")
        assert errno.ENODEV == caught.value.errno


# -- calls ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "how"), WRONG_ROLES)
def test_wrong_type_or_role_raises_enocompatproto(make_socket: MakeSocket, kind: str, how: str) -> None:
    """DISH and DGRAM bind, RADIO connects; also when the address is garbage."""
    socket = make_socket(getattr(zmq, kind))
    for endpoint in ("udp://127.0.0.1:5555", "udp://garbage"):
        with pytest.raises(zmq.ZMQError) as caught:
            getattr(socket, how)(endpoint)
        assert zmq.ENOCOMPATPROTO == caught.value.errno


def test_garbage_endpoints_raise_and_leave_the_socket_usable(make_socket: MakeSocket) -> None:
    """Every one is an error; then a good one works."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    for address in (
        "x",
        ":",
        "1.2.3.4",
        "127.0.0.1:x",
        f"nosuchif9;{GROUP}:5",
        "nosuch.invalid:5",
        "[::",
        "\N{SNOWMAN}:1",
    ):
        for call in (dish.bind, radio.connect):
            with pytest.raises(zmq.ZMQError) as caught:
                call(f"udp://{address}")
            assert caught.value.errno in {errno.EINVAL, errno.ENODEV}
    radio.connect(bound(dish))
    radio.send(b"x", group="g")
    assert b"x" == dish.recv()


def test_unbind_frees_address_and_keeps_unread(make_socket: MakeSocket) -> None:
    """What arrived stays readable; the address can be bound again at once; a second unbind is ENOENT."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    endpoint = bound(dish)
    radio.connect(endpoint)
    radio.send(b"kept", group="g")
    assert dish.poll(5000)
    dish.unbind(endpoint)
    other = joined(make_socket, "g")
    other.bind(endpoint)
    radio.send(b"other", group="g")
    assert [b"kept", b"other"] == [dish.recv(), other.recv()]
    for text in (endpoint, "udp://127.0.0.1:1"):
        with pytest.raises(zmq.ZMQError) as caught:
            dish.unbind(text)
        assert errno.ENOENT == caught.value.errno


def test_unbind_by_the_text_that_was_given(make_socket: MakeSocket) -> None:
    """Both texts name the endpoint."""
    dish = make_socket(zmq.DISH)
    bound(dish)
    dish.unbind("udp://127.0.0.1:*")
    assert {} == dish._engine.sessions


def test_disconnect_sends_no_more(make_socket: MakeSocket) -> None:
    """What was sent before arrives, the rest goes nowhere; the second is ENOENT."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    endpoint = bound(dish)
    radio.connect(endpoint)
    radio.send(b"before", group="g")
    radio.disconnect(endpoint)
    radio.send(b"after", group="g")
    assert b"before" == dish.recv()
    assert try_recv(dish, 20) is None
    with pytest.raises(zmq.ZMQError) as caught:
        radio.disconnect(endpoint)
    assert errno.ENOENT == caught.value.errno


def test_bind_address_in_use_raises(make_socket: MakeSocket) -> None:
    """A unicast address belongs to one socket; bind fails, not silently the second."""
    endpoint = bound(make_socket(zmq.DISH))
    with pytest.raises(zmq.ZMQError) as caught:
        make_socket(zmq.DISH).bind(endpoint)
    assert errno.EADDRINUSE == caught.value.errno


def test_bind_to_random_port_tells_port(make_socket: MakeSocket) -> None:
    """pyzmq's helper works with udp, too."""
    dish = make_socket(zmq.DISH)
    assert dish.bind_to_random_port("udp://127.0.0.1") == port_of(dish)


def test_recv_timeout_and_blocking_recv(make_socket: MakeSocket) -> None:
    """RCVTIMEO raises Again; a blocked recv wakes with the datagram."""
    dish, radio = joined(make_socket, "g", rcvtimeo=10), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    with pytest.raises(zmq.Again):
        dish.recv()
    dish.rcvtimeo = 5000
    call = run_in_thread(dish.recv)
    assert call.still_runs_after(0.05)
    radio.send(b"woken", group="g")
    assert b"woken" == call.result()


def test_poll_poller_and_fd_see_datagrams(make_socket: MakeSocket) -> None:
    """POLLIN, a Poller, and the descriptor for foreign loops."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    assert 0 == dish.poll(0)
    assert zmq.POLLOUT == radio.poll(0, zmq.POLLOUT)
    poller = zmq.Poller()
    poller.register(dish, zmq.POLLIN)
    fd = dish.getsockopt(zmq.FD)
    dish.getsockopt(zmq.EVENTS)
    assert ([], [], []) == select.select([fd], [], [], 0)
    radio.send(b"x", group="g")
    assert ([fd], [], []) == select.select([fd], [], [], 5)
    assert [(dish, zmq.POLLIN)] == poller.poll(5000)
    assert zmq.POLLIN == dish.getsockopt(zmq.EVENTS)
    assert b"x" == dish.recv()


def test_close_and_term_end_blocked_calls(make_context: Callable[[], Any]) -> None:
    """A recv that waits for datagrams ends with its socket, or with its context."""
    context = make_context()
    first, second = context.socket(zmq.DISH), context.socket(zmq.DISH)
    for dish in (first, second):
        bound(dish)
    waiting = [run_in_thread(dish.recv) for dish in (first, second)]
    assert all(call.still_runs_after(0.02) for call in waiting)
    first.close(0)
    with pytest.raises(zmq.ZMQError) as caught:
        waiting[0].result()
    assert zmq.ENOTSOCK == caught.value.errno
    end = run_in_thread(context.term)
    with pytest.raises(zmq.ContextTerminated):
        waiting[1].result()
    second.close()
    end.result()


def test_close_after_send_loses_nothing(make_socket: MakeSocket) -> None:
    """A message that was sent has left before close returns."""
    dish, radio = joined(make_socket, "g"), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    radio.send(b"x", group="g")
    radio.close(0)
    assert b"x" == dish.recv()


def test_receive_high_water_mark_stops_reading(make_socket: MakeSocket) -> None:
    """RCVHWM messages wait in the socket, the system holds the next ones, and reading goes on with recv."""
    dish, radio = joined(make_socket, "g", rcvhwm=3), make_socket(zmq.RADIO)
    radio.connect(bound(dish))
    for number in range(10):
        radio.send(b"%d" % number, group="g")
    dish.poll(5000)
    eventually(lambda: dish.stats().unread >= 3)  # one of them may be in the hand of poll
    for _ in range(3):
        dish.poll(0)
    assert dish.stats().unread <= 6
    assert [b"%d" % number for number in range(10)] == [dish.recv() for _ in range(10)]


def test_monitor_tells_listening_and_closed(make_socket: MakeSocket) -> None:
    """With the resolved endpoint; a bind that fails is told, too."""
    dish = make_socket(zmq.DISH)
    with EventWatch(dish) as watch:
        endpoint = bound(dish)
        assert endpoint == watch.wait_for(zmq.Event.LISTENING)["endpoint"].decode()
        with pytest.raises(zmq.ZMQError):
            dish.bind(endpoint)
        assert errno.EADDRINUSE == watch.wait_for(zmq.Event.BIND_FAILED)["value"]
        dish.unbind(endpoint)
        assert endpoint == watch.wait_for(zmq.Event.CLOSED)["endpoint"].decode()


def test_threads_send_by_one_radio(make_socket: MakeSocket) -> None:
    """Whole datagrams from every thread."""
    dish, radio = joined(make_socket, "g", rcvbuf=1 << 20, rcvhwm=0), make_socket(zmq.RADIO)
    radio.connect(bound(dish))

    def send_some(name: int) -> None:
        for number in range(50):
            radio.send(b"%d %d" % (name, number), group="g")

    calls = [run_in_thread(send_some, name) for name in range(4)]
    for call in calls:
        call.result()
    found = sorted(dish.recv() for _ in range(200))
    assert sorted(b"%d %d" % (name, number) for name in range(4) for number in range(50)) == found
