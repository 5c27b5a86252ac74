"""Names, interfaces and texts of IP addresses."""

from __future__ import annotations

import errno
import socket

import pytest

from purezmq.transports import resolve
from purezmq.transports.resolve import (
    format_endpoint,
    format_host,
    interface_address,
    resolve_host,
    resolve_numeric,
    wildcard_address,
)

LINUX = pytest.mark.skipif(not hasattr(socket, "SO_BINDTODEVICE"), reason="Linux names interfaces this way")


def _fake_getaddrinfo(monkeypatch, answer):
    """Let a name server answer, or fail with an exception; returns the list of calls."""
    calls = []

    def getaddrinfo(host, port, family, kind, proto, flags):
        calls.append((host, family))
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "not numeric")
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(resolve, "getaddrinfo", getaddrinfo)
    return calls


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", (socket.AF_INET, ("127.0.0.1", 80))),
        ("::1", (socket.AF_INET6, ("::1", 80, 0, 0))),
        ("localhost", None),
        ("a..b", None),
        ("b" * 80, None),
        ("\u00fc" * 80, None),
    ],
)
def test_resolve_numeric_returns_address_or_none(host, expected):
    """Figures become an address without a name server, everything else is None."""
    assert expected == resolve_numeric(host, 80)


def test_resolve_host_literal_ipv6_needs_no_option():
    """[::1] works with IPV6=0."""
    assert [(socket.AF_INET6, ("::1", 5, 0, 0))] == resolve_host("::1", 5, ipv6=False, passive=False)


def test_resolve_host_name_without_ipv6_gives_ipv4_only():
    """With IPV6=0 a name gives IPv4 addresses only."""
    assert [(socket.AF_INET, ("127.0.0.1", 5))] == resolve_host("localhost", 5, ipv6=False, passive=True)


def test_resolve_host_name_with_ipv6_gives_all_in_order_without_repeats(monkeypatch):
    """With IPV6=1 every address is listed once, in the resolver's order; other families are left out."""
    answer = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 5, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 5)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 5)),
        (socket.AF_UNSPEC, socket.SOCK_STREAM, 6, "", ("?",)),
    ]
    calls = _fake_getaddrinfo(monkeypatch, answer)
    expected = [(socket.AF_INET6, ("::1", 5, 0, 0)), (socket.AF_INET, ("127.0.0.1", 5))]
    assert expected == resolve_host("name", 5, ipv6=True, passive=False)
    assert (b"name", socket.AF_UNSPEC) == calls[-1]


def test_resolve_host_asks_again_each_time(monkeypatch):
    """Nothing is cached: a name that moved is followed."""
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 5))]
    calls = _fake_getaddrinfo(monkeypatch, answer)
    resolve_host("name", 5, ipv6=False, passive=False)
    resolve_host("name", 5, ipv6=False, passive=False)
    assert [(b"name", socket.AF_INET)] * 2 == [call for call in calls if call[1] == socket.AF_INET]


@pytest.mark.parametrize(("ipv6", "hint"), [(False, True), (True, False)])
def test_resolve_host_unknown_name_raises_with_cause(monkeypatch, ipv6, hint):
    """A name without address is EHOSTUNREACH, with the resolver's reason and, where it may help, IPV6=1."""
    _fake_getaddrinfo(monkeypatch, socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    with pytest.raises(OSError, match="cannot resolve the host 'name'") as caught:
        resolve_host("name", 5, ipv6=ipv6, passive=False)
    assert errno.EHOSTUNREACH == caught.value.errno
    assert "Name or service not known" in str(caught.value)
    assert hint == ("IPV6=1" in str(caught.value))
    assert isinstance(caught.value.__cause__, socket.gaierror)


@pytest.mark.parametrize("host", ["a..b", "\u00fc" * 80])
def test_resolve_host_impossible_name_raises_oserror(monkeypatch, host):
    """A name that IDNA refuses is an OSError like any other failure."""
    _fake_getaddrinfo(monkeypatch, UnicodeError("label too long"))
    with pytest.raises(OSError, match="no host can have"):
        resolve_host(host, 5, ipv6=False, passive=False)


def test_wildcard_address_follows_the_ipv6_option():
    """'*' is 0.0.0.0, with IPV6=1 '::'."""
    assert (socket.AF_INET, ("0.0.0.0", 1)) == wildcard_address(1, ipv6=False)
    assert (socket.AF_INET6, ("::", 1, 0, 0)) == wildcard_address(1, ipv6=True)


@LINUX
def test_interface_address_loopback_is_known():
    """The loopback interface has its IPv4 address."""
    assert (socket.AF_INET, ("127.0.0.1", 9)) == interface_address("lo", 9, ipv6=False)


@LINUX
@pytest.mark.parametrize("name", ["", "nosuchif0", "a-name-that-is-too-long-for-an-interface", "\u00fc"])
def test_interface_address_unknown_name_is_none(name):
    """What is no interface is None: it may still be a host."""
    assert interface_address(name, 9, ipv6=False) is None


@LINUX
def test_interface_address_with_ipv6_takes_the_widest_scope(monkeypatch, tmp_path):
    """With IPV6=1 a global address comes before a link-local one, which carries its zone."""
    table = tmp_path / "if_inet6"
    link = "fe800000000000000000000000000001 02 40 20 80 eth9\n"
    table.write_text(link + "fd000000000000000000000000000002 02 40 00 80 eth9\n" + link.replace("eth9", "eth8"))
    monkeypatch.setattr(resolve, "_IPV6_INTERFACES", str(table))
    assert (socket.AF_INET6, ("fd00::2", 9, 0, 0)) == interface_address("eth9", 9, ipv6=True)
    assert (socket.AF_INET6, ("fe80::1", 9, 0, 2)) == interface_address("eth8", 9, ipv6=True)


@LINUX
def test_interface_address_without_ipv6_table_falls_back_to_ipv4(monkeypatch, tmp_path):
    """Where the system does not list IPv6 addresses, the IPv4 address is taken."""
    monkeypatch.setattr(resolve, "_IPV6_INTERFACES", str(tmp_path / "missing"))
    assert (socket.AF_INET, ("127.0.0.1", 9)) == interface_address("lo", 9, ipv6=True)


@LINUX
def test_interface_address_interface_without_address_raises_with_cure(monkeypatch):
    """An interface that exists and has no address is told apart from a name that is none."""
    import fcntl

    def ioctl(descriptor, request, argument):
        raise OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address")

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    with pytest.raises(OSError, match=r"'eth9' has no IPv4 address.*IPV6=1") as caught:
        interface_address("eth9", 9, ipv6=False)
    assert errno.EADDRNOTAVAIL == caught.value.errno


def test_interface_address_without_fcntl_is_none(monkeypatch):
    """Where there is no ioctl (Windows), no name is an interface."""
    monkeypatch.setitem(__import__("sys").modules, "fcntl", None)
    assert interface_address("lo", 9, ipv6=False) is None


@pytest.mark.parametrize(
    ("sockaddr", "host", "endpoint"),
    [
        (("127.0.0.1", 5), "127.0.0.1", "tcp://127.0.0.1:5"),
        (("::1", 5, 0, 0), "::1", "tcp://[::1]:5"),
        (("::ffff:10.0.0.1", 5, 0, 0), "10.0.0.1", "tcp://10.0.0.1:5"),
        (("fe80::1%eth7", 5, 0, 7), "fe80::1%eth7", "tcp://[fe80::1%eth7]:5"),
        (("fe80::1", 5, 0, 987654), "fe80::1%987654", "tcp://[fe80::1%987654]:5"),
    ],
)
def test_format_sockaddr_gives_text(sockaddr, host, endpoint):
    """IPv6 is bracketed and keeps its zone; an IPv4 peer of a dual-stack socket is shown as IPv4."""
    assert host == format_host(sockaddr)
    assert endpoint == format_endpoint(sockaddr)


@LINUX
def test_format_host_link_local_names_its_interface():
    """The zone is the interface's name."""
    assert "fe80::1%lo" == format_host(("fe80::1", 5, 0, socket.if_nametoindex("lo")))
