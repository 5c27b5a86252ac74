"""A folder for PYTHONPATH; the only thing in it is `sitecustomize`."""

from __future__ import annotations

__all__: list[str] = []
