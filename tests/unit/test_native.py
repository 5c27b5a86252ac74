"""Native threads and locks: what they do where nothing is patched (tests/fronts/green has the rest)."""

from __future__ import annotations

import _thread
import select
import threading

from tests.support import TIMEOUT_S, run_in_thread

from purezmq import native


def test_names_are_the_interpreters_own_where_nothing_is_patched() -> None:
    """Without gevent they are simply those of the standard library."""
    assert _thread.allocate_lock is native.allocate_lock
    assert threading.RLock().__class__ is native.RLock
    assert threading.local is native.ThreadLocal
    assert getattr(select, "epoll", None) is native.epoll
    assert not native.is_patched("threading")


def test_find_original_of_a_name_that_the_system_lacks_gives_the_default() -> None:
    """What a system doesn't have is None, or what the caller says."""
    assert native.find_original("select", "no_such_selector") is None
    assert native.find_original("select", "no_such_selector", 5) == 5


def test_start_thread_runs_in_a_named_daemon_thread() -> None:
    """The thread has the name for debuggers, and doesn't keep the process alive."""
    seen: list[threading.Thread] = []
    done = threading.Event()

    def note() -> None:
        seen.append(threading.current_thread())
        done.set()

    native.start_thread(note, "a name")
    assert done.wait(TIMEOUT_S)
    assert "a name" == seen[0].name
    assert seen[0].daemon
    assert seen[0].ident != native.get_ident()


def test_condition_wakes_every_waiter() -> None:
    """notify_all ends every wait; a waiter holds the lock again afterwards."""
    condition = native.Condition()
    ready = threading.Semaphore(0)
    woken: list[int] = []
    is_open = False

    def wait(number: int) -> None:
        with condition:
            ready.release()
            while not is_open:
                condition.wait()
            woken.append(number)

    calls = [run_in_thread(wait, number) for number in range(3)]
    for _ in calls:
        assert ready.acquire(timeout=TIMEOUT_S)
    with condition:
        is_open = True
        condition.notify_all()
    for call in calls:
        call.result()
    assert [0, 1, 2] == sorted(woken)


def test_condition_is_reentrant_and_wait_lets_go_of_all_of_it() -> None:
    """A thread may take the lock twice; wait() gives it up completely until it is woken."""
    condition = native.Condition()
    inside = threading.Event()

    def wait() -> None:
        with condition, condition:
            inside.set()
            condition.wait()

    waiting = run_in_thread(wait)
    assert inside.wait(TIMEOUT_S)
    with condition:
        condition.notify_all()
    waiting.result()


def test_condition_interrupted_in_its_wait_forgets_the_waiter() -> None:
    """An exception in wait() (Ctrl-C) leaves nothing behind, and the lock is held again."""

    class Interrupted(Exception):
        """Stands in for Ctrl-C."""

    class InterruptedLock:
        def __init__(self) -> None:
            self.calls = 0

        def acquire(self) -> None:
            self.calls += 1
            if self.calls == 2:
                raise Interrupted

    condition = native.Condition()
    original, native.allocate_lock = native.allocate_lock, InterruptedLock  # type: ignore[assignment]
    try:
        with condition:
            condition.wait()
    except Interrupted:
        pass
    finally:
        native.allocate_lock = original
    assert [] == condition._waiters
    run_in_thread(condition.__enter__).result()
