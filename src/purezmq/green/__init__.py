"""purezmq for gevent: ``import purezmq.green as zmq``. A call that waits blocks its greenlet only.

Everything of `purezmq` is here, with Context, Socket, Poller, zmq_poll, device and the proxies replaced by green ones.
"""

from __future__ import annotations

import purezmq as _zmq
from purezmq import *  # noqa: F403 - this namespace stands in for the whole of purezmq
from purezmq.green.core import Context, Socket, _Context, _Socket  # type: ignore[assignment]  # replaced on purpose
from purezmq.green.device import device, proxy, proxy_steerable  # type: ignore[assignment]  # replaced on purpose
from purezmq.green.poll import Poller, _Poller, zmq_poll

__all__ = list(_zmq.__all__)
__all__ += ["Context", "Poller", "Socket", "_Context", "_Poller", "_Socket", "device", "proxy", "proxy_steerable"]
__all__ += ["zmq_poll"]
__all__ = list(dict.fromkeys(__all__))
