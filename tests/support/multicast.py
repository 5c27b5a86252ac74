"""Multicast and IPv6 on this machine: groups to use, and what of it carries datagrams to ourselves."""

from __future__ import annotations

import select
import socket
import struct
from functools import cache

import pytest

__all__ = [
    "GROUP",
    "GROUP6",
    "LOOPBACK",
    "find_multicast4_interface",
    "find_multicast6_interface",
    "needs_ipv6",
    "needs_multicast6",
]

#: Groups of the scope that stays within a site and a link.
GROUP = "239.255.77.77"
GROUP6 = "ff02::7777:7"
LOOPBACK = "127.0.0.1"


@cache
def find_multicast4_interface() -> str:
    """The address of the interface, other than loopback, by which this machine hears its IPv4 multicast; else empty."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((GROUP, 9))  # asks for the route; nothing is sent
            address: str = probe.getsockname()[0]
        except OSError:
            return ""
    try:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        ):
            receiver.bind(("", 0))
            request = socket.inet_aton(GROUP) + socket.inet_aton(address)
            receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            sender.sendto(b"x", (GROUP, receiver.getsockname()[1]))
            heard = select.select([receiver], [], [], 0.2)[0]
    except OSError:
        return ""
    return address if heard and not address.startswith("127.") else ""


@cache
def find_multicast6_interface() -> str:
    """The first interface by which this machine hears its own IPv6 multicast; empty if there is none."""
    if not socket.has_ipv6:
        return ""
    for index, name in socket.if_nameindex():
        try:
            with (
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as receiver,
                socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender,
            ):
                receiver.bind(("::", 0))
                request = socket.inet_pton(socket.AF_INET6, GROUP6) + struct.pack("@I", index)
                receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
                sender.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
                sender.sendto(b"x", (GROUP6, receiver.getsockname()[1]))
                if select.select([receiver], [], [], 0.2)[0]:
                    return name
        except OSError:
            continue
    return ""


def has_ipv6_loopback() -> bool:
    """Whether ``::1`` can be bound."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")
needs_multicast6 = pytest.mark.skipif(
    not find_multicast6_interface(), reason="no interface of this machine carries IPv6 multicast to itself"
)
