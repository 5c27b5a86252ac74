"""Reading from several sockets without a poller: DONTWAIT and Again (msreader)."""

from __future__ import annotations

import time

import zmq

context = zmq.Context()
ventilator = context.socket(zmq.PUSH)
ventilator.bind("inproc://tasks")
publisher = context.socket(zmq.PUB)
publisher.bind("inproc://weather")
receiver = context.socket(zmq.PULL)
receiver.connect("inproc://tasks")
subscriber = context.socket(zmq.SUB)
subscriber.connect("inproc://weather")
subscriber.setsockopt(zmq.SUBSCRIBE, b"10001")
ventilator.send(b"task 1")
ventilator.send(b"task 2")
seen = []
deadline = time.monotonic() + 10
while len(seen) < 4 and time.monotonic() < deadline:
    publisher.send(b"10001 news")
    publisher.send(b"10002 news")
    while True:
        try:
            msg = receiver.recv(zmq.DONTWAIT)
        except zmq.Again:
            break
        seen.append(msg)
    while True:
        try:
            msg = subscriber.recv(zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno != zmq.EAGAIN:
                raise
            break
        if seen.count(msg) < 2:
            seen.append(msg)
    time.sleep(0.001)
print(sorted(seen))
context.destroy(linger=0)
