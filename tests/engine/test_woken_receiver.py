"""A receiver that waited takes what came without the lease, and gets what it would have got with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support import purezmq_only, zmq

pytestmark = purezmq_only("the tests replace a method of purezmq's socket")


def make_pull(context: Any, arrive: Callable[[Any], None]) -> Any:
    """A PULL socket that doesn't sleep the first time: `arrive` is called instead."""

    class Sleepless(zmq.Socket):  # type: ignore[misc]  # the library under test is chosen at run time
        def _wait(self, timeout: float | None, hint: Callable[[], object]) -> None:
            waits.append(timeout)
            if len(waits) == 1:
                arrive(self)
            else:
                super()._wait(timeout, hint)

    waits: list[float | None] = []
    return Sleepless(context, zmq.PULL)


@pytest.mark.parametrize("timeout_ms", [-1, 5000])
def test_message_that_comes_during_the_wait_is_received(context: Any, timeout_ms: int) -> None:
    """With and without a deadline."""
    with context.socket(zmq.PUSH) as push, make_pull(context, lambda _: push.send(b"here")) as pull:
        pull.rcvtimeo = timeout_ms
        pull.bind("inproc://woken")
        push.connect("inproc://woken")
        assert b"here" == pull.recv()
        assert not pull.poll(0)


def test_parts_that_come_during_the_wait_are_received_one_by_one(context: Any) -> None:
    """RCVMORE is true after the first one, and where the message came from is known for the second, a Frame."""
    with (
        context.socket(zmq.PUSH) as push,
        make_pull(context, lambda _: push.send_multipart([b"first", b"second"])) as pull,
    ):
        pull.bind("inproc://woken")
        push.connect("inproc://woken")
        assert b"first" == pull.recv()
        assert pull.rcvmore
        assert b"second" == pull.recv(copy=False).bytes
        assert pull._pattern.last_pipe is pull._pattern.inbox.short_cut is not None


def test_marker_of_a_full_queue_is_no_message(context: Any) -> None:
    """The sender is woken when the receiver that waited meets it, and the receiver gets the message behind it."""

    def fill(pull: Any) -> None:
        push.send(b"before")
        push.send(b"behind")
        assert not push.events & zmq.POLLOUT  # and a marker lies between the two
        assert b"before" == pull.recv()
        before.append(push._engine.room_token)

    before: list[object] = []
    with context.socket(zmq.PUSH) as push, make_pull(context, fill) as pull:
        push.sndhwm = pull.rcvhwm = 1
        pull.bind("inproc://woken")
        push.connect("inproc://woken")
        assert b"behind" == pull.recv()
        assert push._engine.room_token is not before[0]


def test_message_that_another_thread_takes_first_is_waited_for_again(context: Any) -> None:
    """It came during the wait, and was gone before this receiver looked; so is the look that finds it gone."""

    class Fleeting:
        """Holds something, until somebody takes it."""

        def __bool__(self) -> bool:
            pull._ready = usual
            return True

        def popleft(self) -> Any:
            push.send(b"the next one")
            raise IndexError

    def lose(_: Any) -> None:
        pull._ready = Fleeting()

    with context.socket(zmq.PUSH) as push, make_pull(context, lose) as pull:
        pull.bind("inproc://woken")
        push.connect("inproc://woken")
        usual = pull._ready
        assert b"the next one" == pull.recv()
