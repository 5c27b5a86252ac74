"""A program that ends without closing anything: what it sent arrives, and nothing is said."""

from __future__ import annotations

import subprocess
import sys

import zmq

if len(sys.argv) > 1:
    context = zmq.Context()
    push = context.socket(zmq.PUSH)
    push.connect(sys.argv[1])
    for number in range(100):
        push.send_string(f"{number}")
    idle = zmq.Context.instance().socket(zmq.SUB)
    idle.connect("tcp://127.0.0.1:1")
else:
    context = zmq.Context()
    pull = context.socket(zmq.PULL)
    pull.rcvtimeo = 10000
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    child = subprocess.Popen([sys.executable, __file__, f"tcp://127.0.0.1:{port}"], stderr=subprocess.PIPE)
    print([int(pull.recv_string()) for _ in range(100)] == list(range(100)))
    print(child.communicate(timeout=20)[1], child.returncode)
