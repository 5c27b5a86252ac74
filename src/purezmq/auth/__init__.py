"""pyzmq's ``zmq.auth``: a ZAP handler that lets peers in by address, password, key or callback, and certificates.

The handlers that run by themselves are in `thread`, `asyncio` and `ioloop`. A socket that needs no more than a list of
keys or passwords needs no handler: see `Socket.curve` and `Socket.plain`.
"""

from __future__ import annotations

from purezmq.auth.base import CURVE_ALLOW_ANY, Authenticator, CredentialsProvider
from purezmq.auth.certs import create_certificates, load_certificate, load_certificates

__all__ = [
    "CURVE_ALLOW_ANY",
    "Authenticator",
    "CredentialsProvider",
    "create_certificates",
    "load_certificate",
    "load_certificates",
]
