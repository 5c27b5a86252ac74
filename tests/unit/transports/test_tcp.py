"""The tcp transport on loopback."""

from __future__ import annotations

import errno
import socket
import sys

import pytest

from purezmq.error import ZMQError
from purezmq.transports import tcp
from purezmq.transports.base import Address
from purezmq.transports.registry import get_transport

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="names and options of Linux")


def _has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


def _port(listener):
    return listener.endpoint.rpartition(":")[2]


@pytest.mark.parametrize(
    ("bind", "ipv6", "prefix", "connect"),
    [
        ("tcp://127.0.0.1:*", 0, "tcp://127.0.0.1:", "tcp://127.0.0.1:{}"),
        ("tcp://127.0.0.1:0", 1, "tcp://127.0.0.1:", "tcp://localhost:{}"),
        ("tcp://*:*", 0, "tcp://0.0.0.0:", "tcp://127.0.0.1:{}"),
        ("tcp://localhost:*", 0, "tcp://127.0.0.1:", "tcp://localhost:{}"),
        pytest.param("tcp://lo:*", 0, "tcp://127.0.0.1:", "tcp://127.0.0.1:{}", marks=LINUX),
        pytest.param("tcp://lo:*", 1, "tcp://[::1]:", "tcp://[::1]:{}", marks=[LINUX, IPV6]),
        pytest.param("tcp://[::1]:*", 0, "tcp://[::1]:", "tcp://[::1]:{}", marks=IPV6),
        pytest.param("tcp://*:*", 1, "tcp://[::]:", "tcp://[::1]:{}", marks=IPV6),
        pytest.param("tcp://*:*", 1, "tcp://[::]:", "tcp://127.0.0.1:{}", marks=IPV6),
        pytest.param("tcp://127.0.0.1:*", 0, "tcp://127.0.0.1:", "tcp://127.0.0.1:0;127.0.0.1:{}"),
        pytest.param("tcp://127.0.0.1:*", 0, "tcp://127.0.0.1:", "tcp://*:*;127.0.0.1:{}"),
        pytest.param("tcp://127.0.0.1:*", 0, "tcp://127.0.0.1:", "tcp://lo;127.0.0.1:{}", marks=LINUX),
        pytest.param("tcp://[::1]:*", 0, "tcp://[::1]:", "tcp://[::1];[::1]:{}", marks=IPV6),
    ],
)
def test_listen_address_forms_accept_a_connection(harness, bind, ipv6, prefix, connect):
    """Every form of an address is bound, told by LAST_ENDPOINT, and carries bytes both ways."""
    listener = harness.listen(bind, ipv6=ipv6)
    assert listener.endpoint.startswith(prefix)
    assert int(_port(listener)) > 0
    client = harness.connect(connect.format(_port(listener)), ipv6=ipv6)
    server = harness.accept(listener)
    client.try_write([b"ping"])
    harness.wait(server)
    assert b"ping" == server.try_read(10)
    server.try_write([b"pong"])
    harness.wait(client)
    assert b"pong" == client.try_read(10)
    assert server.remote == client.local
    assert client.remote == server.local


@IPV6
def test_listen_ipv6_literal_without_option_takes_no_ipv4(harness):
    """Dual stack is what IPV6=1 means; without it '::' leaves the port free for IPv4."""
    listener = harness.listen("tcp://[::]:*")
    assert f"tcp://0.0.0.0:{_port(listener)}" == harness.listen(f"tcp://*:{_port(listener)}").endpoint


@IPV6
def test_accept_ipv4_peer_of_dual_stack_listener_is_shown_as_ipv4(harness):
    """Filters and whitelists see 127.0.0.1, not ::ffff:127.0.0.1."""
    listener = harness.listen("tcp://*:*", ipv6=1, tcp_accept_filter=(b"127.0.0.0/8",))
    harness.connect(f"tcp://127.0.0.1:{_port(listener)}")
    assert "127.0.0.1" == harness.accept(listener).peer_address


def test_stream_names_are_endpoints(harness):
    """Both ends know both endpoints and the peer's address; nothing is left after close but the peer's."""
    listener, client, server = harness.pair("tcp://127.0.0.1:*")
    assert listener.endpoint == client.remote == server.local
    assert "127.0.0.1" == client.peer_address == server.peer_address
    client.close()
    assert ("", listener.endpoint) == (client.local, client.remote)


@pytest.mark.parametrize(
    ("endpoint", "number", "words"),
    [
        ("tcp://127.0.0.1", errno.EINVAL, ["no port"]),
        ("tcp://8.8.8.8:1", errno.EADDRNOTAVAIL, ["tcp://8.8.8.8:1", "interface", "'*'"]),
        ("tcp://a..b:1", errno.ENODEV, ["'a..b'", "interface", "'*'"]),
    ],
)
def test_listen_bad_address_raises_with_cause_and_cure(harness, endpoint, number, words):
    """What cannot be bound has libzmq's errno, and a text with cause and cure."""
    with pytest.raises(ZMQError) as caught:
        harness.listen(endpoint)
    assert number == caught.value.errno
    for word in words:
        assert word in str(caught.value)


def test_listen_unknown_host_raises_enodev(harness, monkeypatch):
    """A host that the name server does not know is ENODEV; the resolver's error is the cause."""

    def resolve_host(host, port, *, ipv6, passive):
        raise OSError(errno.EHOSTUNREACH, "cannot resolve")

    monkeypatch.setattr(tcp, "resolve_host", resolve_host)
    with pytest.raises(ZMQError, match="'nosuchhost' is no address, network interface or host name") as caught:
        harness.listen("tcp://nosuchhost:1")
    assert errno.ENODEV == caught.value.errno
    assert isinstance(caught.value.__cause__, OSError)


def test_listen_interface_without_address_raises_enodev(harness, monkeypatch):
    """An interface that has no address is told as that."""

    def interface_address(name, port, *, ipv6):
        raise OSError(errno.EADDRNOTAVAIL, "the interface 'eth9' has no IPv4 address")

    monkeypatch.setattr(tcp, "interface_address", interface_address)
    with pytest.raises(ZMQError, match="'eth9' has no IPv4 address") as caught:
        harness.listen("tcp://eth9:1")
    assert errno.ENODEV == caught.value.errno


def test_listen_address_in_use_raises_eaddrinuse_naming_it(harness):
    """A port that a live socket has is EADDRINUSE, and the text names the endpoint and the cure."""
    first = harness.listen("tcp://127.0.0.1:*")
    with pytest.raises(ZMQError, match="LAST_ENDPOINT") as caught:
        harness.listen(first.endpoint)
    assert errno.EADDRINUSE == caught.value.errno
    assert first.endpoint in str(caught.value)


def test_listen_name_tries_its_next_address_only_if_one_is_not_here(harness, monkeypatch):
    """A name's address of another machine is skipped; one in use is an error, not a reason to listen elsewhere."""
    first = harness.listen("tcp://127.0.0.1:*")
    port = int(_port(first))
    absent, busy = (socket.AF_INET, ("8.8.8.8", port)), (socket.AF_INET, ("127.0.0.1", port))
    here = (socket.AF_INET, ("127.0.0.2", port))
    monkeypatch.setattr(tcp, "resolve_host", lambda *_, **__: [absent, here])
    assert f"tcp://127.0.0.2:{port}" == harness.listen(f"tcp://name:{port}").endpoint
    monkeypatch.setattr(tcp, "resolve_host", lambda *_, **__: [busy, (socket.AF_INET, ("127.0.0.3", port))])
    with pytest.raises(ZMQError) as caught:
        harness.listen(f"tcp://name:{port}")
    assert errno.EADDRINUSE == caught.value.errno


def test_listen_again_after_close_with_connections_succeeds(harness):
    """When close returns the address is free, whatever its connections do."""
    listener, client, server = harness.pair("tcp://127.0.0.1:*")
    endpoint = listener.endpoint
    for _ in range(100):
        server.close()
        client.close()
        listener.close()
        listener, client, server = harness.pair(endpoint)


def test_listen_port_zero_many_times_gives_distinct_ports(harness):
    """Ports chosen by the system never clash."""
    listeners = [harness.listen("tcp://127.0.0.1:0") for _ in range(200)]
    assert 200 == len({listener.endpoint for listener in listeners})


def test_accept_filter_refuses_others_and_admits_members(harness):
    """With TCP_ACCEPT_FILTER only peers of its networks are let in; others are closed and the next is tried."""
    listener = harness.listen("tcp://127.0.0.1:*", tcp_accept_filter=(b"10.0.0.0/8", b"127.0.0.2"))
    refused = harness.connect(listener.endpoint)
    harness.connect(listener.endpoint.replace("tcp://", "tcp://127.0.0.2;"))
    assert "127.0.0.2" == harness.accept(listener).peer_address
    harness.wait(refused)
    assert b"" == refused.try_read(1)


def test_accept_filter_no_network_raises_einval(harness):
    """A filter that is no network is EINVAL with an example; an adopted descriptor stays the caller's."""
    with pytest.raises(ZMQError, match=r"'nonsense' is no network.*10\.0\.0\.0/8") as caught:
        harness.listen("tcp://127.0.0.1:*", tcp_accept_filter=(b"nonsense",))
    assert errno.EINVAL == caught.value.errno
    server = harness.keep(socket.create_server(("127.0.0.1", 0)))
    with pytest.raises(ZMQError):
        harness.listen("tcp://127.0.0.1:*", tcp_accept_filter=(b"nonsense",), use_fd=server.fileno())
    assert server.getsockname()


@pytest.mark.parametrize("listening", [True, False])
def test_listen_use_fd_adopts_the_descriptor(harness, listening):
    """A bound socket from outside is taken over, listening already or not, and tells its own address."""
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    if listening:
        server.listen()
    host, port = server.getsockname()
    listener, client, _ = harness.pair("tcp://*:*", f"tcp://{host}:{port}", use_fd=server.detach())
    assert f"tcp://{host}:{port}" == listener.endpoint == client.remote


def test_listen_use_fd_no_socket_raises(harness, tmp_path):
    """A descriptor that is no socket, or one of another kind, is refused and stays open."""
    with pytest.raises(ZMQError, match="USE_FD=99999") as caught:
        harness.listen("tcp://*:*", use_fd=99999)
    assert errno.EBADF == caught.value.errno
    with (tmp_path / "file").open("w") as file:
        with pytest.raises(ZMQError, match="descriptor of a bound socket") as caught:
            harness.listen("tcp://*:*", use_fd=file.fileno())
        assert errno.ENOTSOCK == caught.value.errno
        file.write("open")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        with pytest.raises(ZMQError, match="stream socket") as caught:
            harness.listen("tcp://*:*", use_fd=sock.fileno())
        assert errno.EINVAL == caught.value.errno
        sock.bind(("127.0.0.1", 0))


def test_connect_refused_raises_from_finish(harness):
    """Nobody listens: ECONNREFUSED, with the endpoint in the text."""
    endpoint = harness.listen("tcp://127.0.0.1:*").endpoint
    harness.close()
    with pytest.raises(OSError, match=f"cannot connect to '{endpoint}'") as caught:
        harness.connect(endpoint)
    assert errno.ECONNREFUSED == caught.value.errno


def test_connect_to_itself_is_refused(harness):
    """A socket that met its own source port is no connection: the real listener could not bind any more."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = probe.getsockname()
    address = Address(socket.AF_INET, where, where, f"tcp://127.0.0.1:{where[1]}")
    pending = get_transport("tcp").start_connect(address, harness.options())
    with pytest.raises(OSError, match="nobody listens") as caught:
        while pending.finish() is None:
            harness.wait(pending, write=True)
    assert errno.ECONNREFUSED == caught.value.errno
    assert -1 == pending.fileno()


def test_connect_source_of_another_machine_raises_at_once(harness):
    """A source that is not here fails before anything is sent, naming it."""
    with pytest.raises(OSError, match=r"from 8\.8\.8\.8:0") as caught:
        harness.connect("tcp://8.8.8.8;127.0.0.1:1")
    assert errno.EADDRNOTAVAIL == caught.value.errno


def test_connect_source_port_is_used(harness):
    """A source with a port is what the peer sees."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listener = harness.listen("tcp://127.0.0.1:*")
    client = harness.connect(listener.endpoint.replace("tcp://", f"tcp://*:{port};"))
    assert f"tcp://127.0.0.1:{port}" == client.local


@pytest.mark.parametrize(
    ("endpoint", "number", "word"),
    [
        ("tcp://nosuchif;127.0.0.1:1", errno.ENODEV, "no network interface"),
        ("tcp://[::1];127.0.0.1:1", errno.EADDRNOTAVAIL, "same family"),
    ],
)
def test_resolve_bad_source_raises(harness, endpoint, number, word):
    """A source that is nothing here, or of the other family, is told."""
    with pytest.raises(OSError, match=word) as caught:
        harness.resolve(endpoint)
    assert number == caught.value.errno


def test_resolve_name_lists_every_address(harness, monkeypatch):
    """All addresses of a name are listed, so the next can be tried."""
    found = [(socket.AF_INET6, ("::1", 5, 0, 0)), (socket.AF_INET, ("127.0.0.1", 5))]
    monkeypatch.setattr(tcp, "resolve_host", lambda *_, **__: found)
    texts = [address.text for address in harness.resolve("tcp://name:5", ipv6=1)]
    assert ["tcp://[::1]:5", "tcp://127.0.0.1:5"] == texts
    only_v4 = harness.resolve("tcp://127.0.0.2;name:5", ipv6=1)
    assert [("tcp://127.0.0.1:5", ("127.0.0.2", 0))] == [(address.text, address.source) for address in only_v4]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [("tcp://127.0.0.1:5", False), ("tcp://[::1]:5", False), ("tcp://lo;127.0.0.1:5", False), ("tcp://name:5", True)],
)
def test_needs_resolver_is_true_for_names_only(endpoint, expected):
    """Figures never wait for a name server."""
    from purezmq.endpoint import parse_endpoint

    assert expected is get_transport("tcp").needs_resolver(parse_endpoint(endpoint))


def test_check_connect_wildcard_raises_einval(harness):
    """connect('tcp://*:1') is EINVAL with the cure."""
    with pytest.raises(ZMQError, match="name the host") as caught:
        harness.resolve("tcp://*:1")
    assert errno.EINVAL == caught.value.errno


def test_streams_have_nodelay_and_keepalive_without_heartbeats(harness):
    """P14: TCP_NODELAY always; the system's keepalive where nothing else would notice a dead peer."""
    _, *streams = harness.pair("tcp://127.0.0.1:*")
    for stream in streams:
        assert stream.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert stream.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert stream.sock.getblocking() is False
        assert stream.sock.get_inheritable() is False


@pytest.mark.parametrize(("options", "expected"), [({"tcp_keepalive": 0}, 0), ({"heartbeat_ivl": 1000}, 0)])
def test_keepalive_off_or_heartbeats_on_sets_none(harness, options, expected):
    """P14: Keepalive is left off where the application says so, or heartbeats do its work."""
    _, client, server = harness.pair("tcp://127.0.0.1:*", **options)
    for stream in (client, server):
        assert expected == stream.sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


@LINUX
def test_stream_options_reach_the_system(harness):
    """Each option is set on both ends, exactly."""
    _, *streams = harness.pair(
        "tcp://127.0.0.1:*",
        tcp_keepalive=1,
        tcp_keepalive_cnt=3,
        tcp_keepalive_idle=44,
        tcp_keepalive_intvl=5,
        tcp_maxrt=7000,
        tos=0x10,
        priority=3,
        busy_poll=1,
        sndbuf=40000,
        rcvbuf=50000,
    )
    for stream in streams:
        read = stream.sock.getsockopt
        assert 1 == read(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert 3 == read(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)
        assert 44 == read(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        assert 5 == read(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL)
        assert 7000 == read(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert 0x10 == read(socket.IPPROTO_IP, socket.IP_TOS)
        assert 3 == read(socket.SOL_SOCKET, socket.SO_PRIORITY)
        assert 80000 == read(socket.SOL_SOCKET, socket.SO_SNDBUF)
        assert 100000 == read(socket.SOL_SOCKET, socket.SO_RCVBUF)


@LINUX
@IPV6
def test_stream_tos_is_set_as_traffic_class_over_ipv6(harness):
    """TOS is the traffic class of IPv6."""
    _, client, _ = harness.pair("tcp://[::1]:*", tos=0x20)
    assert 0x20 == client.sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS)


@LINUX
def test_bindtodevice_unknown_interface_raises(harness):
    """A device that does not exist is an error on both sides: to go on without it would be unsafe."""
    with pytest.raises(ZMQError, match="BINDTODEVICE") as caught:
        harness.listen("tcp://127.0.0.1:*", bindtodevice=b"nosuchif0")
    assert caught.value.errno in {errno.ENODEV, errno.EPERM}
    with pytest.raises(OSError, match="cannot connect"):
        harness.connect("tcp://127.0.0.1:1", bindtodevice=b"nosuchif0")


def test_bindtodevice_elsewhere_raises_einval(harness, monkeypatch):
    """Where the system has no such option it is refused, not ignored."""
    monkeypatch.delattr(tcp.socket, "SO_BINDTODEVICE", raising=False)
    with pytest.raises(OSError, match="Linux only") as caught:
        harness.connect("tcp://127.0.0.1:1", bindtodevice=b"eth0")
    assert errno.EINVAL == caught.value.errno


def test_accept_peer_that_reset_already_raises_nothing(harness):
    """Settings of a connection that is gone are no error."""
    listener = harness.listen("tcp://127.0.0.1:*")
    client = harness.connect(listener.endpoint)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    stream = harness.accept(listener)
    with pytest.raises(ConnectionResetError):
        stream.try_read(1)
