"""Host names, interface names and address texts of the IP transports.

Nothing is cached: each connection attempt resolves again. A numeric address never reaches a name server, so it never
blocks. Sockets are neither opened for data nor bound here.
"""

from __future__ import annotations

import errno as _errno
import socket
import sys

from purezmq.transports.native_socket import NativeSocket, getaddrinfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "format_endpoint",
    "format_host",
    "interface_address",
    "resolve_host",
    "resolve_numeric",
    "wildcard_address",
]

# struct ifreq: 16 bytes of name, then a sockaddr_in whose address starts 4 bytes further (Linux and the BSDs alike).
_IFREQ_SIZE = 40
_INTERFACE_NAME_MAX = 15

# The request that asks an interface for its IPv4 address.
_SIOCGIFADDR = 0x8915 if sys.platform == "linux" else 0xC0206921

# Linux' list of IPv6 addresses: 32 hex digits, index, prefix length, scope, flags, name.
_IPV6_INTERFACES = "/proc/net/if_inet6"
_IPV6_MAPPED = "::ffff:"


def resolve_host(host: str, port: int, *, ipv6: bool, passive: bool) -> list[tuple[int, Any]]:
    """Return every address of a host, in the order in which the system says to try them.

    Args:
        host: an IPv4 or IPv6 address (with a ``%zone`` or not) or a name; no brackets.
        port: 0..65535.
        ipv6: the option IPV6: whether *names* may give IPv6 addresses; a literal one is taken either way.
        passive: the address is to be bound, not connected to.

    Returns:
        Pairs of address family and sockaddr, at least one.

    Raises:
        OSError: the name has no address (EHOSTUNREACH), for now or for ever: the resolver does not always know.
    """
    numeric = resolve_numeric(host, port)
    if numeric is not None:
        return [numeric]
    family = socket.AF_UNSPEC if ipv6 else socket.AF_INET
    try:
        found = _getaddrinfo(host, port, family, socket.AI_PASSIVE if passive else 0)
    except OSError as error:
        cure = "check its spelling and the name server"
        if not ipv6:
            cure += ", or set IPV6=1 if it has IPv6 addresses only"
        reason = error.strerror or str(error)
        raise OSError(_errno.EHOSTUNREACH, f"cannot resolve the host {host!r} ({reason}); {cure}") from error
    return list(dict.fromkeys(found))


def resolve_numeric(host: str, port: int) -> tuple[int, Any] | None:
    """Return family and sockaddr of an IP address in figures; None if it is none. Never blocks."""
    try:
        return _getaddrinfo(host, port, socket.AF_UNSPEC, socket.AI_NUMERICHOST)[0]
    except OSError:
        return None


def _getaddrinfo(host: str, port: int, family: int, flags: int) -> list[tuple[int, Any]]:
    """Call getaddrinfo for streams; whatever is wrong with the host is an OSError."""
    try:
        # As bytes, an ASCII name is passed as it is; as str it would import the IDNA tables first.
        name: str | bytes = host.encode("ascii") if host.isascii() else host
        found = getaddrinfo(name, port, family, socket.SOCK_STREAM, 0, flags)
    except UnicodeError as error:
        raise OSError(_errno.EINVAL, f"no host can have the name {host!r}") from error
    pairs = [(int(entry[0]), entry[4]) for entry in found if entry[0] in {socket.AF_INET, socket.AF_INET6}]
    if not pairs:
        raise OSError(_errno.EHOSTUNREACH, "no IPv4 or IPv6 address")
    return pairs


def wildcard_address(port: int, *, ipv6: bool) -> tuple[int, Any]:
    """Return family and sockaddr that stand for every interface: ``::`` with the option IPV6, else ``0.0.0.0``."""
    return (socket.AF_INET6, ("::", port, 0, 0)) if ipv6 else (socket.AF_INET, ("0.0.0.0", port))


def interface_address(name: str, port: int, *, ipv6: bool) -> tuple[int, Any] | None:
    """Return family and sockaddr of a network interface, None if there is no interface of that name.

    Args:
        name: ``"eth0"``, ``"lo"``, also an alias such as ``"eth0:1"``.
        port: 0..65535.
        ipv6: prefer the interface's IPv6 address, the one of the widest scope.

    Raises:
        OSError: the interface exists and has no address (EADDRNOTAVAIL).
    """
    if not name or len(name) > _INTERFACE_NAME_MAX or not name.isascii():
        return None
    sockaddr6 = _interface_ipv6(name, port) if ipv6 else None
    if sockaddr6 is not None:
        return socket.AF_INET6, sockaddr6
    try:
        import fcntl
    except ImportError:  # Windows has no interface names of this kind
        return None
    request = name.encode("ascii").ljust(_IFREQ_SIZE, b"\0")
    try:
        with NativeSocket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            answer = fcntl.ioctl(sock.fileno(), _SIOCGIFADDR, request)
    except OSError as error:
        if error.errno == _errno.EADDRNOTAVAIL:
            cure = "give it one" if ipv6 else "give it one, or set IPV6=1 to use its IPv6 address"
            raise OSError(_errno.EADDRNOTAVAIL, f"the interface {name!r} has no IPv4 address; {cure}") from error
        # ENODEV or ENXIO: no such interface. Others (ENOTTY: another request here): such names are unknown.
        return None
    return socket.AF_INET, (socket.inet_ntoa(answer[20:24]), port)


def _interface_ipv6(name: str, port: int) -> tuple[str, int, int, int] | None:
    """Return the IPv6 sockaddr of an interface, None if it has none or the platform does not tell."""
    try:
        with open(_IPV6_INTERFACES, encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return None
    # The kernel's scopes: 00 global, 10 host, 20 link, 40 site; a smaller number is reachable from further away.
    mine = sorted((int(row[3], 16), row[0], int(row[1], 16)) for row in rows if len(row) >= 6 and row[5] == name)
    if not mine:
        return None
    scope, digits, index = mine[0]
    return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(digits)), port, 0, index if scope == 0x20 else 0


def format_host(sockaddr: Any) -> str:
    """Return the address of a sockaddr as text, without port: ``"127.0.0.1"``, ``"fe80::1%eth0"``.

    An IPv4 peer of a dual-stack listener is shown as IPv4 (libzmq: ``::ffff:127.0.0.1``), so that lists of allowed and
    denied addresses mean the same with IPV6=1 as without it.
    """
    host: str = sockaddr[0]
    if len(sockaddr) == 2:
        return host
    if host.startswith(_IPV6_MAPPED) and "." in host:
        return host[len(_IPV6_MAPPED) :]
    scope: int = sockaddr[3]
    if not scope or "%" in host:
        return host
    try:
        return f"{host}%{socket.if_indextoname(scope)}"
    except OSError:
        return f"{host}%{scope}"


def format_endpoint(sockaddr: Any) -> str:
    """Return a sockaddr as a tcp endpoint: ``"tcp://127.0.0.1:5555"``, ``"tcp://[::1]:5555"``."""
    host = format_host(sockaddr)
    return f"tcp://[{host}]:{sockaddr[1]}" if ":" in host else f"tcp://{host}:{sockaddr[1]}"
