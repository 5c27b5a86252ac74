"""The option values of one socket, or of one context: checked when set, in libzmq's units.

What an option accepts is in ``option_table.py``. Values are kept in milliseconds, counts and bytes; only the
properties ending in ``_s`` convert, to seconds. An option whose value the socket computes or acts upon (FD, EVENTS,
SUBSCRIBE, ...; ``OptionSpec.computed``) is checked here and never stored. What an option *does* must not live here.
"""

from __future__ import annotations

from purezmq.enums import ContextOption, Errno, SecurityMechanism, SocketOption, SocketType
from purezmq.error import ZMQError
from purezmq.limits import (
    GREETING_IVL,
    MAX_HANDSHAKES,
    MAX_HANDSHAKES_PER_ADDRESS,
    MAX_MULTIPART_BYTES,
    MAX_PARTS,
    MAX_TOPIC_BYTES_PER_PEER,
    MAX_TOPIC_BYTES_PER_PROXY,
    MAX_TOPICS,
    MAX_TOPICS_PER_PEER,
    MAX_TOPICS_PER_PROXY,
)
from purezmq.option_table import CONTEXT_OPTIONS, SOCKET_OPTIONS, OptionSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

__all__ = ["CONTEXT_OPTIONS", "DEFAULT_SWAP", "SOCKET_OPTIONS", "ContextOptions", "OptionSpec", "SocketOptions"]

#: How many bytes of messages may wait on disk for each peer and direction of a socket whose policy is `spill`.
DEFAULT_SWAP = 2**30

_EINVAL = int(Errno.EINVAL)
_NULL = SecurityMechanism.NULL.value
_PLAIN = SecurityMechanism.PLAIN.value
_CURVE = SecurityMechanism.CURVE.value
_GSSAPI = SecurityMechanism.GSSAPI.value
_TO_MECHANISM: dict[int, int] = {
    SocketOption.PLAIN_SERVER.value: _PLAIN,
    SocketOption.PLAIN_USERNAME.value: _PLAIN,
    SocketOption.PLAIN_PASSWORD.value: _PLAIN,
    SocketOption.CURVE_SERVER.value: _CURVE,
    SocketOption.CURVE_PUBLICKEY.value: _CURVE,
    SocketOption.CURVE_SECRETKEY.value: _CURVE,
    SocketOption.CURVE_SERVERKEY.value: _CURVE,
    SocketOption.GSSAPI_SERVER.value: _GSSAPI,
    SocketOption.GSSAPI_PRINCIPAL.value: _GSSAPI,
    SocketOption.GSSAPI_SERVICE_PRINCIPAL.value: _GSSAPI,
}
_CLIENT_OPTIONS = frozenset({"PLAIN_USERNAME", "PLAIN_PASSWORD", "CURVE_SERVERKEY", "GSSAPI_SERVICE_PRINCIPAL"})
# The subscribing types of libzmq have nothing worth waiting for (xsub.cpp, dish.cpp).
_NO_LINGER = frozenset({SocketType.SUB.value, SocketType.XSUB.value, SocketType.DISH.value})
_Z85 = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#")


def _look_up(table: Mapping[int, OptionSpec], number: object, family: str) -> OptionSpec:
    """Find the row of an option, or raise what libzmq and pyzmq raise for a number that is none."""
    if not isinstance(number, int):
        raise TypeError(f"an option is an integer, like {family}Option members, not {type(number).__name__}")
    spec = table.get(number)
    if spec is None:
        raise ZMQError(_EINVAL, f"unknown {family.lower()} option {int(number)}; see {family}Option for the known ones")
    return spec


class SocketOptions:
    """The option values of one socket, as attributes named like the option in lower case.

    The defaults are attributes of the class, so that a new socket costs one empty object. The parts of the library
    read the attributes; ``set`` and ``get`` are for what comes from the application. ``hwm`` and ``ipv4only`` have no
    attribute, they are other words for ``sndhwm`` + ``rcvhwm`` and for ``not ipv6``.

    Args:
        socket_type: number of the socket's type: options of other types raise EINVAL, and a subscribing type
            starts with LINGER 0. None accepts the options of every type (defaults of a context).

    Attributes:
        socket_type: see above.
        mechanism: number of the security mechanism, chosen by the last option of a mechanism that was set.
        tcp_accept_filter: the networks given so far; empty accepts everybody. The ``ipc_filter`` attributes alike.
        metadata: the properties given so far, for the handshake.
    """

    socket_type: int | None
    mechanism: int = _NULL

    # The settings of the queues that libzmq doesn't have, and so no number; see sockets/queue_settings.py.
    overflow: str = ""
    sndhwm_bytes: int = 0
    rcvhwm_bytes: int = 0
    conflate_key: Any = None
    swap: int = DEFAULT_SWAP
    swap_dir: str = ""
    durable: tuple[int, float] | None = None
    last_value_cache: int = 0
    #: Who is let in, where the socket decides by itself, and whom routing ids belong to; see sockets/security.py.
    admission: Any = None
    id_owners: Any = None
    is_curve_role_open: bool = False
    #: Permissions of the file of an ipc endpoint; None: what the umask says.
    ipc_mode: int | None = 0o600
    # Limits on peers, likewise; see sockets/limit_settings.py.
    greeting_ivl: int = GREETING_IVL
    max_handshakes: int = MAX_HANDSHAKES
    max_handshakes_per_address: int = MAX_HANDSHAKES_PER_ADDRESS
    max_parts: int = MAX_PARTS
    max_multipart_bytes: int = MAX_MULTIPART_BYTES
    max_topics_per_peer: int = MAX_TOPICS_PER_PEER
    max_topics_per_proxy: int = MAX_TOPICS_PER_PROXY
    max_topic_bytes_per_peer: int = MAX_TOPIC_BYTES_PER_PEER
    max_topic_bytes_per_proxy: int = MAX_TOPIC_BYTES_PER_PROXY
    max_topics: int = MAX_TOPICS
    #: Security options whose keys were decoded and checked, and what came of it; see engine/security.py.
    checked_security: Any = None
    _as_server: bool = False

    sndhwm: int
    rcvhwm: int
    affinity: int
    routing_id: bytes
    linger: int
    rcvtimeo: int
    sndtimeo: int
    reconnect_ivl: int
    reconnect_ivl_max: int
    reconnect_stop: int
    immediate: int
    conflate: int
    backlog: int
    maxmsgsize: int
    handshake_ivl: int
    heartbeat_ivl: int
    heartbeat_ttl: int
    heartbeat_timeout: int
    connect_timeout: int
    use_fd: int
    bindtodevice: bytes
    in_batch_size: int
    out_batch_size: int
    priority: int
    busy_poll: int
    loopback_fastpath: int
    metadata: tuple[tuple[str, bytes], ...]
    hello_msg: bytes
    disconnect_msg: bytes
    hiccup_msg: bytes
    router_mandatory: int
    router_handover: int
    router_raw: int
    router_notify: int
    probe_router: int
    req_correlate: int
    req_relaxed: int
    xpub_verbose: int
    xpub_verboser: int
    xpub_nodrop: int
    xpub_manual: int
    xpub_manual_last_value: int
    xpub_welcome_msg: bytes
    only_first_subscribe: int
    xsub_verbose_unsubscribe: int
    stream_notify: int
    invert_matching: int
    sndbuf: int
    rcvbuf: int
    ipv6: int
    tcp_keepalive: int
    tcp_keepalive_cnt: int
    tcp_keepalive_idle: int
    tcp_keepalive_intvl: int
    tcp_maxrt: int
    tos: int
    tcp_accept_filter: tuple[bytes, ...]
    ipc_filter_pid: tuple[int, ...]
    ipc_filter_uid: tuple[int, ...]
    ipc_filter_gid: tuple[int, ...]
    socks_proxy: bytes
    socks_username: bytes
    socks_password: bytes
    rate: int
    recovery_ivl: int
    multicast_hops: int
    multicast_maxtpdu: int
    multicast_loop: int
    vmci_buffer_size: int
    vmci_buffer_min_size: int
    vmci_buffer_max_size: int
    vmci_connect_timeout: int
    wss_key_pem: bytes
    wss_cert_pem: bytes
    wss_trust_pem: bytes
    wss_hostname: bytes
    wss_trust_system: int
    norm_mode: int
    norm_unicast_nack: int
    norm_buffer_size: int
    norm_segment_size: int
    norm_block_size: int
    norm_num_parity: int
    norm_num_autoparity: int
    norm_push: int
    plain_server: int
    plain_username: bytes
    plain_password: bytes
    curve_server: int
    curve_publickey: bytes
    curve_secretkey: bytes
    curve_serverkey: bytes
    zap_domain: bytes
    zap_enforce_domain: int
    gssapi_server: int
    gssapi_principal: bytes
    gssapi_service_principal: bytes
    gssapi_plaintext: int
    gssapi_principal_nametype: int
    gssapi_service_principal_nametype: int

    def __init__(self, socket_type: int | None = None) -> None:
        self.socket_type = None if socket_type is None else int(socket_type)
        if self.socket_type in _NO_LINGER:
            self.linger = 0

    def copy(self) -> SocketOptions:
        """Return an independent copy."""
        other = SocketOptions.__new__(SocketOptions)
        other.__dict__.update(self.__dict__)
        return other

    def check(self, number: int, value: object) -> int | bytes:
        """Check that an option may be set to a value, and change nothing.

        Args:
            number: the option.
            value: what the application gave.

        Returns:
            The value as a plain int or bytes.

        Raises:
            TypeError: the value is of a wrong type.
            ZMQError: EINVAL: an unknown option, one that is read-only or not of this socket type, or a value out of
                range. The text names the option, the value and what is allowed.
        """
        if number not in SOCKET_OPTIONS and not isinstance(value, int):
            raise TypeError(f"unknown socket option {number}, and of an unknown kind: only integers pass, as in pyzmq")
        spec = self._look_up_for_type(number)
        if not spec.writable:
            raise ZMQError(_EINVAL, f"{spec.name} is read-only")
        return spec.check_value(value)

    def set(self, number: int, value: object) -> None:
        """Set an option.

        A computed option (SUBSCRIBE, ...) is only checked: the socket acts on it.

        Args:
            number: the option.
            value: an int (or bool) or bytes, in libzmq's units.

        Raises:
            TypeError: see :meth:`check`.
            ZMQError: EINVAL, see :meth:`check`.
        """
        checked = self.check(number, value)
        spec = SOCKET_OPTIONS[number]
        if spec.computed:
            return
        special = _SPECIAL_SETTERS.get(number)
        if special is not None:
            special(self, checked)
        else:
            setattr(self, spec.name.lower(), checked)
        mechanism = _TO_MECHANISM.get(number)
        if mechanism is not None:
            self._choose_mechanism(spec.name, mechanism, checked)

    def get(self, number: int) -> int | bytes:
        """Read an option.

        Args:
            number: the option.

        Returns:
            The value in libzmq's units.

        Raises:
            TypeError: the option is no integer.
            ZMQError: EINVAL: an unknown or write-only option, one of another socket type, or a computed option
                (all but TYPE and MECHANISM), which only the socket can answer.
        """
        spec = self._look_up_for_type(number)
        if not spec.readable:
            raise ZMQError(_EINVAL, f"{spec.name} is write-only")
        name = spec.name
        if name == "TYPE" and self.socket_type is not None:
            return self.socket_type
        if name == "HWM":
            return self.sndhwm
        if name == "IPV4ONLY":
            return 1 - self.ipv6
        if spec.computed and name != "MECHANISM":
            raise ZMQError(_EINVAL, f"{name} has no stored value; ask the socket")
        value: int | bytes = getattr(self, name.lower())
        return value

    def _look_up_for_type(self, number: int) -> OptionSpec:
        """Find the row of an option and check that this type of socket takes it."""
        spec = _look_up(SOCKET_OPTIONS, number, "Socket")
        if spec.applies_to is not None and self.socket_type is not None and self.socket_type not in spec.applies_to:
            names = ", ".join(SocketType(number).name for number in sorted(spec.applies_to))
            own = SocketType(self.socket_type).name
            raise ZMQError(_EINVAL, f"{spec.name} is an option of {names} sockets, not of {own}")
        return spec

    def _choose_mechanism(self, name: str, mechanism: int, value: int | bytes) -> None:
        """Let the option just set choose the mechanism and the role, as libzmq does (``src/options.cpp``)."""
        if name.endswith("_SERVER"):
            self._as_server = bool(value)
        elif name in _CLIENT_OPTIONS:
            self._as_server = False
        self.mechanism = mechanism if value else _NULL
        self.plain_server = int(self._as_server and self.mechanism == _PLAIN)
        self.curve_server = int(self._as_server and self.mechanism == _CURVE)
        self.gssapi_server = int(self._as_server and self.mechanism == _GSSAPI)

    @property
    def in_batch(self) -> int:
        """IN_BATCH_SIZE where it was set, in bytes; 0: its default doesn't bind us, who adapt to what comes."""
        return int(self.__dict__.get("in_batch_size", 0))

    @property
    def out_batch(self) -> int:
        """OUT_BATCH_SIZE where it was set, in bytes; 0: see `in_batch`."""
        return int(self.__dict__.get("out_batch_size", 0))

    @property
    def linger_s(self) -> float | None:
        """How long a closed socket may go on sending, in seconds; None: for ever."""
        return None if self.linger < 0 else self.linger / 1000

    @property
    def rcvtimeo_s(self) -> float | None:
        """How long a recv may wait, in seconds; None: for ever."""
        return None if self.rcvtimeo < 0 else self.rcvtimeo / 1000

    @property
    def sndtimeo_s(self) -> float | None:
        """How long a send may wait, in seconds; None: for ever."""
        return None if self.sndtimeo < 0 else self.sndtimeo / 1000

    @property
    def reconnect_ivl_s(self) -> float:
        """Time before another try to connect, in seconds; 0.0: never try again."""
        return self.reconnect_ivl / 1000 if self.reconnect_ivl > 0 else 0.0

    @property
    def reconnect_ivl_max_s(self) -> float:
        """Longest time before another try to connect, in seconds; 0.0: no back-off."""
        return self.reconnect_ivl_max / 1000

    @property
    def greeting_ivl_s(self) -> float | None:
        """The limit of the greeting in seconds; None for no limit, which HANDSHAKE_IVL 0 means, too."""
        return self.greeting_ivl / 1000 if self.greeting_ivl and self.handshake_ivl else None

    @property
    def handshake_ivl_s(self) -> float | None:
        """How long a handshake may take, in seconds; None: for ever."""
        return self.handshake_ivl / 1000 if self.handshake_ivl else None

    @property
    def connect_timeout_s(self) -> float | None:
        """How long a connect of the transport may take, in seconds; None: as long as the operating system says."""
        return self.connect_timeout / 1000 if self.connect_timeout else None

    @property
    def heartbeat_ivl_s(self) -> float | None:
        """Time between two PINGs, in seconds; None: none are sent."""
        return self.heartbeat_ivl / 1000 if self.heartbeat_ivl else None

    @property
    def heartbeat_timeout_s(self) -> float:
        """How long after a PING the peer may be silent, in seconds; HEARTBEAT_IVL where it is not set."""
        return (self.heartbeat_ivl if self.heartbeat_timeout < 0 else self.heartbeat_timeout) / 1000

    @property
    def heartbeat_ttl_s(self) -> float:
        """How long the peer shall wait for our next sign of life, in seconds; 0.0: it decides itself."""
        return self.heartbeat_ttl / 1000


def _set_hwm(options: SocketOptions, value: Any) -> None:
    options.sndhwm = options.rcvhwm = value


def _set_ipv4only(options: SocketOptions, value: Any) -> None:
    options.ipv6 = 1 - value


def _set_heartbeat_ttl(options: SocketOptions, value: Any) -> None:
    options.heartbeat_ttl = value // 100 * 100  # a PING carries tenths of a second (RFC 37)


def _set_xpub_verbose(options: SocketOptions, value: Any) -> None:
    options.xpub_verbose = value
    options.xpub_verboser = 0


def _set_xpub_verboser(options: SocketOptions, value: Any) -> None:
    options.xpub_verbose = options.xpub_verboser = value  # VERBOSER is VERBOSE and more (xpub.cpp)


def _set_xpub_manual_last_value(options: SocketOptions, value: Any) -> None:
    options.xpub_manual = options.xpub_manual_last_value = value


def _add_metadata(options: SocketOptions, value: Any) -> None:
    name, _, text = value.partition(b":")
    if not name.startswith(b"X-") or not 2 < len(name) <= 255 or not text or not name.isascii():
        raise ZMQError(_EINVAL, f"METADATA must be b'X-name:value' with a name of 3..255 ASCII letters, not {value!r}")
    key = name.decode("ascii")
    kept = tuple(pair for pair in options.metadata if pair[0] != key)
    options.metadata = (*kept, (key, text))


def _add_tcp_accept_filter(options: SocketOptions, value: Any) -> None:
    import ipaddress

    try:
        network = ipaddress.ip_network(value.decode("ascii"), strict=False)
    except ValueError as error:
        text = f"TCP_ACCEPT_FILTER must be an address or a network like 10.0.0.0/8, not {value!r}"
        raise ZMQError(_EINVAL, text) from error
    options.tcp_accept_filter = (*options.tcp_accept_filter, str(network).encode("ascii"))


def _adder(attribute: str) -> Callable[[SocketOptions, Any], None]:
    """Make a setter for an option that adds to a list each time it is set."""

    def add(options: SocketOptions, value: Any) -> None:
        setattr(options, attribute, (*getattr(options, attribute), value))

    return add


def _key_setter(name: str) -> Callable[[SocketOptions, Any], None]:
    """Make a setter for a CURVE key, which comes raw or as Z85 text that may end in a NUL."""

    def set_key(options: SocketOptions, value: Any) -> None:
        text = value[:40] if value[40:] == b"\0" or len(value) == 40 else b""
        if len(value) != 32 and not (text and _Z85.issuperset(text)):
            raise ZMQError(_EINVAL, f"{name} must be 32 bytes, or 40 characters of Z85, not {len(value)} other bytes")
        setattr(options, name.lower(), text or value)

    return set_key


_SPECIAL_SETTERS: dict[int, Callable[[SocketOptions, Any], None]] = {
    SocketOption.HWM.value: _set_hwm,
    SocketOption.IPV4ONLY.value: _set_ipv4only,
    SocketOption.HEARTBEAT_TTL.value: _set_heartbeat_ttl,
    SocketOption.XPUB_VERBOSE.value: _set_xpub_verbose,
    SocketOption.XPUB_VERBOSER.value: _set_xpub_verboser,
    SocketOption.XPUB_MANUAL_LAST_VALUE.value: _set_xpub_manual_last_value,
    SocketOption.METADATA.value: _add_metadata,
    SocketOption.TCP_ACCEPT_FILTER.value: _add_tcp_accept_filter,
    SocketOption.IPC_FILTER_PID.value: _adder("ipc_filter_pid"),
    SocketOption.IPC_FILTER_UID.value: _adder("ipc_filter_uid"),
    SocketOption.IPC_FILTER_GID.value: _adder("ipc_filter_gid"),
    SocketOption.CURVE_PUBLICKEY.value: _key_setter("CURVE_PUBLICKEY"),
    SocketOption.CURVE_SECRETKEY.value: _key_setter("CURVE_SECRETKEY"),
    SocketOption.CURVE_SERVERKEY.value: _key_setter("CURVE_SERVERKEY"),
}


#: Reading number 3 is SOCKET_LIMIT, setting it is this.
_THREAD_PRIORITY = OptionSpec("THREAD_PRIORITY", ContextOption.THREAD_PRIORITY.value, "int", -1, 0, readable=False)
#: libzmq's limit, which leaves room for what follows in the kernel's name of a thread.
_THREAD_NAME_MAX = 16


def _check_thread_name(value: str | bytes) -> str:
    text = value if isinstance(value, str) else value.decode("utf-8", "replace")
    if not 0 < len(text.encode()) <= _THREAD_NAME_MAX or "\0" in text:
        raise ZMQError(
            _EINVAL, f"THREAD_NAME_PREFIX must be a number, or text of 1..{_THREAD_NAME_MAX} bytes, not {value!r}"
        )
    return text


class ContextOptions:
    """The option values of one context.

    Attributes:
        cpus: the processors that I/O threads are bound to; empty: any.
        thread_priority: what was set under the number of SOCKET_LIMIT; -1: the default.
        thread_name_prefix: a number or text; 0: none.
    """

    io_threads: int
    max_sockets: int
    socket_limit: int
    thread_sched_policy: int
    max_msgsz: int
    msg_t_size: int
    thread_name_prefix: int | str
    zero_copy_recv: int
    ipv6: int
    blocky: int
    cpus: frozenset[int] = frozenset()
    thread_priority: int = -1

    def set(self, number: int, value: object) -> None:
        """Set an option.

        Args:
            number: the option.
            value: an int (or bool); THREAD_NAME_PREFIX may be text.

        Raises:
            TypeError: the value is no integer.
            ZMQError: EINVAL: an unknown or read-only option, or a value out of range.
        """
        spec = _look_up(CONTEXT_OPTIONS, number, "Context")
        if not spec.writable:
            raise ZMQError(_EINVAL, f"{spec.name} is read-only")
        if spec.name == "SOCKET_LIMIT":
            self.thread_priority = int(_THREAD_PRIORITY.check_value(value))
            return
        if spec.name == "THREAD_NAME_PREFIX" and isinstance(value, (str, bytes)):
            self.thread_name_prefix = _check_thread_name(value)
            return
        checked = spec.check_value(value)
        if spec.name == "THREAD_AFFINITY_CPU_ADD":
            self.cpus |= {int(checked)}
        elif spec.name == "THREAD_AFFINITY_CPU_REMOVE":
            if checked not in self.cpus:
                raise ZMQError(_EINVAL, f"THREAD_AFFINITY_CPU_REMOVE: processor {checked!r} was not added before")
            self.cpus -= {int(checked)}
        else:
            setattr(self, spec.name.lower(), checked)

    def get(self, number: int) -> int | str:
        """Read an option.

        Args:
            number: the option.

        Returns:
            The value: an int, or text for a THREAD_NAME_PREFIX that is text.

        Raises:
            TypeError: the option is no integer.
            ZMQError: EINVAL: an unknown or write-only option.
        """
        spec = _look_up(CONTEXT_OPTIONS, number, "Context")
        if not spec.readable:
            raise ZMQError(_EINVAL, f"{spec.name} is write-only")
        value: int | str = getattr(self, spec.name.lower())
        return value


def _set_defaults() -> None:
    """Make the defaults of the table attributes of the classes."""
    for spec in SOCKET_OPTIONS.values():
        if not spec.computed and spec.name not in {"HWM", "IPV4ONLY"}:
            setattr(SocketOptions, spec.name.lower(), spec.default)
    for name in ("tcp_accept_filter", "ipc_filter_pid", "ipc_filter_uid", "ipc_filter_gid", "metadata"):
        setattr(SocketOptions, name, ())
    for spec in CONTEXT_OPTIONS.values():
        if spec.readable:
            setattr(ContextOptions, spec.name.lower(), spec.default)


_set_defaults()
