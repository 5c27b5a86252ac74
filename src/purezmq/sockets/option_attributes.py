"""The options of a socket as attributes: ``socket.linger = 0``, in any tool's completion and type check.

Names are libzmq's in lower case; pyzmq's upper-case spelling (``socket.LINGER``) names the same attributes. How a
value is read or set is `socket_options`' matter, what it may be is the table's in `options`.
"""

from __future__ import annotations

from purezmq.constants import EINVAL, SocketOption
from purezmq.error import ZMQError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, overload

    from purezmq.sockets.event_stream import EventStream

__all__ = ["BytesOption", "EventsOption", "IntOption", "OptionAttributes", "ReadyEvents", "TopicMethod"]


class _Option:
    """An option as an attribute of every socket."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __set__(self, socket: Any, value: Any) -> None:
        if isinstance(value, str):
            socket.setsockopt_string(self.number, value)
        else:
            socket.setsockopt(self.number, value)

    def _get(self, socket: Any) -> Any:
        if socket is None:
            return self
        try:
            return socket.getsockopt(self.number)
        except ZMQError as error:
            if error.errno == EINVAL:  # as pyzmq: a write-only option, or one of another type, is no attribute
                raise AttributeError(str(error)) from error
            raise


class IntOption(_Option):
    """An option with an integer value."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __get__(self, socket: None, owner: Any = None) -> IntOption: ...
        @overload
        def __get__(self, socket: OptionAttributes, owner: Any = None) -> int: ...

    def __get__(self, socket: Any, owner: Any = None) -> Any:
        return self._get(socket)


class ReadyEvents(int):
    """What ``socket.events`` is: the number that pyzmq's has (EVENTS: POLLIN, POLLOUT); called, it opens a stream.

    Two things have the name. Programs written for pyzmq read ``socket.events`` as the option, and go on to do so.
    """

    _socket: Any

    def __call__(self, timeout: float | None = None, *, max_events: int | None = None) -> EventStream:
        """Listen to what happens to the socket from now on: connections, refusals, lost messages.

        Args:
            timeout: seconds that iteration waits for each event before it ends; None for ever.
            max_events: how many unread events are held; the oldest are dropped then, and counted. 1000 by default.

        Returns:
            A stream of `SocketEvent`: iterate over it, or ``get()`` one. It ends with the socket, or by ``close()``.

        Raises:
            ValueError: max_events is less than 1.
            ZMQError: ENOTSOCK, ETERM.
        """
        stream: EventStream = self._socket._open_events(timeout, max_events)
        return stream

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        """A copy is the number alone."""
        return (int, (int(self),))


class EventsOption(_Option):
    """EVENTS, and the way to a socket's events."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __get__(self, socket: None, owner: Any = None) -> EventsOption: ...
        @overload
        def __get__(self, socket: OptionAttributes, owner: Any = None) -> ReadyEvents: ...

    def __get__(self, socket: Any, owner: Any = None) -> Any:
        """The number of now."""
        value = self._get(socket)
        if socket is not None:
            value = ReadyEvents(value)
            value._socket = socket
        return value


class BytesOption(_Option):
    """An option whose value is bytes; text is taken as UTF-8 when it's set."""

    __slots__ = ()

    if TYPE_CHECKING:

        @overload
        def __get__(self, socket: None, owner: Any = None) -> BytesOption: ...
        @overload
        def __get__(self, socket: OptionAttributes, owner: Any = None) -> bytes: ...

    def __get__(self, socket: Any, owner: Any = None) -> Any:
        return self._get(socket)


class TopicMethod:
    """SUBSCRIBE and UNSUBSCRIBE: ``socket.subscribe(topic)``, or as pyzmq allows ``socket.subscribe = topic``."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __get__(self, socket: Any, owner: Any = None) -> Callable[[str | bytes], None]:
        return lambda topic: self.__set__(socket, topic)

    def __set__(self, socket: Any, topic: str | bytes) -> None:
        """Subscribe to `topic` (b"" for everything), or cancel that. Text is taken as UTF-8."""
        socket.setsockopt(self.number, topic.encode() if isinstance(topic, str) else topic)


class OptionAttributes:
    """All options as attributes; what they mean stands in `docs/reference/options.md`."""

    __slots__ = ()

    affinity = IntOption(SocketOption.AFFINITY)
    routing_id = BytesOption(SocketOption.ROUTING_ID)
    rate = IntOption(SocketOption.RATE)
    recovery_ivl = IntOption(SocketOption.RECOVERY_IVL)
    sndbuf = IntOption(SocketOption.SNDBUF)
    rcvbuf = IntOption(SocketOption.RCVBUF)
    rcvmore = IntOption(SocketOption.RCVMORE)
    events = EventsOption(SocketOption.EVENTS)
    linger = IntOption(SocketOption.LINGER)
    reconnect_ivl = IntOption(SocketOption.RECONNECT_IVL)
    backlog = IntOption(SocketOption.BACKLOG)
    reconnect_ivl_max = IntOption(SocketOption.RECONNECT_IVL_MAX)
    maxmsgsize = IntOption(SocketOption.MAXMSGSIZE)
    sndhwm = IntOption(SocketOption.SNDHWM)
    rcvhwm = IntOption(SocketOption.RCVHWM)
    multicast_hops = IntOption(SocketOption.MULTICAST_HOPS)
    rcvtimeo = IntOption(SocketOption.RCVTIMEO)
    sndtimeo = IntOption(SocketOption.SNDTIMEO)
    last_endpoint = BytesOption(SocketOption.LAST_ENDPOINT)
    router_mandatory = IntOption(SocketOption.ROUTER_MANDATORY)
    tcp_keepalive = IntOption(SocketOption.TCP_KEEPALIVE)
    tcp_keepalive_cnt = IntOption(SocketOption.TCP_KEEPALIVE_CNT)
    tcp_keepalive_idle = IntOption(SocketOption.TCP_KEEPALIVE_IDLE)
    tcp_keepalive_intvl = IntOption(SocketOption.TCP_KEEPALIVE_INTVL)
    immediate = IntOption(SocketOption.IMMEDIATE)
    xpub_verbose = IntOption(SocketOption.XPUB_VERBOSE)
    router_raw = IntOption(SocketOption.ROUTER_RAW)
    ipv6 = IntOption(SocketOption.IPV6)
    mechanism = IntOption(SocketOption.MECHANISM)
    plain_server = IntOption(SocketOption.PLAIN_SERVER)
    plain_username = BytesOption(SocketOption.PLAIN_USERNAME)
    plain_password = BytesOption(SocketOption.PLAIN_PASSWORD)
    curve_server = IntOption(SocketOption.CURVE_SERVER)
    curve_publickey = BytesOption(SocketOption.CURVE_PUBLICKEY)
    curve_secretkey = BytesOption(SocketOption.CURVE_SECRETKEY)
    curve_serverkey = BytesOption(SocketOption.CURVE_SERVERKEY)
    probe_router = IntOption(SocketOption.PROBE_ROUTER)
    req_correlate = IntOption(SocketOption.REQ_CORRELATE)
    req_relaxed = IntOption(SocketOption.REQ_RELAXED)
    conflate = IntOption(SocketOption.CONFLATE)
    zap_domain = BytesOption(SocketOption.ZAP_DOMAIN)
    router_handover = IntOption(SocketOption.ROUTER_HANDOVER)
    tos = IntOption(SocketOption.TOS)
    connect_routing_id = BytesOption(SocketOption.CONNECT_ROUTING_ID)
    gssapi_server = IntOption(SocketOption.GSSAPI_SERVER)
    gssapi_principal = BytesOption(SocketOption.GSSAPI_PRINCIPAL)
    gssapi_service_principal = BytesOption(SocketOption.GSSAPI_SERVICE_PRINCIPAL)
    gssapi_plaintext = IntOption(SocketOption.GSSAPI_PLAINTEXT)
    handshake_ivl = IntOption(SocketOption.HANDSHAKE_IVL)
    socks_proxy = BytesOption(SocketOption.SOCKS_PROXY)
    xpub_nodrop = IntOption(SocketOption.XPUB_NODROP)
    xpub_manual = IntOption(SocketOption.XPUB_MANUAL)
    xpub_welcome_msg = BytesOption(SocketOption.XPUB_WELCOME_MSG)
    stream_notify = IntOption(SocketOption.STREAM_NOTIFY)
    invert_matching = IntOption(SocketOption.INVERT_MATCHING)
    heartbeat_ivl = IntOption(SocketOption.HEARTBEAT_IVL)
    heartbeat_ttl = IntOption(SocketOption.HEARTBEAT_TTL)
    heartbeat_timeout = IntOption(SocketOption.HEARTBEAT_TIMEOUT)
    xpub_verboser = IntOption(SocketOption.XPUB_VERBOSER)
    connect_timeout = IntOption(SocketOption.CONNECT_TIMEOUT)
    tcp_maxrt = IntOption(SocketOption.TCP_MAXRT)
    multicast_maxtpdu = IntOption(SocketOption.MULTICAST_MAXTPDU)
    vmci_buffer_size = IntOption(SocketOption.VMCI_BUFFER_SIZE)
    vmci_buffer_min_size = IntOption(SocketOption.VMCI_BUFFER_MIN_SIZE)
    vmci_buffer_max_size = IntOption(SocketOption.VMCI_BUFFER_MAX_SIZE)
    vmci_connect_timeout = IntOption(SocketOption.VMCI_CONNECT_TIMEOUT)
    use_fd = IntOption(SocketOption.USE_FD)
    gssapi_principal_nametype = IntOption(SocketOption.GSSAPI_PRINCIPAL_NAMETYPE)
    gssapi_service_principal_nametype = IntOption(SocketOption.GSSAPI_SERVICE_PRINCIPAL_NAMETYPE)
    bindtodevice = BytesOption(SocketOption.BINDTODEVICE)
    identity = BytesOption(SocketOption.IDENTITY)
    connect_rid = BytesOption(SocketOption.CONNECT_RID)
    tcp_accept_filter = BytesOption(SocketOption.TCP_ACCEPT_FILTER)
    ipc_filter_pid = IntOption(SocketOption.IPC_FILTER_PID)
    ipc_filter_uid = IntOption(SocketOption.IPC_FILTER_UID)
    ipc_filter_gid = IntOption(SocketOption.IPC_FILTER_GID)
    ipv4only = IntOption(SocketOption.IPV4ONLY)
    delay_attach_on_connect = IntOption(SocketOption.DELAY_ATTACH_ON_CONNECT)
    fail_unroutable = IntOption(SocketOption.FAIL_UNROUTABLE)
    router_behavior = IntOption(SocketOption.ROUTER_BEHAVIOR)
    zap_enforce_domain = IntOption(SocketOption.ZAP_ENFORCE_DOMAIN)
    loopback_fastpath = IntOption(SocketOption.LOOPBACK_FASTPATH)
    metadata = BytesOption(SocketOption.METADATA)
    multicast_loop = IntOption(SocketOption.MULTICAST_LOOP)
    router_notify = IntOption(SocketOption.ROUTER_NOTIFY)
    xpub_manual_last_value = IntOption(SocketOption.XPUB_MANUAL_LAST_VALUE)
    socks_username = BytesOption(SocketOption.SOCKS_USERNAME)
    socks_password = BytesOption(SocketOption.SOCKS_PASSWORD)
    in_batch_size = IntOption(SocketOption.IN_BATCH_SIZE)
    out_batch_size = IntOption(SocketOption.OUT_BATCH_SIZE)
    wss_key_pem = BytesOption(SocketOption.WSS_KEY_PEM)
    wss_cert_pem = BytesOption(SocketOption.WSS_CERT_PEM)
    wss_trust_pem = BytesOption(SocketOption.WSS_TRUST_PEM)
    wss_hostname = BytesOption(SocketOption.WSS_HOSTNAME)
    wss_trust_system = IntOption(SocketOption.WSS_TRUST_SYSTEM)
    only_first_subscribe = IntOption(SocketOption.ONLY_FIRST_SUBSCRIBE)
    reconnect_stop = IntOption(SocketOption.RECONNECT_STOP)
    hello_msg = BytesOption(SocketOption.HELLO_MSG)
    disconnect_msg = BytesOption(SocketOption.DISCONNECT_MSG)
    priority = IntOption(SocketOption.PRIORITY)
    busy_poll = IntOption(SocketOption.BUSY_POLL)
    hiccup_msg = BytesOption(SocketOption.HICCUP_MSG)
    xsub_verbose_unsubscribe = IntOption(SocketOption.XSUB_VERBOSE_UNSUBSCRIBE)
    thread_safe = IntOption(SocketOption.THREAD_SAFE)
    topics_count = IntOption(SocketOption.TOPICS_COUNT)
    norm_mode = IntOption(SocketOption.NORM_MODE)
    norm_unicast_nack = IntOption(SocketOption.NORM_UNICAST_NACK)
    norm_buffer_size = IntOption(SocketOption.NORM_BUFFER_SIZE)
    norm_segment_size = IntOption(SocketOption.NORM_SEGMENT_SIZE)
    norm_block_size = IntOption(SocketOption.NORM_BLOCK_SIZE)
    norm_num_parity = IntOption(SocketOption.NORM_NUM_PARITY)
    norm_num_autoparity = IntOption(SocketOption.NORM_NUM_AUTOPARITY)
    norm_push = IntOption(SocketOption.NORM_PUSH)

    # pyzmq's other spelling
    AFFINITY = affinity
    ROUTING_ID = routing_id
    RATE = rate
    RECOVERY_IVL = recovery_ivl
    SNDBUF = sndbuf
    RCVBUF = rcvbuf
    RCVMORE = rcvmore
    EVENTS = IntOption(SocketOption.EVENTS)
    LINGER = linger
    RECONNECT_IVL = reconnect_ivl
    BACKLOG = backlog
    RECONNECT_IVL_MAX = reconnect_ivl_max
    MAXMSGSIZE = maxmsgsize
    SNDHWM = sndhwm
    RCVHWM = rcvhwm
    MULTICAST_HOPS = multicast_hops
    RCVTIMEO = rcvtimeo
    SNDTIMEO = sndtimeo
    LAST_ENDPOINT = last_endpoint
    ROUTER_MANDATORY = router_mandatory
    TCP_KEEPALIVE = tcp_keepalive
    TCP_KEEPALIVE_CNT = tcp_keepalive_cnt
    TCP_KEEPALIVE_IDLE = tcp_keepalive_idle
    TCP_KEEPALIVE_INTVL = tcp_keepalive_intvl
    IMMEDIATE = immediate
    XPUB_VERBOSE = xpub_verbose
    ROUTER_RAW = router_raw
    IPV6 = ipv6
    MECHANISM = mechanism
    PLAIN_SERVER = plain_server
    PLAIN_USERNAME = plain_username
    PLAIN_PASSWORD = plain_password
    CURVE_SERVER = curve_server
    CURVE_PUBLICKEY = curve_publickey
    CURVE_SECRETKEY = curve_secretkey
    CURVE_SERVERKEY = curve_serverkey
    PROBE_ROUTER = probe_router
    REQ_CORRELATE = req_correlate
    REQ_RELAXED = req_relaxed
    CONFLATE = conflate
    ZAP_DOMAIN = zap_domain
    ROUTER_HANDOVER = router_handover
    TOS = tos
    CONNECT_ROUTING_ID = connect_routing_id
    GSSAPI_SERVER = gssapi_server
    GSSAPI_PRINCIPAL = gssapi_principal
    GSSAPI_SERVICE_PRINCIPAL = gssapi_service_principal
    GSSAPI_PLAINTEXT = gssapi_plaintext
    HANDSHAKE_IVL = handshake_ivl
    SOCKS_PROXY = socks_proxy
    XPUB_NODROP = xpub_nodrop
    XPUB_MANUAL = xpub_manual
    XPUB_WELCOME_MSG = xpub_welcome_msg
    STREAM_NOTIFY = stream_notify
    INVERT_MATCHING = invert_matching
    HEARTBEAT_IVL = heartbeat_ivl
    HEARTBEAT_TTL = heartbeat_ttl
    HEARTBEAT_TIMEOUT = heartbeat_timeout
    XPUB_VERBOSER = xpub_verboser
    CONNECT_TIMEOUT = connect_timeout
    TCP_MAXRT = tcp_maxrt
    THREAD_SAFE = thread_safe
    MULTICAST_MAXTPDU = multicast_maxtpdu
    VMCI_BUFFER_SIZE = vmci_buffer_size
    VMCI_BUFFER_MIN_SIZE = vmci_buffer_min_size
    VMCI_BUFFER_MAX_SIZE = vmci_buffer_max_size
    VMCI_CONNECT_TIMEOUT = vmci_connect_timeout
    USE_FD = use_fd
    GSSAPI_PRINCIPAL_NAMETYPE = gssapi_principal_nametype
    GSSAPI_SERVICE_PRINCIPAL_NAMETYPE = gssapi_service_principal_nametype
    BINDTODEVICE = bindtodevice
    IDENTITY = identity
    CONNECT_RID = connect_rid
    TCP_ACCEPT_FILTER = tcp_accept_filter
    IPC_FILTER_PID = ipc_filter_pid
    IPC_FILTER_UID = ipc_filter_uid
    IPC_FILTER_GID = ipc_filter_gid
    IPV4ONLY = ipv4only
    DELAY_ATTACH_ON_CONNECT = delay_attach_on_connect
    FAIL_UNROUTABLE = fail_unroutable
    ROUTER_BEHAVIOR = router_behavior
    ZAP_ENFORCE_DOMAIN = zap_enforce_domain
    LOOPBACK_FASTPATH = loopback_fastpath
    METADATA = metadata
    MULTICAST_LOOP = multicast_loop
    ROUTER_NOTIFY = router_notify
    XPUB_MANUAL_LAST_VALUE = xpub_manual_last_value
    SOCKS_USERNAME = socks_username
    SOCKS_PASSWORD = socks_password
    IN_BATCH_SIZE = in_batch_size
    OUT_BATCH_SIZE = out_batch_size
    WSS_KEY_PEM = wss_key_pem
    WSS_CERT_PEM = wss_cert_pem
    WSS_TRUST_PEM = wss_trust_pem
    WSS_HOSTNAME = wss_hostname
    WSS_TRUST_SYSTEM = wss_trust_system
    ONLY_FIRST_SUBSCRIBE = only_first_subscribe
    RECONNECT_STOP = reconnect_stop
    HELLO_MSG = hello_msg
    DISCONNECT_MSG = disconnect_msg
    PRIORITY = priority
    BUSY_POLL = busy_poll
    HICCUP_MSG = hiccup_msg
    XSUB_VERBOSE_UNSUBSCRIBE = xsub_verbose_unsubscribe
    TOPICS_COUNT = topics_count
    NORM_MODE = norm_mode
    NORM_UNICAST_NACK = norm_unicast_nack
    NORM_BUFFER_SIZE = norm_buffer_size
    NORM_SEGMENT_SIZE = norm_segment_size
    NORM_BLOCK_SIZE = norm_block_size
    NORM_NUM_PARITY = norm_num_parity
    NORM_NUM_AUTOPARITY = norm_num_autoparity
    NORM_PUSH = norm_push
