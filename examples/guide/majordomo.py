"""Majordomo: clients name a service, workers offer services, a broker brings them together.

Shown here: requests wait for the first worker of their service; the broker tells which services exist
(mmi.service); a worker dies over a request; the broker itself is replaced.
"""

from __future__ import annotations

import os
import signal
import sys

from majordomo_broker import run_broker
from majordomo_client import Client, ManyClient
from majordomo_worker import run_worker
from stage import Stage

POISON = b"poison"


def offer_reversal(broker: str) -> None:
    """Be a worker that turns texts round."""
    run_worker(broker, b"reverse", lambda body: [part[::-1] for part in body])


def offer_shouting(broker: str, *, frail: bool) -> None:
    """Be a worker that turns texts to upper case; a frail one dies of poison."""

    def shout(body: list[bytes]) -> list[bytes]:
        if frail and body == [POISON]:
            os.kill(os.getpid(), signal.SIGKILL)
        return [part.upper() for part in body]

    run_worker(broker, b"shout", shout)


def offer_frail_shouting(broker: str) -> None:
    """Be a worker that dies of poison."""
    offer_shouting(broker, frail=True)


def offer_stable_shouting(broker: str) -> None:
    """Be a worker that nothing harms."""
    offer_shouting(broker, frail=False)


def check(claim: str, expected: object, actual: object) -> None:
    """Tell what was seen; end the program if it is not what should be."""
    if expected != actual:
        sys.exit(f"{claim}: expected {expected}, got {actual}")
    print(claim)


def main() -> str:
    """Play the story; return the claim that held."""
    with Stage() as stage:
        endpoint = stage.endpoint("broker")
        broker = stage.start(run_broker, endpoint)
        with Client(endpoint) as client, ManyClient(endpoint) as many:
            check("no service is there yet", [b"404"], client.ask(b"mmi.service", b"reverse"))
            for number in range(20):
                many.send(b"reverse", b"%03d" % number)
            workers = [stage.start(offer_reversal, endpoint) for _ in range(2)]
            replies = sorted((many.receive(10_000) or [b"", b"nothing"])[1] for _ in range(20))
            expected = sorted((b"%03d" % number)[::-1] for number in range(20))
            check("twenty requests waited for their worker, and were answered", expected, replies)
            check("the broker knows the service now", [b"200"], client.ask(b"mmi.service", b"reverse"))

            frail = stage.start(offer_frail_shouting, endpoint)
            check("another service", [b"HELLO"], client.ask(b"shout", b"hello"))
            check("its only worker dies of a request", None, client.ask(b"shout", POISON, attempts=1))
            frail.join()
            stage.start(offer_stable_shouting, endpoint)
            check("the next worker answers it", [POISON.upper()], client.ask(b"shout", POISON))

            stage.kill(broker)
            stage.start(run_broker, endpoint)
            check("a new broker finds the old workers", [b"cba"], client.ask(b"reverse", b"abc"))
            check("all the workers of that service live", [True] * 2, [worker.is_alive() for worker in workers])
    return "every request was answered, whoever died meanwhile"


if __name__ == "__main__":
    print(main())
