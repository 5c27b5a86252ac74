"""Errors of the system on demand: the next calls of a kind fail, the ones after them are real.

The seam is `NativeSocket` for calls on sockets; for descriptors and selectors it's the functions that make them. Raw
peers of a test use the standard library's sockets, so that they never fail by this.
"""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from purezmq.engine import selector
from purezmq.transports.native_socket import NativeSocket

__all__ = ["ERRNOS", "SystemFaults"]

ERRNOS = [
    errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNRESET, errno.EHOSTUNREACH, errno.EHOSTDOWN,
    errno.ENETDOWN, errno.ETIMEDOUT, errno.EPIPE, errno.EINTR, errno.ECONNABORTED, errno.ENOTCONN, errno.EINVAL,
    errno.EAGAIN, errno.ENETUNREACH, errno.ENOPROTOOPT,
]  # fmt: skip


class SystemFaults:
    """The faults of one test.

    Attributes:
        raised: how many calls failed by now.
        left: how many more will.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.raised = 0
        self.left = 0

    def fail(self, call: str, number: int, times: int = 1) -> None:
        """Let the next `times` calls fail.

        Args:
            call: a method of sockets ("send": that and sendmsg), "socket" for making one, "eventfd", "epoll", or
                "epoll_ctl".
            number: the errno.
            times: how many calls.
        """
        self.left = times
        if call == "eventfd":
            self._wrap(os, "eventfd", os.eventfd, number)
        elif call == "epoll":
            self._wrap(selector, "epoll", selector.epoll, number)
        elif call == "epoll_ctl":
            for name in ("register", "modify"):
                self._wrap(selector.EpollSelector, name, getattr(selector.EpollSelector, name), number)
        else:
            for name in {"socket": ["__init__"], "accept": ["_accept"], "send": ["send", "sendmsg"]}.get(call, [call]):
                self._wrap(NativeSocket, name, getattr(NativeSocket, name), number)

    def _wrap(self, owner: Any, name: str, real: Any, number: int) -> None:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self.left > 0:
                self.left -= 1
                self.raised += 1
                if name == "connect_ex":
                    if number == errno.EINTR:  # interrupted, and on its way all the same
                        real(*args)
                    return number
                raise OSError(number, f"injected into {name}: {os.strerror(number)}")
            return real(*args, **kwargs)

        self._monkeypatch.setattr(owner, name, call, raising=False)
