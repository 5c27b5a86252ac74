"""Pickles of strangers. A pickle can run any code, so whoever can send one to `recv_pyobj` owns the process.

pyzmq takes them without a word; here the application hears of it once per socket, and a context can refuse them.
"""

from __future__ import annotations

import warnings
from errno import EACCES

from purezmq.error import SecurityWarning, make_error
from purezmq.sockets.socket_state import SocketState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["PickleGuard", "PicklePolicy"]

#: From the warning up to whoever calls recv_pyobj.
_STACK_LEVEL = 5


class PicklePolicy:
    """What a context thinks of pickles of strangers, as a mixin."""

    if TYPE_CHECKING:  # given by the class beside it
        _state: Any

    @property
    def refuses_pickles(self) -> bool:
        """Whether `recv_pyobj` refuses what may be a stranger's, for all sockets; otherwise it warns. False by default.

        A stranger is a peer of another machine that no authenticator vouches for: one without a User-Id, one by NULL,
        or one that came in because every key does (``allow="any"``, CURVE_ALLOW_ANY). Once one has been connected, a
        message may be its own, even if it is gone. A ZAP handler of the application's own that lets every key in says
        so by the property ``X-Vouched: no`` of its reply.
        """
        return bool(getattr(self._state, "refuses_pickles", False))

    @refuses_pickles.setter
    def refuses_pickles(self, value: bool) -> None:
        self._state.refuses_pickles = bool(value)


class PickleGuard(SocketState):
    """Looks before `recv_pyobj` makes an object, as a mixin of sockets."""

    __slots__ = ()

    def _check_pickle(self) -> None:
        """Warn, once, if a stranger may have sent the message; called before it is looked at.

        Raises:
            ZMQError: EACCES: likewise, and the context refuses pickles.
        """
        stranger = self._engine.stranger
        if stranger is None:
            return
        whom = f"{stranger.address or 'a peer'} by {stranger.endpoint}"
        cure = "let only known peers in (CURVE with a list of keys, or PLAIN), or use recv_json or recv_serialized"
        if self._shared.context.refuses_pickles:
            raise make_error(EACCES, f"refused a pickle: it may come from {whom}, who is not authenticated; {cure}")
        if not stranger.told:
            stranger.told = True
            text = f"a pickle can run any code, and {whom} is not authenticated: {cure}"
            warnings.warn(text, SecurityWarning, stacklevel=_STACK_LEVEL)
