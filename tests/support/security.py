"""Keys, and the options that make a socket of any library a client or a server of a mechanism."""

from __future__ import annotations

from typing import Any

__all__ = ["CLIENT_KEYS", "SERVER_KEYS", "security_options"]

#: Public and secret key, as libzmq's manual has them in its example, and another pair; 40 characters of Z85.
SERVER_KEYS = (b"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", b"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")
CLIENT_KEYS = (b"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", b"D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs")

_OPTIONS: dict[tuple[str, bool], dict[str, Any]] = {
    ("NULL", True): {},
    ("NULL", False): {},
    ("PLAIN", True): {"plain_server": 1},
    ("PLAIN", False): {"plain_username": b"admin", "plain_password": b"secret"},
    ("CURVE", True): {"curve_server": 1, "curve_secretkey": SERVER_KEYS[1]},
    ("CURVE", False): {
        "curve_publickey": CLIENT_KEYS[0], "curve_secretkey": CLIENT_KEYS[1], "curve_serverkey": SERVER_KEYS[0],
    },
}  # fmt: skip


def security_options(mechanism: str, *, server: bool) -> dict[str, Any]:
    """The options of one side of a mechanism, for `make_socket` and for `PeerProcess.open`."""
    return dict(_OPTIONS[mechanism, server])
