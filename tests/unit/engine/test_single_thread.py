"""One thread at a time, whatever interrupts its start, or that of those who use it."""

from __future__ import annotations

import _thread
import logging
from collections import deque

import pytest
from tests.support import TIMEOUT_S, eventually
from tests.support.interrupting import interrupted_at

from purezmq.engine import event_log, single_thread
from purezmq.engine.single_thread import SingleThread


class Work:
    """A queue, and who empties it."""

    def __init__(self) -> None:
        self.queue: deque[int] = deque()
        self.done: list[int] = []
        self.at_work = 0
        self.most = 0
        self.runs = 0

    def run(self) -> None:
        self.runs += 1
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        while self.queue:
            self.done.append(self.queue.popleft())
        self.at_work -= 1


@pytest.fixture(autouse=True)
def _plain_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of `threading` can break themselves where their start is interrupted."""
    monkeypatch.setattr(single_thread, "start_thread", lambda run, _name: _thread.start_new_thread(run, ()))


def test_thread_ends_without_work_and_comes_again() -> None:
    """What is added while it ends is done by it, or by the next one."""
    work = Work()
    thread = SingleThread(work.run, "under test", lambda: work.queue)
    for number in range(300):
        work.queue.append(number)
        thread.start()
    assert thread.wait(TIMEOUT_S)
    assert list(range(300)) == work.done
    assert 1 == work.most
    assert not thread.is_running()


def test_p18_interrupted_start_leaves_one_thread() -> None:
    """A handler raises at moment after moment of it: the next start does what is to be done, and then it has ended."""
    reached, moment = ["the first one"], 0
    while reached:
        work = Work()
        thread = SingleThread(work.run, "under test", lambda work=work: work.queue)  # type: ignore[misc]
        work.queue.append(1)
        with interrupted_at(moment) as reached:
            thread.start()
        work.queue.append(2)
        thread.start()
        eventually(lambda work=work: [1, 2] == work.done)
        eventually(lambda thread=thread: not thread.is_running())
        assert 1 == work.most
        moment += 1
    assert moment > 5


def test_thread_that_is_there_once_does_not_come_again() -> None:
    """Not even when a second one begins late."""
    work = Work()
    thread = SingleThread(work.run, "under test")
    thread.start()
    assert thread.wait(TIMEOUT_S)
    thread.start()
    thread._run()
    assert 1 == work.runs


def test_thread_whose_work_raises_has_ended() -> None:
    """Nobody waits for it, and another one may come."""
    thread = SingleThread(deque[int]().popleft, "under test", bool)
    for _ in range(2):
        with pytest.raises(IndexError):
            thread._run()
        assert not thread.is_running()


def test_closed_thread_does_not_come_again() -> None:
    """The process ends: a thread that began would be stopped in its midst."""
    work = Work()
    thread = SingleThread(work.run, "under test", lambda: work.queue)
    thread.close(TIMEOUT_S)
    thread.start()
    assert not thread.is_running()


def test_p18_interrupted_line_does_not_silence_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """A handler raises at moment after moment of a write: what follows is written, and what came before it, too."""
    reached, moment = ["the first one"], 0
    with caplog.at_level(logging.WARNING, "purezmq"):
        while reached:
            caplog.clear()
            writer = event_log._Writer()
            with interrupted_at(moment) as reached:
                writer.write("first")
            writer.write("later")
            eventually(lambda: caplog.messages and "later" == caplog.messages[-1])
            assert caplog.messages in (["later"], ["first", "later"])
            eventually(lambda writer=writer: not writer._thread.is_running())
            moment += 1
    assert moment > 5
