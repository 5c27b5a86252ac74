"""Clone: a table of keys and values that many share, each with a copy that is kept up to date.

Updates go to a server, which orders and publishes them; who joins late asks it for a snapshot first. One
may follow a subtree only, and give values a time to live. Two servers form a binary star: in this story
each of them is killed while two writers write as fast as they can.
"""

from __future__ import annotations

import sys
from functools import partial
from threading import Condition, Thread
from time import monotonic
from typing import TYPE_CHECKING, Self

from binary_star_machine import LIFETIME_S
from clone_follower import GET, RETRY_S, ROLE, SET, Follower
from clone_server import COMPLETE, Ends, run_server
from clone_table import Update
from stage import Stage

import purezmq as zmq

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import SpawnProcess

PATIENCE_S = 10.0
KEYS = 30  # of each writer, written over and over
STEP = 60  # updates between two events of the story


class Client:
    """A client with its copy of the table, or of a subtree.

    Args:
        servers: the endpoints of both.
        subtree: with what the keys begin that are of interest.
    """

    def __init__(self, servers: list[Ends], subtree: str = "") -> None:
        self._context = zmq.Context()
        self._subtree = subtree
        self._follower = Follower(self._context, servers, subtree)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._follower.__exit__()
        self._context.term()

    def values(self) -> dict[str, bytes]:
        """Return the copy as it is now."""
        return self._follower.table.values()

    def set(self, key: str, value: bytes, ttl_ms: int = 0) -> None:
        """Give a key a value; when this returns, no crash of a server can undo it.

        Raises:
            TimeoutError: no server took it.
        """
        update = Update(key, value, ttl_ms)
        confirmed = self._follower.confirmed
        deadline = monotonic() + PATIENCE_S
        while update.update_id not in confirmed and monotonic() < deadline:
            self._follower.tell_all(SET, *update.encode())
            self._run(lambda: update.update_id in confirmed, monotonic() + RETRY_S)
        if update.update_id not in confirmed:
            raise TimeoutError(f"no server confirmed {key}")
        confirmed.clear()

    def wait_for(self, condition: Callable[[dict[str, bytes]], bool]) -> bool:
        """Follow the updates until the copy is as wished; False when that takes too long."""

        def is_met() -> bool:
            return self._follower.is_complete and condition(self.values())

        return self._run(is_met, monotonic() + PATIENCE_S)

    def _run(self, is_done: Callable[[], bool], deadline: float) -> bool:
        while not is_done():
            if monotonic() > deadline:
                return False
            self._follower.poller.poll(min(RETRY_S, max(0.0, deadline - monotonic())) * 1000)
            self._follower.handle_ready()
            if monotonic() > self._follower.last_beat + LIFETIME_S:
                self._follower.tell_all(GET, self._subtree.encode())  # lets the other server take over
        return True


class Writer(Thread):
    """Writes its keys over and over, until it is told to stop.

    Args:
        servers: the endpoints of both.
        subtree: with what its keys begin.
    """

    def __init__(self, servers: list[Ends], subtree: str) -> None:
        super().__init__(daemon=True)
        self._servers = servers
        self._subtree = subtree
        self._progress = Condition()
        self._count = 0
        self._stopped = False
        self.written: dict[str, bytes] = {}

    def run(self) -> None:
        """Write."""
        with Client(self._servers) as client:
            while not self._stopped:
                key, value = f"{self._subtree}{self._count % KEYS:02}", b"%d" % self._count
                client.set(key, value)
                self.written[key] = value
                with self._progress:
                    self._count += 1
                    self._progress.notify_all()

    def wait_for_more(self, count: int) -> None:
        """Wait until so many more updates are confirmed, and end the program if that takes too long."""
        with self._progress:
            goal = self._count + count
            if not self._progress.wait_for(lambda: self._count >= goal, timeout=PATIENCE_S):
                sys.exit(f"the writer of {self._subtree} is stuck")

    def stop(self) -> dict[str, bytes]:
        """End the writer, and return what it wrote."""
        self._stopped = True
        self.join()
        return self.written


def wait_until_standing_by(server: Ends) -> None:
    """Wait until a server that was started again has the whole table."""
    with zmq.Context() as context, context.socket(zmq.SUB, rcvtimeo=int(PATIENCE_S * 1000)) as roles:
        roles.subscribe(ROLE)
        roles.connect(server.publisher)
        while roles.recv_multipart()[1:] != [b"passive", COMPLETE]:
            pass


def write_through_failures(stage: Stage, first: Ends, second: Ends) -> dict[str, bytes]:
    """Let two writers write while the servers are killed one after the other; return what they wrote."""

    def start(own: Ends, peer: Ends, *, primary: bool) -> SpawnProcess:
        return stage.start(partial(run_server, primary=primary), own, peer)

    primary, backup = start(first, second, primary=True), start(second, first, primary=False)
    writers = [Writer([first, second], subtree) for subtree in ("/red/", "/blue/")]
    for writer in writers:
        writer.start()

    def tell(news: str) -> None:
        print(news)
        for writer in writers:
            writer.wait_for_more(STEP)

    tell("two writers write")
    wait_until_standing_by(second)
    stage.kill(primary)
    tell("the primary is killed; they write on, with the backup")
    start(first, second, primary=True)
    wait_until_standing_by(first)
    tell("the primary is back and has caught up")
    stage.kill(backup)
    tell("the backup is killed; they write on, with the primary")
    return {key: value for writer in writers for key, value in writer.stop().items()}


def main() -> str:
    """Play the story, then compare all copies; return the claim that held."""
    with Stage() as stage:
        first, second = (Ends(stage.endpoint(f"{n}-requests"), stage.endpoint(f"{n}-news")) for n in (1, 2))
        with Client([first, second], "/red/") as reader:
            written = write_through_failures(stage, first, second)
            red = {key: value for key, value in written.items() if key.startswith("/red/")}
            if not reader.wait_for(lambda values: values == red):
                sys.exit(f"the reader of a subtree has {reader.values()}, not {red}")
            print(f"the reader of a subtree has its {len(red)} values, all of them the last")
            with Client([first, second]) as late:
                if not late.wait_for(lambda values: values == written):
                    sys.exit(f"the latecomer has {late.values()}, not {written}")
                print(f"the latecomer has all {len(written)}")
                late.set("/red/flash", b"short-lived", ttl_ms=400)
                if not reader.wait_for(lambda values: "/red/flash" in values):
                    sys.exit("the short-lived value never came")
                if not reader.wait_for(lambda values: values == red):
                    sys.exit("the short-lived value stayed")
                print("a short-lived value came and went")
    return "no confirmed update was lost, though both servers were killed"


if __name__ == "__main__":
    print(main())
