"""CURVE: encrypted, and only clients whose keys the server knows come in."""

from __future__ import annotations

import purezmq as zmq


def main() -> None:
    """Serve Alice, and nobody else."""
    server_public, server_secret = zmq.curve_keypair()
    alice = zmq.curve_keypair()  # a public and a secret key; the server needs the public one only
    with zmq.Context() as context, context.socket(zmq.REP) as server:
        server.curve(server_secret, allow={alice[0]: "alice"})
        endpoint = f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}"

        with context.socket(zmq.REQ) as client:
            client.curve(server_public, keys=alice)
            client.connect(endpoint, wait=5.0)
            client.send_string("hello")
            question = server.recv(copy=False)
            server.send_string(f"good day, {question['User-Id']}")
            print(client.recv_string())

        with context.socket(zmq.REQ) as stranger:
            stranger.curve(server_public)  # a fresh pair of keys, which the server has never seen
            try:
                stranger.connect(endpoint, wait=5.0)
            except zmq.ZMQError:
                print("a stranger is not let in")


if __name__ == "__main__":
    main()
