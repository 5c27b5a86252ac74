"""unbind, disconnect, bind again; LAST_ENDPOINT; a client that connects before there is a server."""

from __future__ import annotations

import tempfile

import zmq

context = zmq.Context()
push, pull = context.socket(zmq.PUSH), context.socket(zmq.PULL)
pull.rcvtimeo = 10000
print(push.last_endpoint, push.getsockopt(zmq.LAST_ENDPOINT))
with tempfile.TemporaryDirectory() as folder:
    endpoint = f"ipc://{folder}/late"
    push.connect(endpoint)
    push.send(b"early")
    pull.bind(endpoint)
    print(pull.recv(), pull.last_endpoint == endpoint.encode())
    push.send(b"second")
    print(pull.recv())
    push.disconnect(endpoint)
    pull.unbind(endpoint)
    pull.bind(endpoint)
    push.connect(endpoint)
    push.send(b"third")
    print(pull.recv())
    wildcard = context.socket(zmq.PULL)
    wildcard.bind("ipc://*")
    name = wildcard.last_endpoint.decode()
    print(name.startswith("ipc://"), len(name) > 8)
    push.connect(name)
    push.disconnect(endpoint)
    push.send(b"x")
    print(wildcard.recv())
    port = wildcard.bind_to_random_port("tcp://*", min_port=49152, max_port=65535, max_tries=50)
    print(49152 <= port < 65535, wildcard.last_endpoint == b"tcp://0.0.0.0:%d" % port)
    wildcard.bind("tcp://127.0.0.1:*")
    print(wildcard.last_endpoint.startswith(b"tcp://127.0.0.1:"), wildcard.last_endpoint.endswith(b"\x00"))
    wildcard.unbind(wildcard.last_endpoint)
    wildcard.ipv6 = 1
    wildcard.bind("tcp://[::1]:*")
    print(wildcard.LAST_ENDPOINT.startswith(b"tcp://[::1]:"))
    context.destroy(0)
