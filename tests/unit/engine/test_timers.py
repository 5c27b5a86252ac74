"""Deadlines of a loop: what is cancelled is neither run nor kept."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from purezmq.engine.timers import Timers

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 50)),
        st.tuples(st.just("cancel"), st.integers(0, 200)),
        st.tuples(st.just("run"), st.integers(0, 10)),
    ),
    max_size=200,
)


@given(STEPS)
def test_timers_run_in_order_and_once_compared_with_list(steps) -> None:
    """Whatever is added and cancelled: what is due runs, earliest first, ties in the order in which they came."""
    timers, made, model, now = Timers(), [], {}, 0
    for kind, number in steps:
        if kind == "add":
            name = len(made)
            made.append(timers.add(now + number, lambda: None)[0])
            model[name] = now + number
        elif kind == "cancel" and made:
            made[number % len(made)].cancel()
            model.pop(number % len(made), None)
        elif kind == "run":
            now += number
            ran = [made.index(timer) for timer in timers.take_due(now) if timer.callback is not None]
            due = sorted((when, name) for name, when in model.items() if when <= now)
            assert [name for _, name in due] == ran
            for name in ran:
                del model[name]
        assert min(model.values(), default=float("inf")) == timers.next_deadline()


def test_timers_cancelled_are_not_kept_until_their_time() -> None:
    """One that is moved ten thousand times leaves next to nothing behind."""
    timers = Timers()
    for number in range(10_000):
        timer, _ = timers.add(1e9 - number, lambda: None)
        if number < 9_999:
            timer.cancel()
    assert len(timers._heap) <= 64
    assert 1e9 - 9_999 == timers.next_deadline()


def test_timers_many_live_ones_are_all_kept() -> None:
    """Looking for cancelled ones loses none."""
    timers = Timers()
    for number in range(1000):
        timers.add(number, lambda: None)
    assert 1000 == len(timers.take_due(1000.0))
