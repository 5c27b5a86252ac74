"""What an authenticator decided about a peer (RFC 27, the reply of ZAP). Plain data; asking may not live here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ADMITTED", "DENIED", "FAILED", "NOT_VOUCHED", "TRY_LATER", "VOUCHED_PROPERTY", "Verdict"]

#: Status codes of RFC 27: let in; ask again later; not let in; the authenticator itself failed.
ADMITTED, TRY_LATER, DENIED, FAILED = 200, 300, 400, 500

#: A ZAP handler's word, in the metadata of its reply, that it lets in whoever comes; libzmq passes it on unread.
VOUCHED_PROPERTY, NOT_VOUCHED = "X-Vouched", b"no"

_NO_PROPERTIES: Mapping[str, bytes] = {}


class Verdict:
    """Whether a peer is let in, and who it is.

    Args:
        status: 200, 300, 400 or 500; only 200 lets it in.
        text: why, for people.
        user_id: who the peer is, told by its messages as ``User-Id``.
        properties: further metadata about it.
        is_vouched: somebody knows the user; False where whoever comes is let in, and the user id is its own choice.

    Raises:
        ValueError: the status is none of those.
    """

    __slots__ = ("is_vouched", "properties", "status", "text", "user_id")

    def __init__(
        self,
        status: int,
        text: str = "",
        user_id: str = "",
        properties: Mapping[str, bytes] = _NO_PROPERTIES,
        *,
        is_vouched: bool = True,
    ) -> None:
        if status not in {ADMITTED, TRY_LATER, DENIED, FAILED}:
            raise ValueError(f"a verdict has the status 200, 300, 400 or 500, not {status}")
        self.status = status
        self.text = text
        self.user_id = user_id
        self.properties = properties
        self.is_vouched = is_vouched

    def __repr__(self) -> str:
        return f"<Verdict {self.status} {self.text!r} user={self.user_id!r}>"
