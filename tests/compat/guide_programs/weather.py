"""Weather updates: text topics in the message itself, a subscriber with a prefix filter."""

from __future__ import annotations

import threading

import zmq

context = zmq.Context()
publisher = context.socket(zmq.XPUB)
port = publisher.bind_to_random_port("tcp://127.0.0.1")


def client():
    socket = context.socket(zmq.SUB)
    socket.connect(f"tcp://localhost:{port}")
    zip_filter = "10001"
    socket.setsockopt_string(zmq.SUBSCRIBE, zip_filter)
    total = 0
    for _update in range(5):
        string = socket.recv_string()
        _zipcode, temperature, _relhumidity = string.split()
        total += int(temperature)
    print(f"Average temperature for zipcode '{zip_filter}' was {total / (_update + 1)} F")
    socket.close()


thread = threading.Thread(target=client)
thread.start()
print(publisher.recv())
for number in range(40):
    publisher.send_string(f"{10000 + number % 4} {number} {number * 2}")
thread.join()
context.destroy()
