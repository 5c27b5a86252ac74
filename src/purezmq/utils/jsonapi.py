"""pyzmq's ``zmq.utils.jsonapi``: JSON as bytes."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["dumps", "loads"]

#: pyzmq's name of the module that does the work.
jsonmod = json


def dumps(o: object, **kwargs: Any) -> bytes:
    """Return `o` as JSON.

    Args:
        o: what ``json.dumps`` takes.
        kwargs: as for ``json.dumps``.

    Returns:
        The JSON text in UTF-8.
    """
    return json.dumps(o, **kwargs).encode()


def loads(s: bytes | str, **kwargs: Any) -> dict[str, Any] | list[Any] | str | int | float:
    """Return the object that `s` describes.

    Args:
        s: JSON, as text or in UTF-8.
        kwargs: as for ``json.loads``.

    Raises:
        ValueError: it is no JSON, or no UTF-8.
    """
    value: Any = json.loads(s.decode() if isinstance(s, bytes) else s, **kwargs)
    return value  # type: ignore[no-any-return] # pyzmq's signature says what most programs send
