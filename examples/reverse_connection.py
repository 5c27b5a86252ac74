"""PEER: either side may connect and either may speak first: a service behind a firewall calls out and is asked."""

from __future__ import annotations

from threading import Thread

import purezmq as zmq


def agent(port: int) -> None:
    """Connect out to the controller, then answer what it asks."""
    with zmq.Context() as context, context.socket(zmq.PEER) as socket:
        controller = socket.connect_peer(f"tcp://127.0.0.1:{port}")
        socket.send(b"here I am", routing_id=controller)
        while (order := socket.recv()) != b"stop":
            socket.send(b"done: " + order, routing_id=controller)


def main() -> None:
    """Wait for the agent's call, then give it orders over its own connection."""
    with zmq.Context() as context, context.socket(zmq.PEER) as controller:
        port = controller.bind_to_random_port("tcp://127.0.0.1")
        thread = Thread(target=agent, args=(port,))
        thread.start()
        hello = controller.recv(copy=False)
        print(f"agent: {hello.bytes.decode()}")
        for order in (b"measure", b"report"):
            controller.send(order, routing_id=hello.routing_id)
            print(f"agent: {controller.recv().decode()}")
        controller.send(b"stop", routing_id=hello.routing_id)
        thread.join()


if __name__ == "__main__":
    main()
