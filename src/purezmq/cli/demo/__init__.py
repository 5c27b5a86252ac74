"""`purezmq demo`: real processes on this machine, every classic pattern, every message checked.

A *scene* is one pattern (a file each: both sides of the conversation stand side by side), a *stage* is what a scene
plays on: one context, one transport, and the *actors* that it starts: processes over tcp and ipc, threads over inproc.
Only the public API is used.
"""

from __future__ import annotations

from purezmq.cli.demo.runner import run

__all__ = ["run"]
