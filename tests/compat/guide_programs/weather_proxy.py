"""XSUB and XPUB between two networks (wuproxy), ended by terminating the context."""

from __future__ import annotations

import threading

import zmq

context = zmq.Context()
frontend = context.socket(zmq.XSUB)
frontend.bind("inproc://front")
backend = context.socket(zmq.XPUB)
backend.bind("inproc://back")


def run():
    try:
        zmq.proxy(frontend, backend)
    except zmq.ContextTerminated:
        print("proxy: terminated")
        frontend.close()
        backend.close()


thread = threading.Thread(target=run)
thread.start()
publisher = context.socket(zmq.XPUB)
publisher.connect("inproc://front")
subscriber = context.socket(zmq.SUB)
subscriber.connect("inproc://back")
subscriber.setsockopt_string(zmq.SUBSCRIBE, "A")
subscriber.subscribe(b"B")
print(publisher.recv(), publisher.recv())
publisher.send_multipart([b"A", b"1"])
publisher.send_multipart([b"C", b"2"])
publisher.send_multipart([b"B", b"3"])
print(subscriber.recv_multipart(), subscriber.recv_multipart())
subscriber.unsubscribe("A")
print(publisher.recv())
publisher.close()
subscriber.close()
context.term()
thread.join()
