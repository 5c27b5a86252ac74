"""CLIENT and SERVER: many questions at once, answers in any order; each message knows whom it came from."""

from __future__ import annotations

from threading import Thread

import purezmq as zmq

CLIENTS = 3
QUESTIONS = 4


def ask(port: int, name: str) -> None:
    """Send all questions at once, then take the answers as they come."""
    with zmq.Context() as context, context.socket(zmq.CLIENT) as socket:
        socket.connect(f"tcp://127.0.0.1:{port}")
        for number in range(QUESTIONS):
            socket.send_string(f"{name}, question {number}")
        answers = {socket.recv_string() for _ in range(QUESTIONS)}
    if answers != {f"{name}, question {number}: yes" for number in range(QUESTIONS)}:
        text = f"{name} got {answers}"
        raise SystemExit(text)


def main() -> None:
    """Answer the last question first: a SERVER answers whom it wants, when it wants."""
    with zmq.Context() as context, context.socket(zmq.SERVER) as server:
        port = server.bind_to_random_port("tcp://127.0.0.1")
        clients = [Thread(target=ask, args=(port, f"client {number}")) for number in range(CLIENTS)]
        for client in clients:
            client.start()
        questions = [server.recv(copy=False) for _ in range(CLIENTS * QUESTIONS)]
        for question in reversed(questions):
            server.send(question.bytes + b": yes", routing_id=question.routing_id)
        for client in clients:
            client.join()
    print(f"{len(questions)} questions answered, the last one first")


if __name__ == "__main__":
    main()
