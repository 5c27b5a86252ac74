"""The udp transport: unicast, broadcast and multicast, over IPv4 and IPv6.

What an address may look like is in :mod:`purezmq.endpoint`, how a name becomes an address in
:mod:`purezmq.transports.resolve`, joining groups at the end of this file. Source of the behaviour: libzmq's
``zmq_udp(7)`` and ``zmq_setsockopt(3)``.

* A group is received on ANY address with a membership, so that several sockets, also of other programs, share its port;
  a unicast address belongs to one socket (libzmq shares it silently, and one of the sharers starves).
* BINDTODEVICE and the interface of a group must succeed; buffers, TOS and their kin are a wish.
"""

from __future__ import annotations

import errno as _errno
import socket
import struct
import sys

from purezmq.endpoint import parse_udp_bind, parse_udp_connect
from purezmq.error import make_error, strerror
from purezmq.transports.base import close_quietly, set_options_quietly
from purezmq.transports.datagram import DatagramSocket, DatagramTransport
from purezmq.transports.native_socket import NativeSocket
from purezmq.transports.resolve import (
    format_host,
    interface_address,
    resolve_host,
    resolve_numeric,
    wildcard_address,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from purezmq.endpoint import Endpoint, HostPort
    from purezmq.options import SocketOptions

__all__ = ["UdpSocket", "UdpTransport", "is_multicast"]

# Linux: a socket gets the groups that it joined, not those that others of this machine joined. Not in module socket.
_LINUX_IP_MULTICAST_ALL = 49
_LINUX_IPV6_MULTICAST_ALL = 29
_SO_BUSY_POLL = 46
_TTL_MAX = 255
_PORT_MAX = 65535
_IPV6_MAPPED = "::ffff:"
# Linux' list of IPv6 addresses: 32 hex digits, index of the interface, and more.
_IPV6_INTERFACES = "/proc/net/if_inet6"


class UdpSocket(DatagramSocket):
    """A udp socket."""

    __slots__ = ()

    def format_peer(self, sockaddr: Any) -> str:
        """Return ``"127.0.0.1:5555"``, ``"[::1]:5555"``; an IPv4 peer of a dual-stack socket is shown as IPv4."""
        return _format_host_port(sockaddr)

    def parse_peer(self, text: str) -> Any:
        """Return the sockaddr of ``"ip:port"``, ``"[ip6]:port"``; None for a name, a bad port, or another family."""
        host, colon, port_text = text.rpartition(":")
        if not colon or not port_text.isdecimal() or len(port_text) > len(str(_PORT_MAX)):
            return None
        port = int(port_text)
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            return None
        found = resolve_numeric(host, port) if host and 0 < port <= _PORT_MAX else None
        if found is None:
            return None
        if found[0] == self.sock.family:
            return found[1]
        if found[0] == socket.AF_INET:  # from a dual-stack socket
            return (_IPV6_MAPPED + found[1][0], port, 0, 0)
        return None


class UdpTransport(DatagramTransport):
    """Makes udp sockets. It has no state."""

    __slots__ = ()

    scheme = "udp"

    def open_receiver(self, endpoint: Endpoint, options: SocketOptions) -> UdpSocket:
        """Bind an address of this machine, or join a multicast group.

        Raises:
            ZMQError: EINVAL: syntax, or an interface before an address that is no group. ENODEV: the host or the
                interface is not known. EADDRINUSE, EADDRNOTAVAIL, EACCES, EPERM: as the system says.
        """
        interface, where = parse_udp_bind(endpoint)
        family, sockaddr = _bind_address(endpoint, where, ipv6=bool(options.ipv6))
        group = sockaddr if is_multicast(sockaddr) else None
        if interface and group is None:
            raise _interface_without_group(endpoint)
        sock = _open(family, endpoint, "bind")
        try:
            _apply_options(sock, options)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if where.host == "*" else 1)
            if group is None:
                if sys.platform == "win32":  # where anybody may share an address unless told otherwise
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
                sock.bind(sockaddr)
                text = f"udp://{_format_host_port(sock.getsockname())}"
            else:
                index = _find_interface(interface, family, group)
                _bind_group(sock, group)
                _join(sock, group, index)
                if interface:
                    _send_by(sock, index)
                port = sock.getsockname()[1]
                prefix = endpoint.address.rpartition(";")[0]
                name = _format_host_port((group[0], port, *group[2:]))
                text = f"udp://{prefix};{name}" if prefix else f"udp://{name}"
            return UdpSocket(sock, text)
        except OSError as error:
            close_quietly(sock)
            raise _failure(endpoint, "bind", error) from error
        except BaseException:
            close_quietly(sock)
            raise

    def open_sender(self, endpoint: Endpoint, options: SocketOptions) -> UdpSocket:
        """Open a socket that sends to a host or a multicast group. A name is resolved here and now.

        Raises:
            ZMQError: EINVAL: syntax, an unknown host, or an interface before a host that is no group. ENODEV: the
                interface is not known. EPERM, ENODEV: BINDTODEVICE.
        """
        interface, where = parse_udp_connect(endpoint)
        try:
            family, sockaddr = resolve_host(where.host, where.port, ipv6=bool(options.ipv6), passive=False)[0]
        except OSError as error:
            raise make_error(_errno.EINVAL, f"cannot connect to '{endpoint}': {error.strerror}") from error
        if interface and not is_multicast(sockaddr):
            raise _interface_without_group(endpoint)
        sock = _open(family, endpoint, "connect to")
        try:
            _apply_options(sock, options)
            if interface:
                _send_by(sock, _find_interface(interface, family, sockaddr))
            return UdpSocket(sock, str(endpoint), sockaddr)
        except OSError as error:
            close_quietly(sock)
            raise _failure(endpoint, "connect to", error) from error
        except BaseException:
            close_quietly(sock)
            raise


def is_multicast(sockaddr: Any) -> bool:
    """Tell whether a sockaddr is a multicast group: 224.0.0.0/4 or ff00::/8."""
    host: str = sockaddr[0]
    if ":" in host:
        return host[:2].lower() == "ff" and host.index(":") == 4
    return 224 <= int(host.partition(".")[0]) <= 239


def _open(family: int, endpoint: Endpoint, what: str) -> socket.socket:
    try:
        return NativeSocket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise _failure(endpoint, what, error) from error


def _bind_address(endpoint: Endpoint, where: HostPort, *, ipv6: bool) -> tuple[int, Any]:
    """Return the address to bind: every interface, figures, an interface's, or a name's first."""
    if where.host == "*":
        return wildcard_address(where.port, ipv6=ipv6 and _has_ipv6())
    numeric = resolve_numeric(where.host, where.port)
    if numeric is not None:
        return numeric
    try:
        interface = interface_address(where.host, where.port, ipv6=ipv6)
        return interface or resolve_host(where.host, where.port, ipv6=ipv6, passive=True)[0]
    except OSError as error:
        raise make_error(
            _errno.ENODEV,
            f"cannot bind '{endpoint}': {where.host!r} is no address, network interface or host name known here "
            f"({error.strerror}); bind an address of this machine, a multicast group, or '*' for all interfaces",
        ) from error


def _has_ipv6() -> bool:
    """Tell whether this machine knows IPv6 at all; without it, ``*`` means IPv4 whatever IPV6 says."""
    try:
        NativeSocket(socket.AF_INET6, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def _apply_options(sock: socket.socket, options: SocketOptions) -> None:
    """Apply the options of a socket, before it is bound.

    Raises:
        OSError: the device does not exist (ENODEV), or may not be chosen by this user (EPERM).
    """
    if options.bindtodevice:
        level = getattr(socket, "SO_BINDTODEVICE", None)
        if level is None:
            raise OSError(_errno.EINVAL, "the option BINDTODEVICE works on Linux only; bind an interface's address")
        sock.setsockopt(socket.SOL_SOCKET, level, options.bindtodevice)
    hops = min(options.multicast_hops, _TTL_MAX)
    loop = 1 if options.multicast_loop else 0
    settings = [(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)]
    if options.sndbuf >= 0:
        settings.append((socket.SOL_SOCKET, socket.SO_SNDBUF, options.sndbuf))
    if options.rcvbuf >= 0:
        settings.append((socket.SOL_SOCKET, socket.SO_RCVBUF, options.rcvbuf))
    if options.priority and hasattr(socket, "SO_PRIORITY"):
        settings.append((socket.SOL_SOCKET, socket.SO_PRIORITY, options.priority))
    if options.busy_poll and sys.platform == "linux":
        settings.append((socket.SOL_SOCKET, _SO_BUSY_POLL, options.busy_poll))
    if sock.family == socket.AF_INET6:
        settings += [
            (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, hops),
            (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, loop),
        ]
        if options.tos and hasattr(socket, "IPV6_TCLASS"):
            settings.append((socket.IPPROTO_IPV6, socket.IPV6_TCLASS, options.tos))
    # A dual-stack socket sends IPv4 as well; where a system refuses these on it, nothing is lost.
    settings += [
        (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, hops),
        (socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, loop),
    ]
    if options.tos:
        settings.append((socket.IPPROTO_IP, socket.IP_TOS, options.tos))
    set_options_quietly(sock, settings)


# -- multicast ---------------------------------------------------------------------------------------------------------


def _find_interface(interface: str, family: int, group: Any) -> Any:
    """Return what names an interface to the system: an IPv4 address, or an index for IPv6; ANY or 0 for its own choice.

    Args:
        interface: a name, an address, ``"*"``, or empty.
        family: of the group.
        group: its sockaddr; one of IPv6 may carry a zone.

    Raises:
        OSError: ENODEV: this machine has no such interface, or it has no address of the family.
    """
    if family == socket.AF_INET6:
        return _find_index(interface) or group[3]
    if not interface or interface == "*":
        return "0.0.0.0"
    found = resolve_numeric(interface, 0)
    if found is None:
        try:
            found = interface_address(interface, 0, ipv6=False)
        except OSError as error:
            raise OSError(_errno.ENODEV, error.strerror) from error
    if found is None or found[0] != socket.AF_INET:
        raise OSError(_errno.ENODEV, f"{interface!r} is no interface with an IPv4 address of this machine")
    return found[1][0]


def _find_index(interface: str) -> int:
    """Return the index of an interface by its name or one of its IPv6 addresses; 0 if none is given."""
    if not interface or interface == "*":
        return 0
    try:
        return socket.if_nametoindex(interface)
    except (OSError, ValueError):
        pass
    found = resolve_numeric(interface, 0)
    if found is not None and found[0] == socket.AF_INET6:
        index = found[1][3] or _index_of_address(found[1][0])
        if index:
            return int(index)
    raise OSError(_errno.ENODEV, f"{interface!r} is no interface, and no IPv6 address of one, of this machine")


def _index_of_address(host: str) -> int:
    """Return the index of the interface that has an IPv6 address; 0 if unknown.

    Only Linux has the list; elsewhere an address must tell its zone ("fe80::1%en0"), or the interface its name.
    """
    digits = socket.inet_pton(socket.AF_INET6, host).hex()
    try:
        with open(_IPV6_INTERFACES, encoding="ascii") as file:
            rows = [line.split() for line in file]
    except OSError:
        return 0
    return next((int(row[1], 16) for row in rows if row[:1] == [digits]), 0)


def _bind_group(sock: socket.socket, group: Any) -> None:
    """Bind the port of a group on every interface, so that others can share it."""
    wildcard = wildcard_address(group[1], ipv6=sock.family == socket.AF_INET6)[1]
    settings = [(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)]
    if hasattr(socket, "SO_REUSEPORT"):
        settings.append((socket.SOL_SOCKET, socket.SO_REUSEPORT, 1))
    if sys.platform == "linux":
        settings.append((socket.IPPROTO_IP, _LINUX_IP_MULTICAST_ALL, 0))
        if sock.family == socket.AF_INET6:
            settings.append((socket.IPPROTO_IPV6, _LINUX_IPV6_MULTICAST_ALL, 0))
    if wildcard[1]:
        set_options_quietly(sock, settings)
        sock.bind(wildcard)
    else:  # a port that the system chooses shall be one that nobody has
        sock.bind(wildcard)
        set_options_quietly(sock, settings)


def _join(sock: socket.socket, group: Any, interface: Any) -> None:
    """Become a member of a group."""
    if sock.family == socket.AF_INET6:
        host = group[0].partition("%")[0]
        request = socket.inet_pton(socket.AF_INET6, host) + struct.pack("@I", interface)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
    else:
        request = socket.inet_aton(group[0]) + socket.inet_aton(interface)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)


def _send_by(sock: socket.socket, interface: Any) -> None:
    """Send to groups by an interface."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))


# -- texts -------------------------------------------------------------------------------------------------------------


def _format_host_port(sockaddr: Any) -> str:
    host = format_host(sockaddr)
    return f"[{host}]:{sockaddr[1]}" if ":" in host else f"{host}:{sockaddr[1]}"


def _interface_without_group(endpoint: Endpoint) -> Exception:
    return make_error(
        _errno.EINVAL,
        f"'{endpoint}': an interface is named before a multicast group only (224.0.0.0 to 239.255.255.255, ff00::/8); "
        "leave 'interface;' out",
    )


def _failure(endpoint: Endpoint, what: str, error: OSError) -> Exception:
    """Return cause and cure of a failed bind or connect."""
    cures = {
        _errno.EADDRINUSE: "another socket is bound to it; only multicast groups are shared",
        _errno.EADDRNOTAVAIL: "no interface of this machine has that address; bind one that it has, or '*' for all",
        _errno.EACCES: "this user may not bind it; ports below 1024 are privileged",
        _errno.EAFNOSUPPORT: "this machine has no IPv6; use an IPv4 address",
        _errno.EPERM: "this user may not do it; BINDTODEVICE may need the capability CAP_NET_RAW",
        _errno.EMFILE: "this process has too many open files; raise its limit (ulimit -n) or close sockets",
        _errno.ENODEV: "name an interface of this machine, or one of its addresses",
    }
    number = error.errno or _errno.EINVAL
    reason = strerror(number)
    detail = error.strerror
    if detail and detail.lower() != reason.lower():
        reason = f"{reason} ({detail})"
    cure = cures.get(number)
    text = f"cannot {what} '{endpoint}': {reason}"
    return make_error(number, f"{text}; {cure}" if cure else text)
