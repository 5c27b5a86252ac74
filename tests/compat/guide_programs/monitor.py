"""Events of a socket, through get_monitor_socket and recv_monitor_message."""

from __future__ import annotations

import threading

import zmq
from zmq.utils.monitor import parse_monitor_message, recv_monitor_message

EVENT_MAP = {}
for name in dir(zmq):
    if name.startswith("EVENT_"):
        EVENT_MAP[getattr(zmq, name)] = name

context = zmq.Context()
rep, req = context.socket(zmq.REP), context.socket(zmq.REQ)
seen = []
done = threading.Event()


def event_monitor(monitor):
    while monitor.poll():
        evt = recv_monitor_message(monitor)
        evt["description"] = EVENT_MAP[evt["event"]]
        seen.append(evt)
        if evt["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            done.set()
        if evt["event"] == zmq.EVENT_MONITOR_STOPPED:
            break
    monitor.close()


monitor = req.get_monitor_socket()
print(req.get_monitor_socket() is monitor, monitor.type == zmq.PAIR)
thread = threading.Thread(target=event_monitor, args=(monitor,))
thread.start()
port = rep.bind_to_random_port("tcp://127.0.0.1")
req.connect(f"tcp://127.0.0.1:{port}")
req.send(b"x")
rep.send(rep.recv())
req.recv()
done.wait()
req.disable_monitor()
thread.join()
for evt in seen:
    if evt["event"] != zmq.EVENT_CONNECT_DELAYED:
        print(evt["description"], sorted(evt), evt["endpoint"] == f"tcp://127.0.0.1:{port}".encode())

with rep.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED) as monitor:
    req.close()
    parts = monitor.recv_multipart()
    message = parse_monitor_message(parts)
    print(zmq.Event(message["event"]), message["event"].name, len(parts))
    rep.disable_monitor()
rep.close()
context.term()
