"""What the security options of a socket mean for its connections, and whether they are complete.

A socket whose options ask for security never gets a connection without it. The mechanisms are in `wire.mechanisms`.

==========  ======================  ===================================  ==========================================
mechanism   chosen by               needs, on the server's side          needs, on the client's side
==========  ======================  ===================================  ==========================================
PLAIN       PLAIN_SERVER, or a      a ZAP handler that decides           PLAIN_USERNAME, PLAIN_PASSWORD (either may
            user name or password                                        be empty, not both)
CURVE       CURVE_SERVER, or a key  CURVE_SECRETKEY; its public key is   CURVE_SERVERKEY, and a pair of its own,
                                    computed                             CURVE_PUBLICKEY and CURVE_SECRETKEY
GSSAPI      GSSAPI_SERVER, or a     refused                              refused
            principal
==========  ======================  ===================================  ==========================================
"""

from __future__ import annotations

from typing import Any, NamedTuple

from purezmq.constants import EINVAL, ENOTSUP
from purezmq.enums import SecurityMechanism
from purezmq.error import make_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.options import SocketOptions

__all__ = ["Gate", "make_security"]

_TEXT_LENGTH = 40
_NAMES = {mechanism.value: mechanism.name for mechanism in SecurityMechanism}


class Gate(NamedTuple):
    """By what an endpoint lets peers in: as the options were at its bind or connect, whatever they are later.

    Attributes:
        admission: the socket's own list (sockets/admission.py), or None: then the context's ZAP handler is asked.
        domain: ZAP_DOMAIN, of which the handler is told.
        enforces_domain: ZAP_ENFORCE_DOMAIN.
        routing_id: of the socket, of which the handler is told.
    """

    admission: Any
    domain: bytes
    enforces_domain: bool
    routing_id: bytes


def make_security(options: SocketOptions) -> dict[str, Any]:
    """Make the security arguments of a `ConnectionConfig`. A socket with many endpoints has its keys checked once.

    Args:
        options: of the socket.

    Returns:
        mechanism, as_server, authenticates, gate and credentials; nothing where no security is asked for.

    Raises:
        ZMQError: EINVAL: the options are incomplete, contradict each other, or ask for GSSAPI. ENOTSUP: they ask for
            CURVE, and PyNaCl is not installed.
    """
    given = (
        options.mechanism, options.zap_domain, options.plain_server, options.plain_username, options.plain_password,
        options.curve_server, options.curve_publickey, options.curve_secretkey, options.curve_serverkey,
        options.admission, options.zap_enforce_domain, options.routing_id,
    )  # fmt: skip
    if options.checked_security is None or options.checked_security[0] != given:
        options.checked_security = (given, _make_security(options))
    security: dict[str, Any] = options.checked_security[1]
    return security


def _make_security(options: SocketOptions) -> dict[str, Any]:
    security = _make_mechanism(options)
    admission = options.admission
    if admission is not None and (admission.mechanism, True) != (security.get("mechanism"), security.get("as_server")):
        text = f"it was said whom {admission.mechanism} lets in, but other options have chosen something else since"
        raise make_error(EINVAL, text)
    if security.get("authenticates"):
        enforces = bool(options.zap_enforce_domain)
        security["gate"] = Gate(admission, bytes(options.zap_domain), enforces, bytes(options.routing_id))
    return security


def _make_mechanism(options: SocketOptions) -> dict[str, Any]:
    name = _NAMES[options.mechanism]
    if name == "NULL":
        # RFC 27: with NULL the handler is asked where there is a domain.
        return {"authenticates": True} if options.zap_domain else {}
    if name == "PLAIN":
        return _make_plain(options)
    if name == "CURVE":
        return _make_curve(options)
    raise make_error(
        EINVAL,
        "GSSAPI is not supported: no well-kept pure Python package carries Kerberos; CURVE and PLAIN are there",
    )


def _make_plain(options: SocketOptions) -> dict[str, Any]:
    if options.plain_server:
        return {"mechanism": "PLAIN", "as_server": True, "authenticates": True}
    return {"mechanism": "PLAIN", "credentials": (options.plain_username, options.plain_password)}


def _make_curve(options: SocketOptions) -> dict[str, Any]:
    try:
        from purezmq.wire.mechanisms.sodium import public_key
    except ImportError as error:
        raise make_error(ENOTSUP, "CURVE needs PyNaCl: pip install 'purezmq[curve]'") from error
    secret = _decode_key(options.curve_secretkey)
    if options.curve_server:
        if not secret:
            raise make_error(EINVAL, "CURVE_SERVER is set, but not CURVE_SECRETKEY: a server needs its secret key")
        credentials = (public_key(secret), secret)
        return {"mechanism": "CURVE", "as_server": True, "authenticates": True, "credentials": credentials}
    server, public = _decode_key(options.curve_serverkey), _decode_key(options.curve_publickey)
    keys = (("CURVE_SERVERKEY", server), ("CURVE_PUBLICKEY", public), ("CURVE_SECRETKEY", secret))
    missing = [option for option, key in keys if not key]
    if missing:
        text = f"a CURVE client needs {' and '.join(missing)}, too; a server says so by CURVE_SERVER"
        raise make_error(EINVAL, text)
    if public_key(secret) != public:
        raise make_error(EINVAL, "CURVE_PUBLICKEY is not the public key of CURVE_SECRETKEY: no server would believe it")
    return {"mechanism": "CURVE", "credentials": (public, secret, server)}


def _decode_key(key: bytes) -> bytes:
    """A key's 32 bytes, which may have come as 40 characters of Z85; empty if it isn't set."""
    from purezmq.wire.z85 import decode

    if len(key) != _TEXT_LENGTH:
        return key
    try:
        return decode(key)
    except ValueError as error:  # characters of Z85 whose number is too large
        raise make_error(EINVAL, f"a CURVE key is no Z85: {error}") from error
