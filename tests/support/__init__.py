"""The one harness of the tests that use sockets: library under test, waiting, linking, peers.

What a single test file needs alone must not live here.
"""

from __future__ import annotations

from tests.support.library import (
    IS_PUREZMQ,
    LIBRARY,
    TIMEOUT_S,
    library_module,
    purezmq_only,
    zmq,
)
from tests.support.linking import (
    TRANSPORTS,
    EventWatch,
    bind,
    bind_again,
    free_endpoint,
    ipc_path,
    link,
    subscribe_and_wait,
    try_recv,
    try_send,
    wait_for_subscription,
)
from tests.support.waiting import Call, eventually, run_in_thread

__all__ = [
    "IS_PUREZMQ",
    "LIBRARY",
    "TIMEOUT_S",
    "TRANSPORTS",
    "Call",
    "EventWatch",
    "bind",
    "bind_again",
    "eventually",
    "free_endpoint",
    "ipc_path",
    "library_module",
    "link",
    "purezmq_only",
    "run_in_thread",
    "subscribe_and_wait",
    "try_recv",
    "try_send",
    "wait_for_subscription",
    "zmq",
]
