"""Identities as a ROUTER shows them: one made up, one set (identity, with zhelpers' dump)."""

from __future__ import annotations

import zmq


def dump(socket):
    print("-" * 40)
    for part in socket.recv_multipart():
        shown = part.decode() if part.isascii() and part.isalnum() else f"{part[:1].hex()} and {len(part) - 1} octets"
        print(f"[{len(part):03d}] {shown}")


context = zmq.Context()
sink = context.socket(zmq.ROUTER)
sink.bind("inproc://example")
anonymous = context.socket(zmq.REQ)
anonymous.connect("inproc://example")
anonymous.send(b"anonymous")
dump(sink)
identified = context.socket(zmq.REQ)
identified.setsockopt(zmq.IDENTITY, b"PEER2")
print(identified.identity, identified.getsockopt(zmq.ROUTING_ID), identified.getsockopt_string(zmq.IDENTITY))
identified.connect("inproc://example")
identified.send(b"identified")
dump(sink)
for bad in (b"", b"\x00no", b"x" * 256):
    try:
        identified.setsockopt(zmq.IDENTITY, bad)
        print("accepted", len(bad))
    except zmq.ZMQError as error:
        print(error.errno == zmq.EINVAL, type(error).__name__)
context.destroy(0)
