"""Tests of the errors and of the texts of error numbers."""

from __future__ import annotations

import errno
import os
import pickle

import pytest
import zmq

from purezmq import error
from purezmq.constants import EAGAIN, EFSM, EINVAL, EMTHREAD, ENOCOMPATPROTO, ETERM

ERRORS = [
    error.ZMQError(EINVAL),
    error.ZMQError(EINVAL, "LINGER must be an integer"),
    error.ZMQError(),
    error.Again(),
    error.Again(EAGAIN, "no peer"),
    error.ContextTerminated(),
    error.InterruptedSystemCall(),
    error.InterruptedSystemCall(errno.EINTR, "a signal"),
]


@pytest.mark.parametrize("number", [EFSM, ENOCOMPATPROTO, ETERM, EMTHREAD, EINVAL, EAGAIN, 0, errno.EHOSTUNREACH])
def test_strerror_compared_with_libzmq_is_the_same(number):
    """The texts are libzmq's."""
    assert zmq.strerror(number) == error.strerror(number)


@pytest.mark.skipif(os.name == "nt", reason="texts of another C library")
@pytest.mark.parametrize("name", sorted(set(error._PLATFORM_TEXTS) - {"EHOSTUNREACH"}))
def test_strerror_platform_number_returns_usual_text(name):
    """The operating system's numbers have glibc's texts, on every platform."""
    number = getattr(errno, name)
    expected = os.strerror(number) if os.uname().sysname == "Linux" else error._PLATFORM_TEXTS[name]
    assert expected == error.strerror(number)


def test_strerror_unknown_number_says_so():
    """A number without a text is shown as a number."""
    assert error.strerror(987654) == "Unknown error 987654"


def test_strerror_rare_number_shows_name():
    """A number of the platform without a text here is shown with its name."""
    assert f"Unknown error {errno.EXDEV} (EXDEV)" == error.strerror(errno.EXDEV)


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((11,), (11, zmq.strerror(11))),
        ((11, "cause"), (11, "cause")),
        (("text",), (None, "text")),
        (("text", "cause"), (None, "cause")),
        ((), (0, "Success")),
    ],
)
def test_zmq_error_constructed_like_pyzmq_has_same_fields(args, expected):
    """The constructor takes what pyzmq's takes, and fills the same fields."""
    theirs, ours = zmq.ZMQError(*args), error.ZMQError(*args)
    assert expected == (ours.errno, ours.strerror)
    assert (theirs.errno, theirs.strerror, str(theirs), repr(theirs), theirs.args) == (
        ours.errno,
        ours.strerror,
        str(ours),
        repr(ours),
        ours.args,
    )


@pytest.mark.parametrize("name", zmq.error.__all__)
def test_error_class_compared_with_pyzmq_has_same_ancestors(name):
    """Each class of pyzmq exists and has the same ancestors."""
    expected = [cls.__name__ for cls in getattr(zmq.error, name).__mro__]
    actual = [cls.__name__ for cls in getattr(error, name).__mro__]
    assert expected == actual


@pytest.mark.parametrize(
    ("number", "cls"),
    [
        (EAGAIN, error.Again),
        (errno.EWOULDBLOCK, error.Again),
        (ETERM, error.ContextTerminated),
        (errno.EINTR, error.InterruptedSystemCall),
        (EINVAL, error.ZMQError),
        (EFSM, error.ZMQError),
    ],
)
def test_make_error_by_number_returns_right_class(number, cls):
    """The number chooses the class, the text stays."""
    actual = error.make_error(number, "cause and cure")
    assert cls is type(actual)
    assert (number, "cause and cure") == (actual.errno, str(actual))


def test_make_error_without_text_uses_usual_text():
    """Without a text the error has that of the number."""
    assert zmq.strerror(ETERM) == str(error.make_error(ETERM))


@pytest.mark.parametrize("original", ERRORS, ids=repr)
def test_error_pickled_is_the_same(original):
    """An error survives the way through another process."""
    copy = pickle.loads(pickle.dumps(original))
    assert (type(original), original.errno, str(original)) == (type(copy), copy.errno, str(copy))


def test_interrupted_system_call_is_caught_as_interrupted_error():
    """Code that expects Python's InterruptedError works."""
    with pytest.raises(InterruptedError) as caught:
        raise error.InterruptedSystemCall
    assert errno.EINTR == caught.value.errno


def test_version_error_text_names_versions():
    """The text says what is needed and what is there."""
    original = error.ZMQVersionError("9.9", "telepathy")
    assert str(original) == "telepathy requires libzmq >= 9.9, have 4.3.5"
    assert repr(original) == f"ZMQVersionError({str(original)!r})"
    assert (original.msg, original.min_version, original.version) == ("telepathy", "9.9", "4.3.5")


@pytest.mark.parametrize(("args", "expected"), [(("mine",), "mine"), ((), "FD on a thread-safe socket")])
def test_draft_fd_warning_has_text(args, expected):
    """The warning has the given text or its own."""
    assert expected in str(error.DraftFDWarning(*args))
