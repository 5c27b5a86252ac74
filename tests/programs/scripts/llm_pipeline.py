"""A pipeline of an LLM server: ``llm_pipeline.py FOLDER``.

A tokenizer on asyncio pushes requests to a scheduler, which broadcasts them to its workers, collects their parts and
pushes tokens to a detokenizer, which pushes text back to the tokenizer. Objects are pickled by the sockets.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import pickle
import sys
import time
from typing import Any

import zmq
import zmq.asyncio
from facts import library_name, tell
from llm_sockets import make_socket

WORKERS = 2
REQUESTS = 300
TOKENS = 10
NAMES = ("requests", "broadcast", "parts", "tokens", "text")


def run_worker(endpoints: dict[str, str], rank: int) -> None:
    """Compute one part of every token that is broadcast."""
    context = zmq.Context()
    source = context.socket(zmq.SUB)
    source.setsockopt_string(zmq.SUBSCRIBE, "")
    source.setsockopt(zmq.RCVHWM, 0)
    source.connect(endpoints["broadcast"])
    sink = make_socket(context, endpoints["parts"], zmq.PUSH)
    assert source.recv() == b"READY"
    while (request := pickle.loads(source.recv(copy=False).buffer)) is not None:
        if library_name() not in request["libraries"]:
            request["libraries"].append(library_name())
        sink.send_pyobj({"number": request["number"], "rank": rank, "libraries": request["libraries"]})
    sink.close()
    source.close()
    context.term()


def run_scheduler(endpoints: dict[str, str]) -> None:
    """Take all requests that are there, broadcast them, and push the tokens of those whose parts are complete."""
    context = zmq.Context(2)
    requests = make_socket(context, endpoints["requests"], zmq.PULL, bind=False)
    broadcast = make_socket(context, endpoints["broadcast"], zmq.XPUB)
    broadcast.setsockopt(zmq.SNDHWM, 0)
    parts = make_socket(context, endpoints["parts"], zmq.PULL)
    tokens = make_socket(context, endpoints["tokens"], zmq.PUSH)
    for _ in range(WORKERS):
        assert broadcast.recv() == b"\x01"
    broadcast.send(b"READY")
    waiting: dict[int, int] = {}
    is_running = True
    while is_running or waiting:
        is_idle = True
        while True:
            try:
                request = requests.recv_pyobj(zmq.NOBLOCK)
            except zmq.ZMQError as error:
                if error.errno != zmq.EAGAIN:
                    raise
                break
            is_idle = False
            broadcast.send(pickle.dumps(request), copy=False)
            if request is None:
                is_running = False
            else:
                waiting[request["number"]] = WORKERS
        while parts.poll(0):
            is_idle = False
            part = parts.recv_pyobj()
            waiting[part["number"]] -= 1
            if not waiting[part["number"]]:
                del waiting[part["number"]]
                for token in range(TOKENS):
                    tokens.send_pyobj({"token": token, **part})
        if is_idle:
            time.sleep(0.001)
    tokens.send_pyobj(None)
    for socket in (requests, broadcast, parts, tokens):
        socket.close()
    context.term()


def run_detokenizer(endpoints: dict[str, str]) -> None:
    """Turn tokens into text."""
    context = zmq.Context(2)
    source = make_socket(context, endpoints["tokens"], zmq.PULL)
    sink = make_socket(context, endpoints["text"], zmq.PUSH)
    while (token := source.recv_pyobj()) is not None:
        sink.send_pyobj({**token, "text": f"{token['number']}:{token['token']}"})
    sink.send_pyobj(None)
    context.destroy()


async def run_tokenizer(endpoints: dict[str, str]) -> None:
    """Ask everything at once, and read what comes back."""
    context = zmq.asyncio.Context(2)
    requests = make_socket(context, endpoints["requests"], zmq.PUSH, bind=True)
    text = make_socket(context, endpoints["text"], zmq.PULL)
    answers: dict[int, list[str]] = {number: [] for number in range(REQUESTS)}
    libraries: set[str] = set()

    async def read() -> None:
        while (answer := await text.recv_pyobj()) is not None:
            answers[answer["number"]].append(answer["text"])
            libraries.update(answer["libraries"])

    reading = asyncio.create_task(read())
    for number in range(REQUESTS):
        await requests.send_pyobj({"number": number, "libraries": [library_name()]})
    await requests.send_pyobj(None)
    await asyncio.wait_for(reading, 30)
    expected = {number: [f"{number}:{token}" for token in range(TOKENS)] for number in range(REQUESTS)}
    tell("all_text_in_order", answers == expected)
    tell("libraries", sorted(libraries))
    context.destroy(linger=0)


def main(folder: str) -> None:
    """Start all processes, run the tokenizer here."""
    endpoints: dict[str, Any] = {name: f"ipc://{folder}/{name}" for name in NAMES}
    spawning = multiprocessing.get_context("spawn")
    processes = [
        spawning.Process(target=run_scheduler, args=(endpoints,)),
        spawning.Process(target=run_detokenizer, args=(endpoints,)),
        *(spawning.Process(target=run_worker, args=(endpoints, rank)) for rank in range(WORKERS)),
    ]
    for process in processes:
        process.start()
    asyncio.run(run_tokenizer(endpoints))
    for process in processes:
        process.join(20)
    tell("exit_codes", [process.exitcode for process in processes])


if __name__ == "__main__":
    main(*sys.argv[1:])
