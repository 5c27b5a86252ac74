"""pyzmq's ``zmq.backend``: import paths of what pyzmq takes from C; here it is the one implementation there is."""

from __future__ import annotations

from purezmq.backend import select
from purezmq.backend.select import public_api
from purezmq.devices.monitoredqueue import monitored_queue
from purezmq.error import strerror
from purezmq.message import Frame
from purezmq.sockets.context import Context
from purezmq.sockets.curve import curve_keypair, curve_public
from purezmq.sockets.poller import zmq_poll
from purezmq.sockets.proxy import device, proxy, proxy_steerable
from purezmq.sockets.socket import Socket
from purezmq.sockets.version import IPC_PATH_MAX_LEN, PYZMQ_DRAFT_API, has, zmq_errno, zmq_version_info

Message = Frame

__all__ = [
    "IPC_PATH_MAX_LEN",
    "PYZMQ_DRAFT_API",
    "Context",
    "Frame",
    "Message",
    "Socket",
    "curve_keypair",
    "curve_public",
    "device",
    "has",
    "monitored_queue",
    "proxy",
    "proxy_steerable",
    "public_api",
    "select",
    "strerror",
    "zmq_errno",
    "zmq_poll",
    "zmq_version_info",
]
