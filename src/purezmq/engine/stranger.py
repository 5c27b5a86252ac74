"""Whether a peer is a stranger: one that comes from another machine, and that nobody has vouched for.

What a socket does about strangers must not live here.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.engine.session import Session
    from purezmq.wire.events import PeerInfo

__all__ = ["Stranger", "find_sender", "find_stranger"]

_LOOPBACK = ("127.", "::ffff:127.")
_LOOPBACK_V6 = "::1"


class Stranger:
    """The first stranger that a socket has met; it may be gone, but what it sent may still be read.

    Attributes:
        endpoint: by which it came.
        address: its own, as far as it is known.
        told: the application was warned.
    """

    __slots__ = ("address", "endpoint", "told")

    def __init__(self, endpoint: str, address: str) -> None:
        self.endpoint = endpoint
        self.address = address
        self.told = False


def find_stranger(session: Session, peer: PeerInfo) -> Stranger | None:
    """Return the peer behind a session if it is a stranger (lease held).

    Local is what came over ipc or from a loopback address; what a tunnel or a local proxy forwards looks local as well.
    A peer is known by the User-Id that an authenticator vouches for, or by the server's key that a CURVE client insists
    on. By NULL nobody shows who he is, and where every key is let in, a key tells nothing.
    """
    endpoint, connection, stream = str(session.endpoint), session.connection, session.stream
    if endpoint.startswith("ipc://") or (peer.mechanism != "NULL" and peer.user_id and peer.is_vouched):
        return None
    if peer.mechanism == "CURVE" and connection is not None and not connection.config.as_server:
        return None
    address = "" if stream is None else str(getattr(stream, "peer_address", ""))
    is_local = address == _LOOPBACK_V6 or address.startswith(_LOOPBACK)
    if is_local and not session.engine.options.socks_proxy:
        return None
    return Stranger(endpoint, address)


def find_sender(endpoint: str) -> Stranger | None:
    """Return whoever may send datagrams to an endpoint as a stranger: nobody is known, but on the loopback interface.

    Args:
        endpoint: that a socket receives from.
    """
    return None if endpoint.startswith(("udp://127.", "udp://[::1]")) else Stranger(endpoint, "")
