"""Puts the fixtures of the shared harness in reach of this folder."""

from __future__ import annotations

from tests.support.fixtures import (
    context,
    libzmq,
    libzmq_process,
    make_context,
    make_peer,
    make_socket,
)

__all__ = ["context", "libzmq", "libzmq_process", "make_context", "make_peer", "make_socket"]
