"""Brokers of several clusters that tell each other their state (peering1)."""

from __future__ import annotations

import threading

import zmq

NAMES = ("DC1", "DC2", "DC3")


def broker(myself, others, context, seen):
    statebe = context.socket(zmq.PUB)
    statebe.bind(f"inproc://{myself}-state")
    statefe = context.socket(zmq.SUB)
    statefe.setsockopt(zmq.SUBSCRIBE, b"")
    bound.wait()
    for other in others:
        statefe.connect(f"inproc://{other}-state")
    poller = zmq.Poller()
    poller.register(statefe, zmq.POLLIN)
    while len(seen[myself]) < len(others) or not all(len(names) >= len(others) for names in list(seen.values())):
        events = dict(poller.poll(10))
        if events.get(statefe) == zmq.POLLIN:
            peer_name, _available = statefe.recv_multipart()
            seen[myself].add(peer_name.decode())
        else:
            statebe.send_multipart([myself.encode(), b"7"])
    ended.wait()
    statebe.close()
    statefe.close()


context = zmq.Context()
bound, ended = threading.Barrier(len(NAMES)), threading.Barrier(len(NAMES))
seen = {name: set() for name in NAMES}
threads = [
    threading.Thread(target=broker, args=(name, [other for other in NAMES if other != name], context, seen))
    for name in NAMES
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print({name: sorted(names) for name, names in seen.items()})
context.term()
