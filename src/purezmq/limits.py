"""Every limit on peers that engine and patterns check, with the reason for its value; `wire/limits.py` has the rest.

No code may live here. Before a peer has proved who it is the limits are tight: an honest handshake takes a few hundred
bytes and milliseconds. After that the defaults are libzmq's, but for some that no real program meets. A peer that runs
into one loses its connection (one of the newcomers does, where they are too many), which is told by the event
"limit_exceeded" and counted in `socket.stats().refusals`, both by the limit's name here in lower case.

Where a socket has a setting of that name, this is its default, and 0 means no limit. What the wire checks goes by
"maxmsgsize" (the option), "max_command_size", "max_handshake_size", "max_multipart_bytes" and "handshake_ivl".
"""

from __future__ import annotations

__all__ = [
    "GREETING_IVL",
    "HANDSHAKE_CHARGE",
    "HANDSHAKE_GRACE_S",
    "MAX_HANDSHAKES",
    "MAX_HANDSHAKES_PER_ADDRESS",
    "MAX_HANDSHAKE_BYTES",
    "MAX_MULTIPART_BYTES",
    "MAX_PARTS",
    "MAX_TOPICS",
    "MAX_TOPICS_PER_PEER",
    "MAX_TOPICS_PER_PROXY",
    "MAX_TOPIC_BYTES_PER_PEER",
    "MAX_TOPIC_BYTES_PER_PROXY",
    "MAX_TOPIC_SIZE",
    "MAX_UNREAD_TOPIC_BYTES",
    "MAX_UNREAD_TOPIC_BYTES_PER_PEER",
    "MAX_UNREAD_TOPIC_BYTES_PER_PROXY",
    "SILENCE_GRACE_S",
    "UNREAD_TOPIC_CHARGE",
]

# --- before the handshake's end -------------------------------------------------------------------------------------

GREETING_IVL = 5000
"""Milliseconds for the whole greeting of a peer that connected to us: it sends 64 bytes without being asked, so that a
silent connection is somebody's port scan, or worse. HANDSHAKE_IVL (30 s) limits the whole handshake, which may wait for
an authenticator."""

MAX_HANDSHAKES = 1024
"""Connections of one listener that are amid their handshake. Ten thousand clients that come back at once are amid it
for a few milliseconds each; the descriptors of a usual process (1,024 or more) are not all for strangers."""

MAX_HANDSHAKES_PER_ADDRESS = 256
"""The same for one source address (IPv6: one /64 network, which any host there can use the whole of), so that one host
can't keep others out. A quarter of all: an office, or the containers of a machine, that come back at once are that
many. It doesn't apply to loopback and ipc, where all peers have one address. Where more clients come by one address
(NAT, a load balancer), set it higher: those that find no room are closed and come back by their back-off."""

MAX_HANDSHAKE_BYTES = 16 * 1024 * 1024
"""Bytes of memory for all connections of the process that are amid their handshake: HANDSHAKE_CHARGE for each, and
twice what it has sent. (While strangers come and go, the allocator keeps about as much again as they hold; measured.)
One may send 64 KiB; an honest one has sent 64 bytes by then."""

HANDSHAKE_CHARGE = 4 * 1024
"""Bytes that a connection amid its handshake costs by itself: session, connection, decoder; measured."""

HANDSHAKE_GRACE_S = 1.0
"""Where there are too many newcomers, or descriptors run out, a connection that is amid its handshake for longer
(seconds) makes room for the next one; an honest one is over before. While all are younger the next waits: in the
system's queue (BACKLOG), or, where its address has too many or memory ends, for its own back-off."""

SILENCE_GRACE_S = 0.2
"""The same for one that has not said a word, where a listener has too many: an honest client's first bytes follow its
connection at once, whatever the distance."""

# --- messages -------------------------------------------------------------------------------------------------------

MAX_PARTS = 65_536
"""Parts of one message. Programs send tens; an empty part takes 2 bytes of the peer, and 8 of ours."""

MAX_MULTIPART_BYTES = 0
"""Bytes of all parts of one message that has several: no limit, as there is none for a part (MAXMSGSIZE -1), which
libzmq's users rely on. Set both where strangers may send. What waits complete is RCVHWM's and RCVHWM_BYTES' matter."""

# --- subscriptions --------------------------------------------------------------------------------------------------

MAX_TOPICS_PER_PEER = 100_000
"""Topics that one subscriber has at once, or groups of a DISH: some 30 MB. Who needs more filters by itself."""

MAX_TOPICS_PER_PROXY = 500_000
"""The same of an XSUB, which is a proxy and asks for the topics of all its own subscribers. Anybody can say that he is
one: so it's half of MAX_TOPICS, and no peer can take what there is from all others."""

MAX_TOPICS = 1_000_000
"""Different topics that all subscribers of a socket have at once: some 300 MB."""

MAX_TOPIC_BYTES_PER_PEER = 16 * 1024 * 1024
"""Bytes of the topics that one subscriber has at once: 160 for each of the greatest number."""

MAX_TOPIC_BYTES_PER_PROXY = 80 * 1024 * 1024
"""The same of an XSUB, likewise."""

MAX_TOPIC_SIZE = 64 * 1024
"""Bytes of one topic: topics are names, and each is kept for as long as its subscriber."""

UNREAD_TOPIC_CHARGE = 64
"""Bytes that a subscription costs besides its own while the application has not received it."""

MAX_UNREAD_TOPIC_BYTES_PER_PEER = MAX_TOPIC_BYTES_PER_PEER + (UNREAD_TOPIC_CHARGE + 1) * MAX_TOPICS_PER_PEER
"""Bytes of subscriptions of one peer that an XPUB's application has not received, each with UNREAD_TOPIC_CHARGE and one
byte (subscribe or cancel) on top: all that it may ask for, so that an application that looks away for a while misses
nothing of what it has to pass on; but it can't take all the room by asking and cancelling again and again. More are
dropped and counted as messages are ("newest"); they take effect all the same. With XPUB_MANUAL they wouldn't: there the
peer loses its connection, and asks again by the next."""

MAX_UNREAD_TOPIC_BYTES_PER_PROXY = MAX_TOPIC_BYTES_PER_PROXY + (UNREAD_TOPIC_CHARGE + 1) * MAX_TOPICS_PER_PROXY
"""The same of an XSUB, likewise."""

MAX_UNREAD_TOPIC_BYTES = 2 * MAX_UNREAD_TOPIC_BYTES_PER_PROXY
"""The same of all peers: twice what one that says he is a proxy may fill."""
