"""pyzmq's public names, constants and signatures are all there."""

from __future__ import annotations

import enum
import importlib
import inspect
from typing import Any

import pytest
import zmq as pyzmq
from tests.support import LIBRARY, zmq

# Names of the standard library and private ones that slipped into pyzmq's __all__.
ACCIDENTAL = {"Enum", "IntEnum", "IntFlag", "_FINISHED_TRACKER"}

ENUMS = [
    name
    for name in pyzmq.constants.__all__
    if name not in ACCIDENTAL and isinstance(getattr(pyzmq.constants, name), enum.EnumMeta)
]

# Modules that are there from the beginning, with the names that programs import from them.
MODULES = {
    "error": pyzmq.error.__all__,
    "constants": pyzmq.constants.__all__,
    "decorators": ["context", "socket"],
    "utils.monitor": ["parse_monitor_message", "recv_monitor_message"],
}

CLASSES = ["Context", "Socket", "Frame", "Poller", "MessageTracker"]


def public_callables(cls: type) -> dict[str, Any]:
    """Public methods of a class by name."""
    return {
        name: member
        for name, member in inspect.getmembers(cls)
        if not name.startswith("_") and callable(member) and not isinstance(member, type)
    }


def parameters(function: Any) -> dict[str, inspect.Parameter] | None:
    """Parameters by name without self; None where the signature can't be read."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None
    return {name: p for name, p in signature.parameters.items() if name not in {"self", "cls"}}


@pytest.mark.parametrize("name", sorted(set(pyzmq.__all__) - ACCIDENTAL))
def test_name_of_pyzmq_is_there(name: str) -> None:
    """Each name of zmq.__all__ is a public name here, too."""
    assert hasattr(zmq, name)
    assert name in zmq.__all__


@pytest.mark.parametrize("name", ENUMS)
def test_enumeration_has_same_members_and_numbers(name: str) -> None:
    """Every member with its number, in the enumeration and flat."""
    ours, theirs = getattr(zmq, name), getattr(pyzmq, name)
    expected = {member: int(value) for member, value in theirs.__members__.items()}
    assert expected == {member: int(value) for member, value in ours.__members__.items()}
    for member, value in expected.items():
        if hasattr(pyzmq, member):
            assert value == getattr(zmq, member), member


def test_plain_numbers_are_equal() -> None:
    """Constants that are members of no enumeration."""
    for name in pyzmq.__all__:
        value = getattr(pyzmq, name)
        if isinstance(value, int) and not isinstance(value, bool):
            assert value == getattr(zmq, name), name


def test_options_know_their_type() -> None:
    """SocketOption._opt_type, which serializers of options use."""
    for name, option in pyzmq.SocketOption.__members__.items():
        assert option._opt_type.value == zmq.SocketOption.__members__[name]._opt_type.value, name


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in MODULES.items() for name in sorted(set(names) - ACCIDENTAL)],
)
def test_name_of_submodule_is_there(module: str, name: str) -> None:
    """Submodules that programs import from."""
    assert hasattr(importlib.import_module(f"{LIBRARY}.{module}"), name)


@pytest.mark.parametrize("class_name", CLASSES)
def test_methods_of_pyzmq_are_there(class_name: str) -> None:
    """Every public method and property of the class."""
    ours, theirs = getattr(zmq, class_name), getattr(pyzmq, class_name)
    wanted = {name for name in dir(theirs) if not name.startswith("_")}
    option_names = {name.lower() for name in pyzmq.constants.__all__}
    missing = {name for name in wanted if not hasattr(ours, name) and name.lower() not in option_names}
    # Attributes that exist in annotations of pyzmq only.
    assert set() == missing


@pytest.mark.parametrize(
    ("class_name", "method"),
    [(cls, name) for cls in CLASSES for name in sorted(public_callables(getattr(pyzmq, cls)))],
)
def test_method_takes_same_arguments(class_name: str, method: str) -> None:
    """Each parameter of pyzmq's method exists here under its name, at its place, optional where it was."""
    theirs = parameters(getattr(getattr(pyzmq, class_name), method))
    ours = parameters(getattr(getattr(zmq, class_name), method))
    if theirs is None or ours is None:
        pytest.skip("no signature to compare")
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    our_order = [name for name, p in ours.items() if p.kind in positional]
    takes_any = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in ours.values())
    for place, (name, parameter) in enumerate(theirs.items()):
        if parameter.kind in {inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL}:
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            assert place < len(our_order)
            continue
        assert name in ours or takes_any, f"{method}({name}=) is missing"
        if name in our_order and parameter.kind in positional:
            assert our_order.index(name) == place, f"{method}: {name} is argument {place} in pyzmq"
        if name in ours and parameter.default is not inspect.Parameter.empty:
            assert ours[name].default is not inspect.Parameter.empty, f"{method}: {name} is optional in pyzmq"


@pytest.mark.parametrize("function", ["proxy", "proxy_steerable", "device", "select", "zmq_poll", "strerror", "has"])
def test_function_takes_as_many_arguments(function: str) -> None:
    """Functions of the module."""
    theirs, ours = parameters(getattr(pyzmq, function)), parameters(getattr(zmq, function))
    if theirs is None or ours is None:
        pytest.skip("no signature to compare")
    assert len(theirs) <= len(ours)
    for name, parameter in theirs.items():
        if name in ours and parameter.default is not inspect.Parameter.empty:
            assert ours[name].default is not inspect.Parameter.empty


def test_version_is_libzmqs() -> None:
    """zmq_version() reports the libzmq whose behaviour is matched."""
    assert pyzmq.zmq_version() == zmq.zmq_version()
    assert pyzmq.zmq_version_info() == zmq.zmq_version_info()
    assert 3 <= len(zmq.pyzmq_version_info())
    assert isinstance(zmq.pyzmq_version(), str)


@pytest.mark.parametrize("number", sorted({int(member) for member in pyzmq.Errno} | {1, 4, 9, 13, 32, 104}))
def test_text_of_error_number_is_equal(number: int) -> None:
    """strerror gives libzmq's texts for libzmq's own numbers and the system's for the others."""
    assert pyzmq.strerror(number) == zmq.strerror(number)


@pytest.mark.parametrize("name", pyzmq.error.__all__)
def test_exception_has_same_ancestors(name: str) -> None:
    """Who catches pyzmq's classes catches ours."""
    theirs, ours = getattr(pyzmq.error, name), getattr(zmq.error, name)
    ancestors = {cls.__name__ for cls in theirs.__mro__}
    assert ancestors <= {cls.__name__ for cls in ours.__mro__}


def test_classes_can_be_subscribed_in_annotations() -> None:
    """``zmq.Socket[bytes]`` and ``zmq.Context[zmq.Socket[bytes]]`` are evaluated by programs at run time."""
    assert zmq.Socket is zmq.Socket[bytes].__origin__
    assert zmq.Context is zmq.Context[zmq.Socket[bytes]].__origin__
