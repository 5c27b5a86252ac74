"""A wait with a time limit of the native condition."""

from __future__ import annotations

from purezmq import native


def test_wait_ends_with_its_time():
    """Without a notification; the waiter is forgotten and the lock held again."""
    condition = native.Condition()
    with condition:
        condition.wait(0.01)
        assert condition._waiters == []


def test_wait_longer_than_the_system_can_sleep_is_cut():
    """No OverflowError: whoever waits looks again."""
    condition = native.Condition()

    class Lock:
        given = None

        def acquire(self, blocking=True, timeout=-1):
            Lock.given = timeout
            return True

    original, native.allocate_lock = native.allocate_lock, Lock
    try:
        with condition:
            condition.wait(1e300)
    finally:
        native.allocate_lock = original
    assert native.MAX_SLEEP_S == Lock.given
