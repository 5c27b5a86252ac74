"""Who gets the message: the socket patterns, sans-I/O. One file per pattern; they know pipes, never sockets."""

from __future__ import annotations

__all__: list[str] = []
