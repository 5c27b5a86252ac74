"""Syntax of endpoints: what is taken, what is refused, and that the text tells why."""

from __future__ import annotations

import errno

import pytest

from purezmq.endpoint import Endpoint, HostPort, parse_endpoint, parse_tcp_bind, parse_tcp_connect
from purezmq.error import ZMQError


@pytest.mark.parametrize(
    ("text", "scheme", "address"),
    [
        ("tcp://127.0.0.1:5555", "tcp", "127.0.0.1:5555"),
        (b"ipc:///tmp/x", "ipc", "/tmp/x"),
        ("inproc://a://b", "inproc", "a://b"),
        ("tcp://[::1]:*", "tcp", "[::1]:*"),
    ],
)
def test_parse_endpoint_valid_text_splits_at_the_first_separator(text, scheme, address):
    """Scheme and address are the texts before and after the first '://'; bytes are taken too."""
    endpoint = parse_endpoint(text)
    assert (scheme, address) == (endpoint.scheme, endpoint.address)
    assert f"{scheme}://{address}" == str(endpoint)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("tcp//x", "no '://'"),
        ("", "no '://'"),
        ("127.0.0.1:5555", "no '://'"),
        ("://x", "no scheme"),
        ("tcp://", "tcp://127.0.0.1:5555"),
        ("ipc://", "no address"),
        ("inproc://", "inproc://name"),
        ("ipc://a\0b", "NUL"),
    ],
)
def test_parse_endpoint_bad_text_raises_einval_with_cause(text, word):
    """An endpoint without '://', scheme or address is EINVAL, and the text names what is missing."""
    with pytest.raises(ZMQError) as caught:
        parse_endpoint(text)
    assert errno.EINVAL == caught.value.errno
    assert word in str(caught.value)


def test_parse_endpoint_not_text_raises_type_error():
    """An endpoint that is no text is a mistake of the program."""
    with pytest.raises(TypeError, match="int"):
        parse_endpoint(5555)


def test_endpoint_equal_text_is_equal_and_hashes_alike():
    """Endpoints compare by scheme and address."""
    assert Endpoint("tcp", "a:1") == parse_endpoint("tcp://a:1")
    assert Endpoint("tcp", "a:1") != Endpoint("ipc", "a:1")
    assert Endpoint("tcp", "a:1") != "tcp://a:1"
    assert 1 == len({Endpoint("tcp", "a:1"), Endpoint("tcp", "a:1")})
    assert "Endpoint('tcp://a:1')" == repr(Endpoint("tcp", "a:1"))


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("127.0.0.1:5555", "127.0.0.1", 5555),
        ("*:*", "*", 0),
        ("*:0", "*", 0),
        ("[::1]:5556", "::1", 5556),
        ("::1:5557", "::1", 5557),
        ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
        ("eth0:65535", "eth0", 65535),
        ("eth0:1:80", "eth0:1", 80),
        ("localhost:00080", "localhost", 80),
        ("10.0.0.1:0;127.0.0.1:80", "127.0.0.1", 80),
    ],
)
def test_parse_tcp_bind_valid_address_gives_host_and_port(address, host, port):
    """The last colon separates the port, brackets fall away, '*' is port 0, a source is ignored."""
    assert HostPort(host, port) == parse_tcp_bind(Endpoint("tcp", address))


@pytest.mark.parametrize(
    ("address", "number", "word"),
    [
        ("127.0.0.1", errno.EINVAL, "no port"),
        ("[::1]", errno.EINVAL, "no port"),
        ("127.0.0.1:", errno.EINVAL, "no number"),
        ("127.0.0.1:abc", errno.EINVAL, "'abc'"),
        ("127.0.0.1:80 ", errno.EINVAL, "'80 '"),
        ("127.0.0.1:-1", errno.EINVAL, "0..65535"),
        ("127.0.0.1:\u0663", errno.EINVAL, "no number"),
        ("127.0.0.1:65536", errno.EINVAL, "out of range"),
        ("127.0.0.1:" + "9" * 9000, errno.EINVAL, "out of range"),
        ("[::1:5", errno.EINVAL, "brackets"),
        ("::1]:5", errno.EINVAL, "brackets"),
        ("[]:5", errno.EINVAL, "brackets"),
        (":5555", errno.ENODEV, "no host"),
    ],
)
def test_parse_tcp_bind_bad_address_raises_with_cause(address, number, word):
    """What cannot be bound by its syntax is refused with libzmq's errno and the cause."""
    with pytest.raises(ZMQError) as caught:
        parse_tcp_bind(Endpoint("tcp", address))
    assert number == caught.value.errno
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("address", "source", "target"),
    [
        ("127.0.0.1:80", None, HostPort("127.0.0.1", 80)),
        ("127.0.0.1:0", None, HostPort("127.0.0.1", 0)),
        ("192.168.1.5:0;10.0.0.1:5555", HostPort("192.168.1.5", 0), HostPort("10.0.0.1", 5555)),
        ("192.168.1.5:777;10.0.0.1:5555", HostPort("192.168.1.5", 777), HostPort("10.0.0.1", 5555)),
        ("192.168.1.5;10.0.0.1:5555", HostPort("192.168.1.5", 0), HostPort("10.0.0.1", 5555)),
        ("[::1];[::2]:5", HostPort("::1", 0), HostPort("::2", 5)),
        ("[::1]:9;[::2]:5", HostPort("::1", 9), HostPort("::2", 5)),
        ("eth0;host.example:5", HostPort("eth0", 0), HostPort("host.example", 5)),
        ("*;10.0.0.1:5", None, HostPort("10.0.0.1", 5)),
        ("*:*;10.0.0.1:5", None, HostPort("10.0.0.1", 5)),
        ("*:777;10.0.0.1:5", HostPort("*", 777), HostPort("10.0.0.1", 5)),
        ("[fe80::1%eth0]:5", None, HostPort("fe80::1%eth0", 5)),
        ("my_host-1:5", None, HostPort("my_host-1", 5)),
    ],
)
def test_parse_tcp_connect_valid_address_gives_source_and_target(address, source, target):
    """A source may be an address or an interface, with or without port; a source that says nothing is None."""
    assert (source, target) == parse_tcp_connect(Endpoint("tcp", address))


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("*:1", "name the host"),
        ("localhost:*", "LAST_ENDPOINT"),
        ("127.0.0.1", "no port"),
        (":5555", "name the host"),
        ("a b:5", "' '"),
        ("host/path:5", "'/'"),
        ("1.2.3.4:5/x", "'5/x'"),
        ("127.0.0.1:80 ", "'80 '"),
        ("127.0.0.1:99999", "out of range"),
        ("a b;127.0.0.1:5", "' '"),
        ("127.0.0.1:5;", "no port"),
    ],
)
def test_parse_tcp_connect_bad_address_raises_einval_with_cause(address, word):
    """What cannot be connected to by its syntax is EINVAL, with cause and cure."""
    with pytest.raises(ZMQError) as caught:
        parse_tcp_connect(Endpoint("tcp", address))
    assert errno.EINVAL == caught.value.errno
    assert word in str(caught.value)


def test_host_port_repr_tells_host_and_port():
    """The repr shows both fields; other types are unequal; equal ones hash alike."""
    assert "HostPort('::1', 5)" == repr(HostPort("::1", 5))
    assert HostPort("a", 1) != ("a", 1)
    assert hash(HostPort("a", 1)) == hash(HostPort("a", 1))
