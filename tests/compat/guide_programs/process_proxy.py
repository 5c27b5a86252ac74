"""A proxy in a process of its own, with a monitor socket; the program ends without asking it."""

from __future__ import annotations

import zmq
from zmq.devices import ProcessProxy

if __name__ == "__main__":
    proxy = ProcessProxy(zmq.PULL, zmq.PUSH, zmq.PUB)
    port_in = proxy.bind_in_to_random_port("tcp://127.0.0.1")
    port_out = proxy.bind_out_to_random_port("tcp://127.0.0.1")
    port_mon = proxy.bind_mon_to_random_port("tcp://127.0.0.1")
    proxy.setsockopt_in(zmq.LINGER, 0)
    proxy.daemon = True
    proxy.start()
    context = zmq.Context()
    push, pull, watch = (context.socket(kind) for kind in (zmq.PUSH, zmq.PULL, zmq.SUB))
    watch.subscribe(b"")
    push.connect(f"tcp://127.0.0.1:{port_in}")
    pull.connect(f"tcp://127.0.0.1:{port_out}")
    watch.connect(f"tcp://127.0.0.1:{port_mon}")
    while not watch.poll(20):
        push.send(b"warm")
        pull.recv()
    push.send_multipart([b"through", b"the", b"process"])
    while (parts := watch.recv_multipart()) == [b"warm"]:
        pass
    print(pull.recv_multipart(), parts)
    print(proxy.launcher.is_alive(), proxy.launcher.daemon)
    context.destroy(linger=0)
