"""Titanic: requests that outlive everybody. They are on disk before the client hears that they were taken.

Titanic is a worker of majordomo with three services (RFC 9, TSP):

| service | body of the request | body of the reply |
|---|---|---|
| titanic.request | service, body... | 200, name of the request |
| titanic.reply | name | 200, body... · 300: not yet · 400: unknown |
| titanic.close | name | 200 |

A request is carried out at least once: if titanic dies after the worker's answer and before the reply is on
disk, the request is carried out again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event, Thread

from majordomo_broker import run_broker
from majordomo_client import Client
from majordomo_worker import run_worker
from stage import Stage
from titanic_store import Store

PAUSE_S = 0.1  # between two looks at what is still unanswered
OK, PENDING, UNKNOWN = b"200", b"300", b"400"


class Titanic:
    """The three services, and the dispatcher that has the requests carried out.

    Args:
        broker: its endpoint.
        store: where requests and replies are kept.
    """

    def __init__(self, broker: str, store: Store) -> None:
        self._broker = broker
        self._store = store
        self._news = Event()

    def run(self) -> None:
        """Serve for ever."""
        services = {b"titanic.request": self._take, b"titanic.reply": self._reply, b"titanic.close": self._close}
        for service, answer in services.items():
            Thread(target=run_worker, args=(self._broker, service, answer)).start()
        with Client(self._broker) as client:
            while True:
                for name in self._store.unanswered():
                    self._carry_out(client, name)
                self._news.wait(PAUSE_S)
                self._news.clear()

    def _take(self, body: list[bytes]) -> list[bytes]:
        name = self._store.add_request(body)
        self._news.set()
        return [OK, name.encode()]

    def _reply(self, body: list[bytes]) -> list[bytes]:
        name = body[0].decode()
        reply = self._store.get_reply(name)
        if reply is not None:
            return [OK, *reply]
        return [UNKNOWN if self._store.get_request(name) is None else PENDING]

    def _close(self, body: list[bytes]) -> list[bytes]:
        self._store.close(body[0].decode())
        return [OK]

    def _carry_out(self, client: Client, name: str) -> None:
        request = self._store.get_request(name)
        if request is None or client.ask(b"mmi.service", request[0], attempts=1) != [OK]:
            return  # closed meanwhile, or nobody to do it yet
        reply = client.ask(*request, attempts=1)
        if reply is not None:
            self._store.add_reply(name, reply)


def run_titanic(broker: str, folder: str) -> None:
    """Be titanic, as a process of its own."""
    Titanic(broker, Store(folder)).run()


def offer_squares(broker: str) -> None:
    """Be a worker that squares numbers."""
    run_worker(broker, b"square", lambda body: [b"%d" % int(part) ** 2 for part in body])


def collect(client: Client, name: bytes) -> list[bytes]:
    """Ask for the reply to a request until it is there."""
    pause = Event()
    for _ in range(200):
        status, *body = client.ask(b"titanic.reply", name) or [UNKNOWN]
        if status == OK:
            return body
        pause.wait(PAUSE_S)
    sys.exit(f"request {name.decode()} stays unanswered ({status.decode()})")


def wait_for(client: Client, service: bytes) -> None:
    """Ask the broker until it knows a service."""
    pause = Event()
    while client.ask(b"mmi.service", service) != [OK]:
        pause.wait(PAUSE_S)


def main() -> str:
    """Leave requests that nobody can answer yet, kill all who know of them, then collect the replies."""
    with Stage() as stage:
        endpoint = stage.endpoint("broker")
        folder = Path(stage.folder, "titanic")
        folder.mkdir()
        with Client(endpoint) as client:
            first = [stage.start(run_broker, endpoint), stage.start(run_titanic, endpoint, str(folder))]
            wait_for(client, b"titanic.request")
            names = {}
            for number in range(1, 6):
                _, name = client.ask(b"titanic.request", b"square", b"%d" % number) or sys.exit("no titanic")
                names[number] = name
            print(f"{len(names)} requests are taken; nobody is there who could carry them out")
            early = {tuple(client.ask(b"titanic.reply", name) or []) for name in names.values()}
            if early != {(PENDING,)}:
                sys.exit(f"asked too early, titanic said {early}")
            for process in first:
                stage.kill(process)
            print("broker and titanic are killed; others are started, and a worker comes")
            for target, *args in (
                (run_broker, endpoint),
                (run_titanic, endpoint, str(folder)),
                (offer_squares, endpoint),
            ):
                stage.start(target, *args)
            for number, name in names.items():
                reply = collect(client, name)
                if reply != [b"%d" % number**2]:
                    sys.exit(f"the square of {number} came back as {reply}")
                print(f"the square of {number} is {reply[0].decode()}")
                client.ask(b"titanic.close", name)
            if client.ask(b"titanic.reply", names[1]) != [UNKNOWN]:
                sys.exit("a closed request is still known")
        left = [path.name for path in folder.glob("*.re*")]
        # A request whose acknowledgement came too late was left twice; its double is answered, too, and never closed.
        print("everything is closed" if not left else "everything is closed but what was left twice")
    return "every request outlived broker and titanic, and was answered"


if __name__ == "__main__":
    print(main())
