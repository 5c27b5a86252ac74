"""Tests of the constants and their families, against pyzmq."""

from __future__ import annotations

import enum

import pytest
import zmq
import zmq.constants

from purezmq import constants, enums

FAMILIES = [
    "Errno",
    "ContextOption",
    "SocketType",
    "SocketOption",
    "MessageOption",
    "Flag",
    "RouterNotify",
    "NormMode",
    "SecurityMechanism",
    "ReconnectStop",
    "Event",
    "PollEvent",
    "DeviceType",
]
# pyzmq's `__all__` has the base classes by accident.
FLAT = sorted(set(zmq.constants.__all__) - {"Enum", "IntEnum", "IntFlag"} - set(FAMILIES))


@pytest.mark.parametrize("family", FAMILIES)
def test_family_compared_with_pyzmq_has_same_members(family):
    """Each family has pyzmq's members, numbers, aliases and kind of enum, in its order."""
    theirs = getattr(zmq.constants, family)
    ours = getattr(constants, family)
    expected = [(name, int(member), member.name) for name, member in theirs.__members__.items()]
    actual = [(name, int(member), member.name) for name, member in ours.__members__.items()]
    assert expected == actual
    assert issubclass(theirs, enum.IntFlag) == issubclass(ours, enum.IntFlag)


@pytest.mark.parametrize("family", FAMILIES)
def test_family_has_docstring(family):
    """Each family says what it is."""
    assert getattr(enums, family).__doc__


def test_families_are_all_exported():
    """The modules export each family."""
    assert sorted(FAMILIES) == enums.__all__
    assert set(FAMILIES) <= set(constants.__all__)


def test_flat_names_compared_with_pyzmq_are_the_same_members():
    """Each flat name of pyzmq exists, with the same number and in the same family."""
    expected = [(name, type(getattr(zmq, name)).__name__, int(getattr(zmq, name))) for name in FLAT]
    actual = [(name, type(getattr(constants, name)).__name__, int(getattr(constants, name))) for name in FLAT]
    assert expected == actual


def test_all_compared_with_pyzmq_is_complete_and_unique():
    """``__all__`` holds the flat names and the families, each once."""
    assert sorted([*FLAT, *FAMILIES]) == sorted(constants.__all__)


def test_opt_type_compared_with_pyzmq_is_the_same():
    """Each socket option knows the kind of its value, as in pyzmq."""
    expected = {option.name: option._opt_type.value for option in zmq.SocketOption}
    actual = {option.name: option._opt_type.value for option in constants.SocketOption}
    assert expected == actual


def test_own_errnos_are_libzmqs_numbers():
    """What the platform lacks has libzmq's number (zmq.h)."""
    expected = [156384763, 156384764, 156384765, 156384766]
    assert expected == [constants.EFSM, constants.ENOCOMPATPROTO, constants.ETERM, constants.EMTHREAD]


def test_event_unknown_bits_are_kept():
    """A monitor can report a bit that no member has."""
    event = constants.Event(constants.EVENT_CONNECTED | 0x100000)
    assert event == 0x100001
