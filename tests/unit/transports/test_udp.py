"""udp sockets: addresses, groups, options, errors."""

from __future__ import annotations

import errno
import select
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.effects import effect_of
from tests.support.multicast import (
    GROUP,
    GROUP6,
    LOOPBACK,
    find_multicast4_interface,
    find_multicast6_interface,
    needs_ipv6,
    needs_multicast6,
)

from purezmq.endpoint import parse_endpoint
from purezmq.error import ZMQError
from purezmq.options import SocketOptions
from purezmq.transports.datagram import DatagramSocket, DatagramTransport
from purezmq.transports.registry import get_datagram_transport, is_datagram_scheme
from purezmq.transports.udp import UdpSocket, UdpTransport, is_multicast

Open = Callable[..., UdpSocket]
WAIT_SECONDS = 5
LINUX_IP_RECVTTL = 12

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux' names of options and interfaces")


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    """Closes what a test opened."""
    with ExitStack() as stack:
        yield stack


def make_opener(opened: ExitStack, method: str) -> Open:
    """Open endpoints by a method of the transport; keywords are options."""

    def opener(text: str, **values: Any) -> UdpSocket:
        options = SocketOptions()
        for name, value in values.items():
            setattr(options, name, value)
        found: UdpSocket = getattr(UdpTransport(), method)(parse_endpoint(text), options)
        opened.callback(found.close)
        return found

    return opener


@pytest.fixture
def receiver(opened: ExitStack) -> Open:
    """Bind endpoints."""
    return make_opener(opened, "open_receiver")


@pytest.fixture
def sender(opened: ExitStack) -> Open:
    """Open senders."""
    return make_opener(opened, "open_sender")


def receive(sock: UdpSocket) -> tuple[bytes, Any]:
    """Wait for a datagram."""
    readable, _, _ = select.select([sock], [], [], WAIT_SECONDS)
    assert readable, "no datagram came"
    found = sock.try_receive()
    assert found is not None
    return found


def has_datagram(sock: UdpSocket) -> bool:
    """Whether a datagram comes in a moment."""
    return bool(select.select([sock], [], [], 0.05)[0])


def check_errno(number: int, opener: Open, text: str, **values: Any) -> str:
    """Expect an error; its text."""
    with pytest.raises(ZMQError) as caught:
        opener(text, **values)
    assert number == caught.value.errno, caught.value
    return str(caught.value)


# -- addresses -----------------------------------------------------------------------------------------------------


def test_registry_has_udp_among_datagram_schemes() -> None:
    """The engine finds the transport by its scheme."""
    assert "udp" == get_datagram_transport("udp").scheme
    assert is_datagram_scheme("udp")
    assert not is_datagram_scheme("tcp")


@pytest.mark.parametrize("text", ["udp://127.0.0.1:*", "udp://127.0.0.1:0", "udp://localhost:*"])
def test_receiver_wildcard_port_tells_port(receiver: Open, text: str) -> None:
    """The endpoint names what was really bound."""
    sock = receiver(text)
    assert f"udp://127.0.0.1:{sock.sock.getsockname()[1]}" == sock.endpoint
    assert sock.sock.getsockname()[1] > 0


def test_receiver_star_binds_every_interface(receiver: Open, sender: Open) -> None:
    """``*`` is 0.0.0.0."""
    sock = receiver("udp://*:*")
    assert sock.endpoint.startswith("udp://0.0.0.0:")
    sender(f"udp://127.0.0.1:{sock.sock.getsockname()[1]}").try_send(b"x")
    assert b"x" == receive(sock)[0]


@needs_linux
def test_receiver_interface_name_binds_its_address(receiver: Open) -> None:
    """``lo`` stands for its address."""
    assert receiver("udp://lo:*").endpoint.startswith("udp://127.0.0.1:")


def test_receiver_group_tells_interface_and_group(receiver: Open) -> None:
    """The endpoint can be given to a sender as it is."""
    sock = receiver(f"udp://{LOOPBACK};{GROUP}:*")
    assert f"udp://{LOOPBACK};{GROUP}:{sock.sock.getsockname()[1]}" == sock.endpoint
    other = receiver(f"udp://{GROUP}:*")
    assert f"udp://{GROUP}:{other.sock.getsockname()[1]}" == other.endpoint


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("udp://127.0.0.1", errno.EINVAL),
        ("udp://x", errno.EINVAL),
        ("udp://127.0.0.1:99999", errno.EINVAL),
        ("udp://127.0.0.1:http", errno.EINVAL),
        ("udp://[::1:5", errno.EINVAL),
        (f"udp://{LOOPBACK};127.0.0.1:0", errno.EINVAL),
        (f"udp://;{GROUP}:0", errno.EINVAL),
        ("udp://:5", errno.ENODEV),
        ("udp://nosuch.invalid:0", errno.ENODEV),
        (f"udp://nosuchif9;{GROUP}:0", errno.ENODEV),
        (f"udp://a;b;{GROUP}:0", errno.ENODEV),
        (f"udp://nosuchif9;[{GROUP6}]:0", errno.ENODEV),
        ("udp://203.0.113.77:0", errno.EADDRNOTAVAIL),
    ],
)
def test_receiver_bad_endpoint_raises(receiver: Open, text: str, number: int) -> None:
    """libzmq's numbers, and a text with the endpoint in it."""
    assert text in check_errno(number, receiver, text)


@pytest.mark.parametrize(
    "text",
    [
        "udp://*:5",
        "udp://127.0.0.1:*",
        "udp://127.0.0.1:0",
        "udp://nosuch.invalid:5",
        "udp://127.0.0.1",
        f"udp://{LOOPBACK};127.0.0.1:5",
        "udp://a b:5",
        f"udp://;{GROUP}:5",
    ],
)
def test_sender_bad_endpoint_raises_einval(sender: Open, text: str) -> None:
    """libzmq's number for everything but an unknown interface."""
    assert text in check_errno(errno.EINVAL, sender, text)


def test_sender_unknown_interface_raises_enodev(sender: Open) -> None:
    """The interface of a group must be one of this machine."""
    check_errno(errno.ENODEV, sender, f"udp://nosuchif9;{GROUP}:5")


def test_receiver_unicast_address_in_use_raises(receiver: Open) -> None:
    """Two sockets on one address would starve one of them."""
    first = receiver("udp://127.0.0.1:*")
    text = check_errno(errno.EADDRINUSE, receiver, first.endpoint)
    assert "only multicast groups are shared" in text


def test_receiver_close_frees_address(receiver: Open) -> None:
    """At once."""
    first = receiver("udp://127.0.0.1:*")
    first.close()
    first.close()
    assert first.endpoint == receiver(first.endpoint).endpoint
    assert -1 == first.fileno()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("224.0.0.1", True),
        ("239.255.255.255", True),
        ("223.255.255.255", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("ff02::1", True),
        ("FF15::1%eth0", True),
        ("fe80::1", False),
        ("ff::1", False),
        ("::1", False),
    ],
)
def test_is_multicast_by_address(host: str, expected: bool) -> None:
    """224.0.0.0/4 and ff00::/8."""
    assert expected == is_multicast((host, 1))


# -- peers as text -------------------------------------------------------------------------------------------------


def test_peer_text_goes_both_ways(receiver: Open) -> None:
    """What `format_peer` tells, `parse_peer` takes."""
    sock = receiver("udp://127.0.0.1:*")
    assert "127.0.0.1:5555" == sock.format_peer(("127.0.0.1", 5555))
    assert ("127.0.0.1", 5555) == sock.parse_peer("127.0.0.1:5555")


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:000080",
        "127.0.0.1:-1",
        ":80",
        "localhost:80",
        "::1:80",
        "[::1]:80",
        "[127.0.0.1:80",
        "1.2.3.4.5:80",
        "%:80",
    ],
)
def test_parse_peer_no_address_of_the_family_is_none(receiver: Open, text: str) -> None:
    """Names, bad ports, and IPv6 on a socket of IPv4."""
    assert receiver("udp://127.0.0.1:*").parse_peer(text) is None


@given(st.text(max_size=40))
def test_parse_peer_any_text_never_raises(text: str) -> None:
    """Applications send whatever they have."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        UdpSocket(sock, "udp://0.0.0.0:1").parse_peer(text)


@needs_ipv6
def test_dual_stack_socket_shows_and_reaches_ipv4_peers_as_ipv4(opened: ExitStack) -> None:
    """With IPV6=1 an IPv4 peer has the same name as without."""
    raw = opened.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
    sock = UdpSocket(raw, "udp://[::]:1")
    assert "127.0.0.1:7" == sock.format_peer(("::ffff:127.0.0.1", 7, 0, 0))
    assert "[::1]:7" == sock.format_peer(("::1", 7, 0, 0))
    assert ("::ffff:127.0.0.1", 7, 0, 0) == sock.parse_peer("127.0.0.1:7")
    assert ("::1", 7, 0, 0) == sock.parse_peer("[::1]:7")


# -- data ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 8192, 65507])
def test_datagram_of_any_size_arrives_whole(receiver: Open, sender: Open, size: int) -> None:
    """Also an empty one, and the largest."""
    sock = receiver("udp://127.0.0.1:*", rcvbuf=1 << 20)
    source = sender(sock.endpoint, sndbuf=1 << 20)
    assert source.try_send(b"x" * size)
    assert b"x" * size == receive(sock)[0]
    assert 0 == source.errors


def test_try_receive_nothing_there_is_none(receiver: Open) -> None:
    """Nothing waits here."""
    assert receiver("udp://127.0.0.1:*").try_receive() is None


def test_try_send_too_large_is_counted(receiver: Open) -> None:
    """EMSGSIZE of the system concerns one datagram."""
    sock = receiver("udp://127.0.0.1:*")
    assert sock.try_send(b"x" * 70_000, ("127.0.0.1", 9))
    assert 1 == sock.errors
    assert sock.try_send(b"x", sock.sock.getsockname())
    assert b"x" == receive(sock)[0]


def test_refused_datagram_is_counted_and_the_socket_goes_on(opened: ExitStack) -> None:
    """An ICMP error is told to a connected socket by its next call; that call still takes what arrived."""
    peer = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    peer.bind(("127.0.0.1", 0))
    address = peer.getsockname()
    raw = opened.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    raw.connect(address)
    peer.close()
    sock = DatagramSocket(raw, "udp://127.0.0.1:1", address)
    raw.send(b"to nobody")
    select.select([raw], [], [], WAIT_SECONDS)
    assert sock.try_receive() is None
    assert 1 == sock.errors
    raw.send(b"to nobody")
    select.select([raw], [], [], WAIT_SECONDS)
    sock.clear_error()
    assert 2 == sock.errors
    assert sock.try_receive() is None
    assert 2 == sock.errors


def test_full_system_queue_is_told_and_not_counted() -> None:
    """False means: wait until the descriptor is writable."""

    class Full:
        def setblocking(self, flag: bool) -> None:
            """Accepted."""

        def sendto(self, data: bytes, target: Any) -> int:
            raise BlockingIOError(errno.EAGAIN, "full")

    sock = DatagramSocket(Full(), "udp://x", ("127.0.0.1", 1))  # type: ignore[arg-type]  # a socket as far as used
    assert not sock.try_send(b"x")
    assert 0 == sock.errors


def test_base_classes_leave_the_rest_to_transports(receiver: Open) -> None:
    """The base says what a transport must do, and does nothing itself."""
    sock = DatagramSocket(receiver("udp://127.0.0.1:*").sock, "x://")
    transport = DatagramTransport()
    for call in (
        lambda: sock.format_peer(None),
        lambda: sock.parse_peer(""),
        lambda: transport.open_receiver(parse_endpoint("x://y"), SocketOptions()),
        lambda: transport.open_sender(parse_endpoint("x://y"), SocketOptions()),
    ):
        with pytest.raises(NotImplementedError):
            call()
    assert "x://" in repr(sock)


# -- multicast -----------------------------------------------------------------------------------------------------


def test_group_reaches_every_member(receiver: Open, sender: Open) -> None:
    """Several sockets share a group and its port."""
    first = receiver(f"udp://{LOOPBACK};{GROUP}:*")
    second = receiver(first.endpoint)
    sender(first.endpoint).try_send(b"all")
    assert [b"all", b"all"] == [receive(first)[0], receive(second)[0]]


@needs_linux
def test_group_is_separate_from_others_of_its_port(receiver: Open, sender: Open) -> None:
    """A socket gets the group that it joined, not what another socket joined."""
    first = receiver(f"udp://{LOOPBACK};{GROUP}:*")
    port = first.sock.getsockname()[1]
    other = receiver(f"udp://{LOOPBACK};239.255.77.78:{port}")
    sender(other.endpoint).try_send(b"other")
    assert b"other" == receive(other)[0]
    assert not has_datagram(first)


@needs_linux
def test_group_interface_by_name(receiver: Open, sender: Open) -> None:
    """``lo`` is 127.0.0.1."""
    sock = receiver(f"udp://lo;{GROUP}:*")
    assert sender(sock.endpoint).try_send(b"x")
    assert b"x" == receive(sock)[0]


def test_group_receiver_with_interface_sends_to_the_group(receiver: Open) -> None:
    """A DGRAM that joined by an interface talks to the group by it."""
    sock = receiver(f"udp://{LOOPBACK};{GROUP}:*")
    sock.try_send(b"mine", (GROUP, sock.sock.getsockname()[1]))
    assert b"mine" == receive(sock)[0]
    assert 0 == sock.errors


@effect_of("MULTICAST_LOOP")
@pytest.mark.parametrize("loop", [0, 1])
def test_multicast_loop_decides_whether_this_host_hears(receiver: Open, sender: Open, loop: int) -> None:
    """MULTICAST_LOOP=0: nobody on the sender's machine hears it; a loopback device, which is all loop, hears anyway."""
    interface = find_multicast4_interface()
    sock = receiver(f"udp://{interface or LOOPBACK};{GROUP}:*", multicast_loop=loop)
    source = sender(sock.endpoint, multicast_loop=loop)
    assert loop == source.sock.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP)
    assert source.try_send(b"x")
    if loop or not interface:
        assert b"x" == receive(sock)[0]
    else:
        assert not has_datagram(sock)


@effect_of("MULTICAST_HOPS")
@needs_linux
def test_multicast_hops_are_in_the_datagram(receiver: Open, sender: Open) -> None:
    """MULTICAST_HOPS is the TTL that arrives."""
    sock = receiver(f"udp://{LOOPBACK};{GROUP}:*")
    sock.sock.setsockopt(socket.IPPROTO_IP, LINUX_IP_RECVTTL, 1)
    for hops, expected in ((1, 1), (7, 7), (1000, 255)):
        sender(sock.endpoint, multicast_hops=hops).try_send(b"x")
        assert select.select([sock], [], [], WAIT_SECONDS)[0]
        _, ancillary, _, _ = sock.sock.recvmsg(10, 100)
        assert expected == struct.unpack("@i", ancillary[0][2])[0]


@needs_multicast6
def test_group_of_ipv6_reaches_members(receiver: Open, sender: Open) -> None:
    """By the name of an interface, and by the zone of the group."""
    interface = find_multicast6_interface()
    sock = receiver(f"udp://{interface};[{GROUP6}]:*")
    assert sock.endpoint.startswith(f"udp://{interface};[{GROUP6}")
    port = sock.sock.getsockname()[1]
    sender(f"udp://{interface};[{GROUP6}]:{port}").try_send(b"by name")
    assert b"by name" == receive(sock)[0]
    sender(f"udp://[{GROUP6}%{interface}]:{port}").try_send(b"by zone")
    assert b"by zone" == receive(sock)[0]


# -- options -------------------------------------------------------------------------------------------------------


def test_buffers_are_applied(receiver: Open, sender: Open) -> None:
    """SNDBUF and RCVBUF reach the system (Linux doubles them)."""
    sock = receiver("udp://127.0.0.1:*", rcvbuf=50_000)
    assert 50_000 <= sock.sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) <= 110_000
    source = sender(sock.endpoint, sndbuf=60_000)
    assert 60_000 <= source.sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 130_000


@needs_linux
def test_tos_is_in_the_datagram(receiver: Open, sender: Open) -> None:
    """TOS arrives."""
    sock = receiver("udp://127.0.0.1:*")
    sock.sock.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
    sender(sock.endpoint, tos=0x28).try_send(b"x")
    assert select.select([sock], [], [], WAIT_SECONDS)[0]
    _, ancillary, _, _ = sock.sock.recvmsg(10, 100)
    assert 0x28 == ancillary[0][2][0]


@needs_linux
def test_bindtodevice_unknown_device_raises_enodev(receiver: Open, sender: Open) -> None:
    """A device that must be used must be there."""
    check_errno(errno.ENODEV, receiver, "udp://127.0.0.1:*", bindtodevice=b"nosuchdev9")
    check_errno(errno.ENODEV, sender, "udp://127.0.0.1:9", bindtodevice=b"nosuchdev9")


@needs_linux
def test_bindtodevice_loopback_receives_from_it(receiver: Open, sender: Open) -> None:
    """BINDTODEVICE=lo hears this machine."""
    sock = receiver("udp://*:*", bindtodevice=b"lo")
    sender(f"udp://127.0.0.1:{sock.sock.getsockname()[1]}", bindtodevice=b"lo").try_send(b"x")
    assert b"x" == receive(sock)[0]
    level = socket.SO_BINDTODEVICE
    assert b"lo" == sock.sock.getsockopt(socket.SOL_SOCKET, level, 16).rstrip(b"\0")
