"""Leaves out the comparison with pyzmq's surface where pyzmq is not installed."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["collect_ignore"]

collect_ignore = [] if find_spec("zmq") else ["test_names.py", "test_compatibility_table.py"]
