"""The command line: programs on top of the library's public API. Nothing in the library imports this package."""

from __future__ import annotations

__all__: list[str] = []
