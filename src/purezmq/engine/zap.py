"""Who may come in: the ZAP handler of the context is asked about each peer that a mechanism presents (RFC 27).

What may not live here: handlers (`purezmq.auth`), mechanisms.
"""

from __future__ import annotations

from purezmq.wire.events import ConnectionFailed, FailureReason
from purezmq.wire.verdict import ADMITTED, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from purezmq.engine.session import Session
    from purezmq.wire.events import AuthenticationNeeded

__all__ = ["ZAP_NAME", "decide"]

#: Where a handler is bound, after inproc://.
ZAP_NAME = "zeromq.zap.01"


def decide(session: Session, question: AuthenticationNeeded, now: float) -> None:
    """Have it decided about a peer (lease held).

    Without a handler CURVE lets in whoever knows the server's key, as libzmq does; everything else is refused.
    """
    engine = session.engine
    handler = engine.context.inproc.find(ZAP_NAME)
    if handler is None and question.mechanism == "CURVE" and not engine.options.zap_enforce_domain:
        session.admit(Verdict(ADMITTED), now)
        return
    session.fail(ConnectionFailed(FailureReason.NO_DETAIL, f"no ZAP handler answers at inproc://{ZAP_NAME}"))
