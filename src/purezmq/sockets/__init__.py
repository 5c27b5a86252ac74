"""Context, Socket, Poller and proxy: what an application touches."""

from __future__ import annotations

__all__: list[str] = []
