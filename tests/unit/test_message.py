"""Tests of Frame, MessageTracker and SendEvent; where it tells, against pyzmq."""

from __future__ import annotations

import copy
import gc
import operator
import pickle
import threading

import pytest
import zmq

from purezmq import constants
from purezmq.error import NotDone, ZMQError
from purezmq.message import COPY_THRESHOLD, Frame, MessageTracker, SendEvent

METADATA = {"Socket-Type": "DEALER", "Identity": b"me", "Peer-Address": "127.0.0.1", "__fd": "13"}


@pytest.fixture
def received():
    """A Frame as the engine makes it."""
    return Frame._from_received(b"abc", True, METADATA)


@pytest.mark.parametrize("data", [None, b"", b"abc", bytearray(b"abc"), memoryview(b"abc"), b"x" * 70000])
@pytest.mark.parametrize("copied", [None, True, False])
def test_frame_of_bytes_like_data_compared_with_pyzmq_has_same_content(data, copied):
    """A Frame has the content of its data, however it was told to hold it."""
    theirs, ours = zmq.Frame(data, copy=copied), Frame(data, copy=copied)
    expected = (theirs.bytes, theirs.buffer.tobytes(), len(theirs), bytes(theirs), theirs.more, theirs.tracker)
    assert expected == (ours.bytes, ours.buffer.tobytes(), len(ours), bytes(ours), ours.more, ours.tracker)


@pytest.mark.parametrize("size", [0, 1, 16, 17, 300, 999, 1000, 70000, 1500000])
def test_frame_repr_compared_with_pyzmq_is_the_same(size):
    """The repr shows the start and the size, as pyzmq's."""
    assert repr(zmq.Frame(b"a" * size)).replace("zmq.", "purezmq.") == repr(Frame(b"a" * size))


def test_frame_repr_of_gigabytes_shows_gigabytes():
    """The unit follows the size."""
    from purezmq.message import _format_size

    assert _format_size(3 * 10**9) == "3GB"


@pytest.mark.parametrize(
    ("data", "error"), [("text", TypeError), (5, TypeError), (memoryview(b"abcdef")[::2], BufferError)]
)
def test_frame_of_bad_data_raises_as_pyzmq(data, error):
    """Text, numbers and scattered data are refused, here and in pyzmq."""
    with pytest.raises(error):
        zmq.Frame(data)
    with pytest.raises(error):
        Frame(data)


def test_frame_of_frame_has_its_content():
    """A Frame can be made of a Frame."""
    assert Frame(Frame(b"abc")).bytes == b"abc"


def test_frame_without_copy_refers_to_data():
    """With copy=False a change of the data is seen."""
    data = bytearray(b"abc")
    frame = Frame(data, copy=False)
    data[0] = ord("X")
    assert bytes(frame.buffer) == b"Xbc"


def test_frame_with_copy_keeps_data():
    """With copy=True a change of the data is not seen."""
    data = bytearray(b"abc")
    frame = Frame(data, copy=True)
    data[0] = ord("X")
    assert frame.bytes == b"abc"


@pytest.mark.parametrize(
    ("size", "threshold", "copied"), [(10, None, True), (COPY_THRESHOLD, None, False), (10, 5, False), (10, 11, True)]
)
def test_frame_by_default_copies_below_threshold(size, threshold, copied):
    """Without being told a Frame copies small data only."""
    data = bytearray(size)
    frame = Frame(data, copy_threshold=threshold)
    data[0] = 1
    assert copied == (frame.buffer[0] == 0)


def test_frame_of_integers_counts_bytes():
    """The length and the buffer of a Frame are in bytes, whatever the data's items."""
    data = memoryview(bytearray(16)).cast("I")
    frame = Frame(data, copy=False)
    assert (16, 16, "B") == (len(frame), len(frame.buffer), frame.buffer.format)


def test_frame_bytes_and_buffer_are_made_once():
    """``bytes`` and ``buffer`` are the same object each time, as in pyzmq."""
    frame = Frame(bytearray(b"abc"), copy=False)
    assert frame.bytes is frame.bytes
    assert frame.buffer is frame.buffer


def test_frame_is_buffer():
    """A Frame can be given where a buffer is expected."""
    assert memoryview(Frame(b"abc")).tobytes() == b"abc"


def test_frame_buffer_method_gives_content():
    """The method behind the buffer protocol gives a view."""
    assert Frame(b"abc").__buffer__(0).tobytes() == b"abc"


def test_frame_equality_is_that_of_bytes():
    """Frames and bytes are equal when their content is; the hash agrees."""
    frame = Frame(b"abc")
    assert frame == Frame(bytearray(b"abc"), copy=False)
    assert frame == b"abc"
    assert frame != b"abd"
    assert frame != "abc"
    assert hash(frame) == hash(b"abc")
    assert {frame: 1}[b"abc"] == 1


def test_frame_empty_is_false():
    """A Frame is true when it holds something."""
    assert (False, True) == (bool(Frame()), bool(Frame(b"0")))


def test_frame_received_has_properties(received):
    """Options by number and properties by name can be read."""
    names = [constants.MORE, constants.SHARED, constants.SRCFD, "Socket-Type", "Identity", "Routing-Id"]
    assert [1, 0, 13, "DEALER", "me", "me"] == [received.get(name) for name in names]
    assert received["Peer-Address"] == "127.0.0.1"
    assert received.more is True


@pytest.mark.parametrize("name", [99, "User-Id", "socket-type"])
def test_frame_get_unknown_raises_einval(received, name):
    """What a message does not have is EINVAL, as in pyzmq."""
    with pytest.raises(ZMQError) as caught:
        received.get(name)
    assert constants.EINVAL == caught.value.errno


def test_frame_get_property_of_own_frame_names_cause():
    """A Frame that was not received has no properties, and says so."""
    with pytest.raises(ZMQError, match="it was not received"):
        Frame(b"abc").get("Peer-Address")


def test_frame_group_and_routing_id_are_set_and_read():
    """Group and routing id are attributes and options by name."""
    frame = Frame()
    assert ("", 0) == (frame.group, frame.routing_id)
    frame.group, frame.routing_id = "weather", 7
    assert ("weather", 7) == (frame.get("group"), frame["routing_id"])
    frame.set("group", b"bytes")
    assert frame.group == "bytes"


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("group", "x" * 256, ZMQError),
        ("group", 5, TypeError),
        ("routing_id", 0, ZMQError),
        ("routing_id", 2**32, ZMQError),
        ("routing_id", "7", TypeError),
        ("other", 1, ZMQError),
        (constants.MORE, 1, ZMQError),
    ],
)
def test_frame_set_wrong_value_raises(option, value, error):
    """A group that is too long, a routing id out of range and all other options are refused."""
    with pytest.raises(error):
        Frame().set(option, value)


def test_frame_copied_shares_data_and_properties(received):
    """``copy.copy`` and ``fast_copy`` make another Frame on the same data."""
    for other in (copy.copy(received), received.fast_copy()):
        assert other is not received
        assert other.bytes is received.bytes
        assert (True, "DEALER") == (other.more, other["Socket-Type"])


def test_frame_of_subclass_copied_keeps_class():
    """A copy of a subclass is one."""

    class Mine(Frame):
        """A subclass."""

    assert Mine is type(Mine(b"abc").fast_copy())
    assert repr(Mine(b"abc")) == "<purezmq.Mine(b'abc')>"


@pytest.mark.parametrize(("copied", "pending"), [(True, False), (False, True), (None, False)])
def test_frame_tracked_waits_only_without_copy(copied, pending):
    """A copied Frame is done from the start, as in pyzmq."""
    frame = Frame(b"abc", track=True, copy=copied)
    assert (not pending, pending) == (frame.tracker.done, frame.tracker_event is not None)


def test_tracker_done_when_all_are_done():
    """A tracker is done when its events and the trackers below are."""
    frame, event = Frame(b"abc", track=True, copy=False), SendEvent()
    tracker = MessageTracker(frame, MessageTracker(event))
    assert "pending" in repr(tracker)
    event.set()
    assert not tracker.done
    frame.tracker_event.set()
    assert tracker.done
    assert "done" in repr(tracker)
    tracker.wait()


@pytest.mark.parametrize("timeout", [0, 0.001])
def test_tracker_wait_too_short_raises_not_done(timeout):
    """The time is for all messages, and NotDone tells that it is over; nothing is left behind."""
    events = [SendEvent(), SendEvent()]
    with pytest.raises(NotDone):
        MessageTracker(*events).wait(timeout)
    assert [[], []] == [event._callbacks for event in events]


@pytest.mark.parametrize("timeout", [-1, None, False, 60])
def test_tracker_wait_ends_when_other_thread_is_done(timeout):
    """Another thread ends the wait."""
    events = [SendEvent() for _ in range(5)]
    thread = threading.Thread(target=lambda: [event.set() for event in events])
    thread.start()
    MessageTracker(*events).wait(timeout)
    thread.join()
    assert all(event.is_set() for event in events)


def test_tracker_takes_event_of_threading():
    """Any object with ``is_set`` and ``wait`` can be watched."""
    event = threading.Event()
    tracker = MessageTracker(event)
    with pytest.raises(NotDone):
        tracker.wait(0)
    event.set()
    tracker.wait(0)
    assert tracker.done


@pytest.mark.parametrize(("watched", "error"), [(5, TypeError), (Frame(), ValueError)])
def test_tracker_of_what_does_not_track_raises(watched, error):
    """Other objects and Frames without a tracker are refused, as in pyzmq."""
    with pytest.raises(error):
        MessageTracker(watched)


def test_send_event_callback_is_called_once():
    """A callback is called when the event is set, at once when it is set already, and never twice."""
    calls = []
    event = SendEvent()
    event.add_callback(lambda: calls.append("early"))
    assert repr(event) == "<SendEvent: unset>"
    event.set()
    event.set()
    event.add_callback(lambda: calls.append("late"))
    assert ["early", "late"] == calls
    assert repr(event) == "<SendEvent: set>"


def test_send_event_removed_callback_is_not_called():
    """A callback that was taken back is not called; taking it back again is harmless."""
    calls = []
    event = SendEvent()

    def callback():
        calls.append(1)

    event.add_callback(callback)
    event.remove_callback(callback)
    event.remove_callback(callback)
    event.set()
    assert not calls


def test_send_event_wait_tells_whether_it_is_set():
    """``wait`` returns like that of ``threading.Event``."""
    event = SendEvent()
    assert event.wait(0) is False
    event.set()
    assert event.wait() is True


def test_frame_pickled_has_its_content():
    """A Frame of bytes goes to another process."""
    assert pickle.loads(pickle.dumps(Frame(b"abc"))) == b"abc"


def test_frame_is_done_with_its_last_copy():
    """The tracker of a Frame that was not sent is done when nobody refers to the memory any longer."""
    frame = Frame(bytearray(b"abc"), copy=False, track=True)
    other = copy.copy(frame)
    tracker = frame.tracker
    assert not tracker.done
    del frame
    gc.collect()
    assert not tracker.done
    del other
    gc.collect()
    assert tracker.done


def test_frame_shows_its_memory_as_a_view():
    """``memoryview(frame)`` has the shape and the length of the content, also for large and for empty ones."""
    for content in (b"", b"x" * 10, b"y" * 100_000, bytearray(b"z" * 10)):
        view = memoryview(Frame(content, copy=False))
        assert ((len(content),), "B", bytes(content)) == (view.shape, view.format, view.tobytes())


@pytest.mark.parametrize("name", ["append", "clear", "decode", "extend", "index", "split"])
def test_frame_has_no_methods_of_bytes(name):
    """A program that tells bytes from Frames by their methods can; also where a Frame is a bytearray underneath."""
    assert not hasattr(Frame(b"abc"), name)


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.__iadd__(b"x"),
        lambda frame: operator.setitem(frame, 0, 1),
        lambda frame: operator.delitem(frame, 0),
        lambda frame: frame + b"x",
        lambda frame: frame * 2,
        lambda frame: frame % 1,
        lambda frame: frame < Frame(b"b"),
        list,
        lambda frame: 97 in frame,
    ],
)
def test_frame_is_no_sequence(change):
    """Neither changing nor comparing nor iterating: pyzmq's Frames can't, on no version of Python."""
    frame = Frame(b"abc")
    with pytest.raises((TypeError, AttributeError, ZMQError)):
        change(frame)
    assert b"abc" == frame.bytes == bytes(memoryview(frame))
