"""Options as attributes, by number and as strings; what they give back."""

from __future__ import annotations

import zmq

context = zmq.Context()
for kind in ("REQ", "PUB", "SUB", "ROUTER", "XPUB", "STREAM"):
    socket = context.socket(getattr(zmq, kind))
    shown = []
    for name in [
        "affinity",
        "backlog",
        "connect_timeout",
        "events",
        "handshake_ivl",
        "heartbeat_ivl",
        "hwm",
        "identity",
        "immediate",
        "ipv6",
        "last_endpoint",
        "linger",
        "maxmsgsize",
        "mechanism",
        "multicast_hops",
        "plain_server",
        "plain_username",
        "probe_router",
        "rate",
        "rcvbuf",
        "rcvhwm",
        "rcvmore",
        "rcvtimeo",
        "reconnect_ivl",
        "reconnect_ivl_max",
        "req_relaxed",
        "router_mandatory",
        "sndbuf",
        "sndhwm",
        "sndtimeo",
        "socks_proxy",
        "tcp_keepalive",
        "tcp_keepalive_cnt",
        "tos",
        "type",
        "use_fd",
        "xpub_verbose",
        "zap_domain",
        "heartbeat_timeout",
        "invert_matching",
        "ipv4only",
        "connect_rid",
        "conflate",
        "multicast_maxtpdu",
    ]:
        try:
            shown.append((name, getattr(socket, name)))
        except AttributeError:
            shown.append((name, "AttributeError"))
        except zmq.ZMQError as error:
            shown.append((name, error.errno))
    print(kind, shown)
    socket.close()

socket = context.socket(zmq.SUB)
socket.linger = 0
socket.RCVTIMEO = 100
socket.subscribe = b"x"
socket.hwm = 77
socket.setsockopt(zmq.LINGER, 5)
socket.set(zmq.RCVBUF, 4096)
socket.plain_username = b"name"
socket.setsockopt_string(zmq.PLAIN_PASSWORD, "word")
socket.setsockopt_unicode(zmq.ZAP_DOMAIN, "global")
print(socket.linger, socket.rcvtimeo, socket.hwm, socket.sndhwm, socket.get_hwm(), socket.get(zmq.RCVBUF))
print(
    socket.plain_username,
    socket.getsockopt(zmq.PLAIN_PASSWORD),
    socket.getsockopt_string(zmq.ZAP_DOMAIN),
    socket.mechanism,
)
print(socket.type, repr(socket.type), socket.type == zmq.SUB, repr(zmq.LINGER), zmq.LINGER + 0, str(zmq.POLLIN))
print(
    zmq.SocketOption.LINGER is zmq.LINGER,
    zmq.SocketType.REQ.name,
    zmq.Event.CONNECTED == zmq.EVENT_CONNECTED,
    repr(zmq.PollEvent(3)),
)
print(
    repr(zmq.SNDMORE | zmq.DONTWAIT), zmq.SocketOption(17), zmq.constants.SocketOption.HWM, repr(zmq.MessageOption.MORE)
)
print(hasattr(socket, "linger"), hasattr(socket, "foo"), "LINGER" in dir(socket))
context.linger = 3
context.sndhwm = 9
print(
    context.linger,
    context.socket(zmq.PUSH).linger,
    context.socket(zmq.PUSH).sndhwm,
    context.sockopts == {zmq.LINGER: 3, zmq.SNDHWM: 9},
)
print(context.max_sockets, context.get(zmq.MAX_SOCKETS), context.get(zmq.IPV6), context.get(zmq.SOCKET_LIMIT))
context.set(zmq.MAX_SOCKETS, 100)
context.setsockopt(zmq.RCVHWM, 12)
print(context.get(zmq.MAX_SOCKETS), context.socket(zmq.PULL).rcvhwm, context.getsockopt(zmq.RCVHWM))
try:
    context.no_such = 1
    print("set", context.no_such)
except AttributeError:
    print("AttributeError")
context.destroy(0)
