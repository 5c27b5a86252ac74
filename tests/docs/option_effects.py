"""What each option and each named setting does, in one line, by subject: the words of docs/reference/options.md.

Types, defaults, ranges and notes are not here: they come from the library. An option without a line, or a line without
an option, fails the test of the page.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["AT_ONCE", "CONTEXT_EFFECTS", "CONTEXT_WHEN", "NEXT_CALL", "SETTINGS", "SOCKET_EFFECTS", "UNITS", "Setting"]


class Setting(NamedTuple):
    """A setting that has a name and no number."""

    name: str
    type: str
    unit: str
    range: str
    sockets: str
    when: str
    effect: str


#: Settings of sockets (attributes, and keywords of `context.socket()`) and the one of contexts.
SETTINGS = [
    Setting(
        "overflow", "str", "",
        '"block", "drop-newest", "drop-oldest", "error", "spill"; "" restores the type\'s own',
        'all; REQ and STREAM can\'t drop, receive-only types can\'t have "error"', "at once",
        "what happens to a message when the queue to its peer is full; also `bind(..., overflow=)` and"
        " `connect(..., overflow=)` for the peers of one endpoint",
    ),
    Setting(
        "sndhwm_bytes", "int", "bytes", ">= 0, 0 = no limit", "all", "at once",
        "most bytes that wait for one peer, besides SNDHWM messages; an empty queue takes one message of any size",
    ),
    Setting(
        "rcvhwm_bytes", "int", "bytes", ">= 0, 0 = no limit", "all", "at once",
        "most bytes from one peer that wait to be received, besides RCVHWM messages; one read may bring more",
    ),
    Setting(
        "conflate_key", "int, function or None", "", "the number of a part, a function of the list of parts, or None",
        "all", "later connections",
        "keep the latest message of each key in a queue; the high-water marks count keys",
    ),
    Setting(
        "swap", "int", "bytes", ">= 0, 0 = no swap", "all", "with the next queue that spills",
        'most bytes on disk for each peer and direction with overflow="spill"',
    ),
    Setting(
        "swap_dir", "str or path", "", "a directory, made if missing; empty = the system's for temporary files", "all",
        "with the next queue that spills", "where the files are that hold what spilled",
    ),
    Setting(
        "durable", "(int, float) or None", "bytes, seconds", "both > 0; None = nobody", "PUB, XPUB", "at once",
        "keep what is published to subscribers with a ROUTING_ID that went away: so much for each, for so long",
    ),
    Setting(
        "last_value_cache", "int", "topics", ">= 0, 0 = none", "PUB, XPUB", "at once",
        "keep the last message of so many topics, and give it to those who subscribe later",
    ),
    Setting(
        "ipc_mode", "int or None", "", "0 to 0o777; None = what the umask says", "all", "later binds",
        "permissions of the file of an ipc endpoint: who may connect",
    ),
    Setting(
        "greeting_ivl", "int", "milliseconds", ">= 0, 0 = no limit", "all", "later connections",
        "time for the greeting of a peer that connects; HANDSHAKE_IVL is for the whole handshake, and 0 there for both",
    ),
    Setting(
        "max_handshakes", "int", "connections", ">= 0, 0 = no limit", "all", "at once",
        "connections of one bound endpoint that are amid their handshake; the next ones wait for room",
    ),
    Setting(
        "max_handshakes_per_address", "int", "connections", ">= 0, 0 = no limit", "all", "at once",
        "the same of one source address (IPv6: /64), but for loopback and ipc; set it higher where many clients come by"
        " one address",
    ),
    Setting(
        "max_parts", "int", "parts", ">= 0, 0 = no limit", "all", "later connections",
        "parts of one message that arrives; a peer that sends more loses its connection",
    ),
    Setting(
        "max_multipart_bytes", "int", "bytes", ">= 0, 0 = no limit", "all", "later connections",
        "bytes of one message that arrives in several parts, likewise; MAXMSGSIZE is for each part",
    ),
    Setting(
        "max_topics_per_peer", "int", "topics", ">= 0, 0 = no limit", "PUB, XPUB, RADIO", "at once",
        "topics (RADIO: groups) that one subscriber has at once, likewise",
    ),
    Setting(
        "max_topics_per_proxy", "int", "topics", ">= 0, 0 = no limit", "PUB, XPUB", "at once",
        "the same of one XSUB, a proxy that asks for the topics of all its own subscribers; at most half of"
        " `max_topics`, or it can keep others out",
    ),
    Setting(
        "max_topic_bytes_per_peer", "int", "bytes", ">= 0, 0 = no limit", "PUB, XPUB, RADIO", "at once",
        "bytes of the topics that one subscriber has at once, likewise",
    ),
    Setting(
        "max_topic_bytes_per_proxy", "int", "bytes", ">= 0, 0 = no limit", "PUB, XPUB", "at once",
        "the same of one XSUB",
    ),
    Setting(
        "max_topics", "int", "topics", ">= 0, 0 = no limit", "PUB, XPUB, RADIO", "at once",
        "different topics that all subscribers have at once; who wants one more loses its connection",
    ),
    Setting(
        "max_bytes", "int", "bytes", ">= 0, 0 = no limit", "the context", "at once",
        "most bytes in memory in all queues of all its sockets; then a queue that holds anything counts as full",
    ),
]  # fmt: skip

SOCKET_EFFECTS: dict[str, dict[str, str]] = {
    "Queues": {
        "HWM": "both marks at once; reading it gives SNDHWM",
        "SNDHWM": "most messages that wait for one peer; what then happens is `overflow`'s matter",
        "RCVHWM": "most messages from one peer that wait to be received; then reading from it pauses",
        "CONFLATE": "keep the last message only (PUSH, PULL, PUB, SUB, DEALER)",
        "LINGER": "how long what was sent may still leave after close(); 0 in SUB, XSUB and DISH",
        "IMMEDIATE": "queue for peers whose connection stands only, not for those that may come",
    },
    "Calls": {
        "RCVTIMEO": "how long a receive waits before it raises Again",
        "SNDTIMEO": "how long a send waits before it raises Again",
        "RCVMORE": "whether the message that is being received has more parts",
        "EVENTS": "whether the socket can be received from (1) and sent to (2) now",
        "FD": "a descriptor that becomes readable when EVENTS may have changed",
        "TYPE": "the number of the socket's type",
        "THREAD_SAFE": "always 1: any thread may use any socket",
        "LAST_ENDPOINT": "the last endpoint that was bound or connected, with its real port",
        "MECHANISM": "the number of the security mechanism in use",
    },
    "Names and messages of the socket's own": {
        "ROUTING_ID": "the name that peers know this socket by; a durable subscriber needs one",
        "CONNECT_ROUTING_ID": "the name of the peer of the next connect(), and of that one only",
        "METADATA": "a property b'X-name:value' that peers read off the frames they receive; may be set several times",
        "HELLO_MSG": "the first message that each new peer gets (ROUTER, DEALER, CLIENT, SERVER, PEER)",
        "DISCONNECT_MSG": "what this socket receives when a peer that came to it goes away (ROUTER, SERVER, PEER)",
        "HICCUP_MSG": "what this socket receives when a connection that it made is lost (DEALER, CLIENT, PEER)",
    },
    "Connections": {
        "RECONNECT_IVL": "least time before another attempt to connect; some jitter is added",
        "RECONNECT_IVL_MAX": "the time between attempts doubles up to this",
        "RECONNECT_STOP": "give up when refused (1), when the handshake failed (2), after disconnect() (4)",
        "CONNECT_TIMEOUT": "how long one attempt to connect may take",
        "HANDSHAKE_IVL": "how long a peer may take for the handshake before it is disconnected",
        "HEARTBEAT_IVL": "time between two PINGs to a peer",
        "HEARTBEAT_TIMEOUT": "how long a peer may leave a PING unanswered before it is disconnected",
        "HEARTBEAT_TTL": "how long the peer shall wait for a sign of ours; kept in tenths of a second",
        "MAXMSGSIZE": "a peer that announces a larger frame is disconnected",
        "BACKLOG": "connections that the system keeps ready for a listener to accept",
        "USE_FD": "bind() or connect() uses this descriptor, already bound or connected, and makes none",
        "AFFINITY": "which I/O threads of the context may serve the connections: bit n is thread n",
        "IN_BATCH_SIZE": "bytes of one read; where it was not set, reads adapt to what comes",
        "OUT_BATCH_SIZE": "bytes of one write; where it was not set, writes adapt to what waits",
    },
    "Request and reply, routing": {
        "ROUTER_MANDATORY": "a message for nobody who is known raises EHOSTUNREACH, and is not dropped",
        "ROUTER_HANDOVER": "a new peer with a known routing id takes it over, and is not refused",
        "ROUTER_RAW": "bytes come and go as they are, without ZMTP, as with STREAM",
        "ROUTER_NOTIFY": "an empty message under its id when a peer comes (1), when it goes (2)",
        "PROBE_ROUTER": "send an empty message as soon as a connection is made, so that a ROUTER knows the name",
        "REQ_CORRELATE": "requests carry an id, and only the reply with the same id is taken",
        "REQ_RELAXED": "a new request may be sent before the reply to the last one came",
        "STREAM_NOTIFY": "an empty message when a connection begins and when it ends",
    },
    "Publish and subscribe": {
        "SUBSCRIBE": "receive what begins with these bytes; of an XPUB with XPUB_MANUAL: grant it",
        "UNSUBSCRIBE": "undo one subscription to these bytes",
        "INVERT_MATCHING": "receive what does not begin with a subscription; to be set on both sides",
        "TOPICS_COUNT": "how many different topics are subscribed to",
        "XPUB_VERBOSE": "an XPUB receives every subscription, and not only the first of each topic",
        "XPUB_VERBOSER": "likewise, and every cancellation, too",
        "XPUB_NODROP": 'a publisher waits for a full subscriber, as with overflow="block"',
        "XPUB_MANUAL": "subscriptions count only when the program answers them with SUBSCRIBE",
        "XPUB_MANUAL_LAST_VALUE": "as XPUB_MANUAL, and the next message goes to the one whose subscription that was",
        "XPUB_WELCOME_MSG": "what each new subscriber gets first, if it wants the topic",
        "ONLY_FIRST_SUBSCRIBE": "only the first part of a message may be a subscription; later parts are data",
        "XSUB_VERBOSE_UNSUBSCRIBE": "pass on every cancellation of a topic, and not only the last",
    },
    "Transports": {
        "SNDBUF": "size of the system's buffer for what leaves",
        "RCVBUF": "size of the system's buffer for what arrives",
        "IPV6": "use IPv6 besides IPv4",
        "IPV4ONLY": "the opposite of IPV6; deprecated",
        "TCP_KEEPALIVE": "the system's keepalive, on (1) or off (0)",
        "TCP_KEEPALIVE_CNT": "unanswered probes after which the system ends the connection",
        "TCP_KEEPALIVE_IDLE": "silence before the first probe",
        "TCP_KEEPALIVE_INTVL": "time between probes",
        "TCP_MAXRT": "how long the system sends again what is not acknowledged",
        "TOS": "type of service, in the header of each IP packet",
        "PRIORITY": "the system's priority for packets of the socket (SO_PRIORITY)",
        "BUSY_POLL": "how long the system polls the network device for data (SO_BUSY_POLL, Linux)",
        "BINDTODEVICE": "use the network device of this name only (SO_BINDTODEVICE)",
        "LOOPBACK_FASTPATH": "a short cut between processes of one machine, where the system has it (Windows)",
        "TCP_ACCEPT_FILTER": "accept tcp peers from this network; may be set several times",
        "IPC_FILTER_PID": "accept ipc peers of this process; may be set several times",
        "IPC_FILTER_UID": "accept ipc peers of this user; may be set several times",
        "IPC_FILTER_GID": "accept ipc peers of this group; may be set several times",
        "SOCKS_PROXY": "connect through this SOCKS5 proxy, host:port; empty for none",
        "SOCKS_USERNAME": "name for the proxy",
        "SOCKS_PASSWORD": "password for the proxy",
        "MULTICAST_HOPS": "routers that a udp multicast may pass",
        "MULTICAST_LOOP": "whether the sender's own machine hears its udp multicasts",
        "MULTICAST_MAXTPDU": "largest packet of a multicast",
        "RATE": "most that a multicast sends or receives",
        "RECOVERY_IVL": "how long lost packets can be asked for again",
        "VMCI_BUFFER_SIZE": "buffer size between virtual machine and host",
        "VMCI_BUFFER_MIN_SIZE": "its least size",
        "VMCI_BUFFER_MAX_SIZE": "its greatest size",
        "VMCI_CONNECT_TIMEOUT": "how long one attempt to connect may take",
        "WSS_KEY_PEM": "private key of a WebSocket server over TLS",
        "WSS_CERT_PEM": "certificate of that server",
        "WSS_TRUST_PEM": "certificates that are trusted",
        "WSS_HOSTNAME": "the name that the server's certificate must have",
        "WSS_TRUST_SYSTEM": "whether to trust the system's certificates",
        "NORM_MODE": "how sending adapts to congestion",
        "NORM_UNICAST_NACK": "receivers ask the sender alone for what they missed",
        "NORM_BUFFER_SIZE": "memory for what may be asked for again",
        "NORM_SEGMENT_SIZE": "payload of one packet",
        "NORM_BLOCK_SIZE": "packets that are protected together",
        "NORM_NUM_PARITY": "parity packets that can be made of a block",
        "NORM_NUM_AUTOPARITY": "parity packets that are sent without being asked for",
        "NORM_PUSH": "flush the stream after each message",
    },
    "Security": {
        "PLAIN_SERVER": "ask clients for name and password, about which a ZAP handler decides (PLAIN)",
        "PLAIN_USERNAME": "the name that is presented to a PLAIN server",
        "PLAIN_PASSWORD": "the password that is presented to a PLAIN server, in clear text",
        "CURVE_SERVER": "be the server of a CURVE handshake; CURVE_SECRETKEY must be set",
        "CURVE_PUBLICKEY": "this client's public key, which belongs to CURVE_SECRETKEY; a server needs none",
        "CURVE_SECRETKEY": "this socket's secret key, of a client and of a server",
        "CURVE_SERVERKEY": "the public key of the server to connect to; makes this side the client",
        "ZAP_DOMAIN": "the domain that an authenticator is told",
        "ZAP_ENFORCE_DOMAIN": "authenticators are asked only when there is a domain",
        "GSSAPI_SERVER": "be the server of a GSSAPI handshake",
        "GSSAPI_PRINCIPAL": "this socket's principal",
        "GSSAPI_SERVICE_PRINCIPAL": "the server's principal",
        "GSSAPI_PLAINTEXT": "authenticate without encrypting",
        "GSSAPI_PRINCIPAL_NAMETYPE": "what kind of name the principal is",
        "GSSAPI_SERVICE_PRINCIPAL_NAMETYPE": "what kind of name the server's principal is",
    },
}

CONTEXT_EFFECTS: dict[str, str] = {
    "IO_THREADS": "how many threads do the I/O that nobody waits for; 0 for inproc only",
    "MAX_SOCKETS": "most open sockets; one more raises EMFILE",
    "SOCKET_LIMIT": "read: the greatest MAX_SOCKETS. Its number, when set, is THREAD_PRIORITY: that of the I/O threads",
    "THREAD_SCHED_POLICY": "the scheduling policy of the I/O threads",
    "MAX_MSGSZ": "sending a larger message raises EMSGSIZE",
    "MSG_T_SIZE": "the size of a message structure in C, for programs that ask",
    "THREAD_AFFINITY_CPU_ADD": "let the I/O threads run on this processor; may be set several times",
    "THREAD_AFFINITY_CPU_REMOVE": "take a processor back that was added",
    "THREAD_NAME_PREFIX": "what the system's names of the I/O threads begin with; a number, or text of 1..16 bytes",
    "ZERO_COPY_RECV": "whether received bodies may refer to the buffer that they arrived in",
    "IPV6": "new sockets have IPV6=1",
    "BLOCKY": "0: new sockets have LINGER=0, so term() waits for nobody",
}

_FIRST_SOCKET = "before the first socket"
_NEW_SOCKETS = "new sockets"
#: When options of a context take effect.
CONTEXT_WHEN: dict[str, str] = {
    "IO_THREADS": _FIRST_SOCKET,
    "MAX_SOCKETS": "at once",
    "SOCKET_LIMIT": _FIRST_SOCKET,
    "THREAD_SCHED_POLICY": _FIRST_SOCKET,
    "MAX_MSGSZ": _NEW_SOCKETS,
    "THREAD_AFFINITY_CPU_ADD": _FIRST_SOCKET,
    "THREAD_AFFINITY_CPU_REMOVE": _FIRST_SOCKET,
    "THREAD_NAME_PREFIX": _FIRST_SOCKET,
    "IPV6": _NEW_SOCKETS,
    "BLOCKY": _NEW_SOCKETS,
}

#: Options that the next call looks at.
NEXT_CALL = frozenset({"RCVTIMEO", "SNDTIMEO"})
#: Options that are no matter of connections: the socket's type looks at them with each message.
AT_ONCE = frozenset({
    "DISCONNECT_MSG", "HICCUP_MSG", "INVERT_MATCHING", "ONLY_FIRST_SUBSCRIBE", "ROUTER_NOTIFY", "STREAM_NOTIFY",
    "XPUB_MANUAL", "XPUB_MANUAL_LAST_VALUE", "XPUB_NODROP", "XSUB_VERBOSE_UNSUBSCRIBE",
})  # fmt: skip

#: Units that the table doesn't name.
UNITS = {
    "BACKLOG": "connections",
    "HWM": "messages",
    "IN_BATCH_SIZE": "bytes",
    "IO_THREADS": "threads",
    "MAX_SOCKETS": "sockets",
    "MSG_T_SIZE": "bytes",
    "MULTICAST_HOPS": "hops",
    "NORM_BLOCK_SIZE": "packets",
    "NORM_NUM_AUTOPARITY": "packets",
    "NORM_NUM_PARITY": "packets",
    "OUT_BATCH_SIZE": "bytes",
    "RCVBUF": "bytes",
    "RCVHWM": "messages",
    "SNDBUF": "bytes",
    "SNDHWM": "messages",
    "SOCKET_LIMIT": "sockets",
    "TCP_KEEPALIVE_CNT": "probes",
    "TOPICS_COUNT": "topics",
    "VMCI_BUFFER_MAX_SIZE": "bytes",
    "VMCI_BUFFER_MIN_SIZE": "bytes",
    "VMCI_BUFFER_SIZE": "bytes",
    "VMCI_CONNECT_TIMEOUT": "milliseconds",
}
