"""Topic and content as two parts (psenvpub, psenvsub)."""

from __future__ import annotations

import zmq

context = zmq.Context()
publisher = context.socket(zmq.PUB)
publisher.bind("inproc://envelope")
subscriber = context.socket(zmq.SUB)
subscriber.connect("inproc://envelope")
subscriber.setsockopt(zmq.SUBSCRIBE, b"B")
subscriber.RCVTIMEO = 20
while True:
    publisher.send_multipart([b"A", b"We don't want to see this"])
    publisher.send_multipart([b"B", b"We would like to see this"])
    try:
        [address, contents] = subscriber.recv_multipart()
    except zmq.Again:
        continue
    print(f"[{address}] {contents}")
    break
subscriber.close()
publisher.close()
context.term()
