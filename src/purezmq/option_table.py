"""What every socket and context option accepts, in ONE table.

Names, numbers, defaults, ranges and the socket types that take an option are libzmq's (``src/options.cpp``,
``zmq_setsockopt(3)``); options of libzmq's draft API are simply options here. Numbers are in libzmq's units.
The values of one socket are in ``options.py``; what an option *does* is with the part of the library that does it.
"""

from __future__ import annotations

from purezmq.enums import ContextOption, Errno, SocketOption, SocketType
from purezmq.error import ZMQError

__all__ = ["CONTEXT_OPTIONS", "SOCKET_OPTIONS", "OptionSpec"]

_EINVAL = int(Errno.EINVAL)
_INT_MAX = 2**31 - 1
_INT_RANGES = {"int": (-(2**31), _INT_MAX), "int64": (-(2**63), 2**63 - 1), "uint64": (-(2**63), 2**64 - 1)}


class OptionSpec:
    """One row of the table.

    Attributes:
        name: libzmq's name; the attribute that holds the value is its lower case.
        number: libzmq's number.
        kind: ``"int"``, ``"bool"``, ``"int64"``, ``"uint64"``, ``"bytes"`` or ``"fd"``.
        default: the value of a new socket or context.
        readable: ``get`` answers (or, when computed, the socket does).
        writable: ``set`` accepts.
        applies_to: numbers of the socket types that take it; None: all.
        live: it acts on connections that already exist; other options act on later bind and connect calls.
        minimum: least value, or least length of bytes; None: that of the kind.
        maximum: greatest value, or greatest length of bytes; None: that of the kind.
        computed: the value is computed or acted upon by the socket, and not stored.
        hint: what a special value or the unit means, for error texts.
        note: why the option has no effect though it's checked and kept; empty for one that has its effect.
    """

    __slots__ = (
        "name", "number", "kind", "default", "readable", "writable", "applies_to", "live", "minimum", "maximum",
        "computed", "hint", "note",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        number: int,
        kind: str,
        default: int | bytes,
        minimum: int | None = None,
        maximum: int | None = None,
        *,
        readable: bool = True,
        writable: bool = True,
        applies_to: frozenset[int] | None = None,
        live: bool = False,
        computed: bool = False,
        hint: str = "",
        note: str = "",
    ) -> None:
        self.name = name
        self.number = number
        self.kind = kind
        self.default = default
        self.minimum = minimum
        self.maximum = maximum
        self.readable = readable
        self.writable = writable
        self.applies_to = applies_to
        self.live = live
        self.computed = computed
        self.hint = hint
        self.note = note

    def __repr__(self) -> str:
        return f"<OptionSpec {self.name} ({self.number}), {self.describe_range()}>"

    def describe_range(self) -> str:
        """Say in words which values the option accepts.

        Returns:
            For instance ``"an integer >= 0 (0 = no limit)"``.
        """
        low, high = self.minimum, self.maximum
        unit = "bytes" if self.kind == "bytes" else "an integer"
        if self.kind == "bool" and high == 1:
            text = "0 or 1"
        elif low is not None and high is not None:
            text = f"{low}..{high} bytes" if unit == "bytes" else f"an integer from {low} to {high}"
        elif low:
            text = f"at least {low} byte" if unit == "bytes" else f"an integer >= {low}"
        else:
            text = unit if low is None or unit == "bytes" else "an integer >= 0"
        return f"{text} ({self.hint})" if self.hint else text

    def check_value(self, value: object) -> int | bytes:
        """Check a value that is to be set.

        Args:
            value: what the application gave.

        Returns:
            The value to store: a plain int (0 or 1 for a bool) or bytes.

        Raises:
            TypeError: a str or an int where bytes are expected, or no int where one is expected.
            ZMQError: EINVAL, the value is out of range; the text names the option, the value and the range.
        """
        if self.kind == "bytes":
            if not isinstance(value, bytes):
                cure = "; encode it, or use set_string" if isinstance(value, str) else ""
                raise TypeError(f"{self.name} must be bytes, not {type(value).__name__}{cure}")
            size = len(value)
            if size < (self.minimum or 0) or (self.maximum is not None and size > self.maximum):
                raise ZMQError(_EINVAL, f"{self.name} must be {self.describe_range()}, not {size} bytes")
            return value
        if not isinstance(value, int):
            raise TypeError(f"{self.name} must be an integer, not {type(value).__name__}")
        low, high = _INT_RANGES.get(self.kind, _INT_RANGES["int"])
        low = low if self.minimum is None else self.minimum
        high = high if self.maximum is None else self.maximum
        if not low <= value <= high:
            raise ZMQError(_EINVAL, f"{self.name} must be {self.describe_range()}, not {int(value)}")
        return int(bool(value)) if self.kind == "bool" else int(value)


_TABLE: list[OptionSpec] = []


def _add(
    name: str,
    kind: str,
    default: int | bytes = 0,
    minimum: int | None = None,
    maximum: int | None = None,
    *,
    access: str = "rw",
    types: frozenset[int] | None = None,
    live: bool = False,
    computed: bool = False,
    hint: str = "",
    note: str = "",
) -> None:
    """Append a row to the table of socket options."""
    spec = OptionSpec(
        name,
        SocketOption[name].value,
        kind,
        default,
        minimum,
        maximum,
        readable="r" in access,
        writable="w" in access,
        applies_to=types,
        live=live,
        computed=computed,
        hint=hint,
        note=note,
    )
    _TABLE.append(spec)


def _types(*types: SocketType) -> frozenset[int]:
    return frozenset(map(int, types))


# The types whose implementation in libzmq knows the option: REP is built on ROUTER, PUB on XPUB.
_ROUTERS = _types(SocketType.REP, SocketType.ROUTER)
_PUBLISHERS = _types(SocketType.PUB, SocketType.XPUB)
_REQ = _types(SocketType.REQ)
_MS = "milliseconds"
_FOR_EVER = "milliseconds, -1 = for ever"
_NO_LIMIT = "0 = no limit"
_SYSTEM = "-1 = the operating system's default"

# Why an option has no effect (yet).
_PGM = "for the transports pgm and epgm, which this version doesn't have"
_NO_VMCI = "for the transport vmci: Python has no such sockets"
_NO_WSS = "for the transport wss, which this version doesn't have"
_NO_NORM = "for the transport norm, which this version doesn't have"
_NO_GSSAPI = "no well-kept pure Python package carries Kerberos; bind and connect refuse when GSSAPI is chosen"

# fmt: off
# Identity, queues, timing
_add("HWM", "int", 1000, 0, hint=_NO_LIMIT, live=True)  # pyzmq's pseudo option: SNDHWM and RCVHWM in one
_add("SNDHWM", "int", 1000, 0, hint=_NO_LIMIT, live=True)
_add("RCVHWM", "int", 1000, 0, hint=_NO_LIMIT, live=True)
_add("AFFINITY", "uint64", hint="a mask of I/O threads, 0 = all")
_add("ROUTING_ID", "bytes", b"", 1, 255)
_add("CONNECT_ROUTING_ID", "bytes", b"", 1, access="w", computed=True, types=_ROUTERS | _types(SocketType.STREAM))
_add("RCVMORE", "int", access="r", computed=True)
_add("FD", "fd", access="r", computed=True)
_add("EVENTS", "int", access="r", computed=True)
_add("TYPE", "int", access="r", computed=True)
_add("LAST_ENDPOINT", "bytes", b"", access="r", computed=True)
_add("MECHANISM", "int", access="r", computed=True)
_add("THREAD_SAFE", "int", access="r", computed=True)
_add("LINGER", "int", -1, -1, hint=_FOR_EVER, live=True)
_add("RCVTIMEO", "int", -1, -1, hint=_FOR_EVER)
_add("SNDTIMEO", "int", -1, -1, hint=_FOR_EVER)
_add("RECONNECT_IVL", "int", 100, -1, hint="milliseconds, 0 or -1 = never reconnect")
_add("RECONNECT_IVL_MAX", "int", 0, 0, hint="milliseconds, 0 = RECONNECT_IVL every time")
_add("RECONNECT_STOP", "int", hint="a mask of ReconnectStop")
_add("IMMEDIATE", "bool", 0, 0, 1)
_add("CONFLATE", "bool", 0, 0, 1)
_add("BACKLOG", "int", 100, 0)
_add("MAXMSGSIZE", "int64", -1, hint="bytes, negative = no limit")
_add("HANDSHAKE_IVL", "int", 30000, 0, hint="milliseconds, 0 = no limit")
_add("HEARTBEAT_IVL", "int", 0, 0, hint="milliseconds, 0 = no heartbeats")
_add("HEARTBEAT_TTL", "int", 0, 0, 6553599, hint=_MS)  # on the wire 16 bits of tenths of a second (RFC 37)
_add("HEARTBEAT_TIMEOUT", "int", -1, 0, hint="milliseconds; HEARTBEAT_IVL until it is set")
_add("CONNECT_TIMEOUT", "int", 0, 0, hint="milliseconds, 0 = the operating system's")
_add("USE_FD", "int", -1, -1, hint="a descriptor, -1 = none")
_add("BINDTODEVICE", "bytes", b"", 1, 16)
_add("IN_BATCH_SIZE", "int", 8192, 1)
_add("OUT_BATCH_SIZE", "int", 8192, 1)
_add("PRIORITY", "int", 0, 0)
_add("BUSY_POLL", "int", 0, 0, hint="microseconds")
_add("LOOPBACK_FASTPATH", "bool")
_add("METADATA", "bytes", b"", 1, access="w")
_add("HELLO_MSG", "bytes", b"", access="w")
_add("DISCONNECT_MSG", "bytes", b"", access="w")
_add("HICCUP_MSG", "bytes", b"", access="w")
# Patterns
_add("SUBSCRIBE", "bytes", b"", access="w", computed=True, live=True, types=_types(SocketType.SUB, SocketType.XPUB))
_add("UNSUBSCRIBE", "bytes", b"", access="w", computed=True, live=True, types=_types(SocketType.SUB, SocketType.XPUB))
_add("ROUTER_MANDATORY", "bool", 0, 0, access="w", types=_ROUTERS, live=True)
_add("ROUTER_HANDOVER", "bool", 0, 0, access="w", types=_ROUTERS, live=True)
_add("ROUTER_RAW", "bool", 0, 0, access="w", types=_ROUTERS)
_add("ROUTER_NOTIFY", "int", 0, 0, 3, hint="a mask of RouterNotify")
_add("PROBE_ROUTER", "bool", 0, 0, access="w", types=_ROUTERS | _REQ | _types(SocketType.DEALER), live=True)
_add("REQ_CORRELATE", "bool", 0, 0, access="w", types=_REQ, live=True)
_add("REQ_RELAXED", "bool", 0, 0, access="w", types=_REQ, live=True)
_add("XPUB_VERBOSE", "bool", 0, 0, access="w", types=_PUBLISHERS, live=True)
_add("XPUB_VERBOSER", "bool", 0, 0, access="w", types=_PUBLISHERS, live=True)
_add("XPUB_NODROP", "bool", 0, 0, access="w", types=_PUBLISHERS | _types(SocketType.RADIO))
_add("XPUB_MANUAL", "bool", 0, 0, access="w", types=_PUBLISHERS)
_add("XPUB_MANUAL_LAST_VALUE", "bool", 0, 0, access="w", types=_PUBLISHERS)
_add("XPUB_WELCOME_MSG", "bytes", b"", access="w", types=_PUBLISHERS)
_add("ONLY_FIRST_SUBSCRIBE", "bool", 0, 0, access="w", types=_PUBLISHERS | _types(SocketType.XSUB))
_add("XSUB_VERBOSE_UNSUBSCRIBE", "bool", 0, 0, access="w", types=_types(SocketType.XSUB))
_add("TOPICS_COUNT", "int", access="r", computed=True, types=_PUBLISHERS | _types(SocketType.SUB, SocketType.XSUB))
_add("STREAM_NOTIFY", "bool", 1, 0, 1, access="w", types=_types(SocketType.STREAM))
_add("INVERT_MATCHING", "bool")
# Transports
_add("SNDBUF", "int", -1, -1, hint=_SYSTEM)
_add("RCVBUF", "int", -1, -1, hint=_SYSTEM)
_add("IPV6", "bool", 0, 0, 1)
_add("IPV4ONLY", "bool", 1, 0, 1)  # deprecated: the opposite of IPV6
_add("TCP_KEEPALIVE", "int", -1, -1, 1, hint=_SYSTEM)
_add("TCP_KEEPALIVE_CNT", "int", -1, -1, hint=_SYSTEM)
_add("TCP_KEEPALIVE_IDLE", "int", -1, -1, hint="seconds, " + _SYSTEM)
_add("TCP_KEEPALIVE_INTVL", "int", -1, -1, hint="seconds, " + _SYSTEM)
_add("TCP_MAXRT", "int", 0, 0, hint="milliseconds, 0 = the operating system's default")
_add("TOS", "int", 0, 0)
_add("TCP_ACCEPT_FILTER", "bytes", b"", 1, access="w", hint="a network, like 10.0.0.0/8")
_add("IPC_FILTER_PID", "int", access="w")
_add("IPC_FILTER_UID", "int", access="w")
_add("IPC_FILTER_GID", "int", access="w")
_add("SOCKS_PROXY", "bytes", b"", 1)
_add("SOCKS_USERNAME", "bytes", b"", 0, 255)
_add("SOCKS_PASSWORD", "bytes", b"", 0, 255)
_add("RATE", "int", 100, 1, hint="kilobits per second", note=_PGM)
_add("RECOVERY_IVL", "int", 10000, 0, hint=_MS, note=_PGM)
_add("MULTICAST_HOPS", "int", 1, 1)
_add("MULTICAST_MAXTPDU", "int", 1500, 1, hint="bytes", note=_PGM)
_add("MULTICAST_LOOP", "bool", 1)
_add("VMCI_BUFFER_SIZE", "uint64", note=_NO_VMCI)
_add("VMCI_BUFFER_MIN_SIZE", "uint64", note=_NO_VMCI)
_add("VMCI_BUFFER_MAX_SIZE", "uint64", note=_NO_VMCI)
_add("VMCI_CONNECT_TIMEOUT", "int", -1, note=_NO_VMCI)
_add("WSS_KEY_PEM", "bytes", b"", access="w", note=_NO_WSS)
_add("WSS_CERT_PEM", "bytes", b"", access="w", note=_NO_WSS)
_add("WSS_TRUST_PEM", "bytes", b"", access="w", note=_NO_WSS)
_add("WSS_HOSTNAME", "bytes", b"", access="w", note=_NO_WSS)
_add("WSS_TRUST_SYSTEM", "bool", access="w", note=_NO_WSS)
_add("NORM_MODE", "int", 1, 0, 4, hint="a NormMode", note=_NO_NORM)
_add("NORM_UNICAST_NACK", "bool", 0, 0, 1, note=_NO_NORM)
_add("NORM_BUFFER_SIZE", "int", 2048, 1, hint="kilobytes", note=_NO_NORM)
_add("NORM_SEGMENT_SIZE", "int", 1400, 1, hint="bytes", note=_NO_NORM)
_add("NORM_BLOCK_SIZE", "int", 16, 1, 255, note=_NO_NORM)
_add("NORM_NUM_PARITY", "int", 4, 0, 254, note=_NO_NORM)
_add("NORM_NUM_AUTOPARITY", "int", 0, 0, 254, note=_NO_NORM)
_add("NORM_PUSH", "bool", 0, 0, 1, note=_NO_NORM)
# Security
_add("PLAIN_SERVER", "bool", 0, 0, 1)
_add("PLAIN_USERNAME", "bytes", b"", 1, 255)
_add("PLAIN_PASSWORD", "bytes", b"", 1, 255)
_add("CURVE_SERVER", "bool", 0, 0, 1)
_add("CURVE_PUBLICKEY", "bytes", b"", 32, 41, hint="32 bytes, or 40 characters of Z85")
_add("CURVE_SECRETKEY", "bytes", b"", 32, 41, hint="32 bytes, or 40 characters of Z85")
_add("CURVE_SERVERKEY", "bytes", b"", 32, 41, hint="32 bytes, or 40 characters of Z85")
_add("ZAP_DOMAIN", "bytes", b"", 1, 255)
_add("ZAP_ENFORCE_DOMAIN", "bool")
_add("GSSAPI_SERVER", "bool", 0, 0, 1, note=_NO_GSSAPI)
_add("GSSAPI_PRINCIPAL", "bytes", b"", 1, 255, note=_NO_GSSAPI)
_add("GSSAPI_SERVICE_PRINCIPAL", "bytes", b"", 1, 255, note=_NO_GSSAPI)
_add("GSSAPI_PLAINTEXT", "bool", 0, 0, 1, note=_NO_GSSAPI)
_add("GSSAPI_PRINCIPAL_NAMETYPE", "int", 0, 0, 2, note=_NO_GSSAPI)
_add("GSSAPI_SERVICE_PRINCIPAL_NAMETYPE", "int", 0, 0, 2, note=_NO_GSSAPI)
# fmt: on

SOCKET_OPTIONS: dict[int, OptionSpec] = {spec.number: spec for spec in _TABLE}
"""The table of socket options by number."""

CONTEXT_OPTIONS: dict[int, OptionSpec] = {
    spec.number: spec
    for spec in (
        OptionSpec("IO_THREADS", ContextOption.IO_THREADS.value, "int", 1, 0),
        OptionSpec("MAX_SOCKETS", ContextOption.MAX_SOCKETS.value, "int", 1023, 1),
        # One number: reading it is SOCKET_LIMIT, setting it is THREAD_PRIORITY.
        OptionSpec("SOCKET_LIMIT", ContextOption.SOCKET_LIMIT.value, "int", 65535, 0),
        OptionSpec("THREAD_SCHED_POLICY", ContextOption.THREAD_SCHED_POLICY.value, "int", -1, 0),
        OptionSpec("MAX_MSGSZ", ContextOption.MAX_MSGSZ.value, "int", _INT_MAX, 0, hint="bytes"),
        OptionSpec("MSG_T_SIZE", ContextOption.MSG_T_SIZE.value, "int", 64, writable=False),
        OptionSpec("THREAD_AFFINITY_CPU_ADD", ContextOption.THREAD_AFFINITY_CPU_ADD.value, "int", 0, 0, readable=False),
        OptionSpec(
            "THREAD_AFFINITY_CPU_REMOVE", ContextOption.THREAD_AFFINITY_CPU_REMOVE.value, "int", 0, 0, readable=False
        ),
        OptionSpec("THREAD_NAME_PREFIX", ContextOption.THREAD_NAME_PREFIX.value, "int", 0),
        OptionSpec(
            "ZERO_COPY_RECV",
            10,
            "bool",
            1,
            0,
            note="a large body is received straight into its own object either way",
        ),
        OptionSpec("IPV6", SocketOption.IPV6.value, "bool", 0, 0),
        OptionSpec("BLOCKY", SocketOption.BLOCKY.value, "bool", 1, 0),
    )
}
"""The table of context options by number."""
