"""Copies of objects of the wire in a state that takes long to reach: a connection behind its handshake, say.

A copy is exact or refused: it's made of the attributes, and what is neither known to be immutable nor to be copied
raises. The tests compare copies with objects that came to the same state by themselves.
"""

from __future__ import annotations

from collections import deque
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, cast

from purezmq.wire.config import ConnectionConfig
from purezmq.wire.events import AuthenticationNeeded, HandshakeSucceeded, PeerInfo, Subscribed

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Prototype", "attributes"]

_KEPT = (int, float, bytes, str, type(None), frozenset, Enum, FunctionType, BuiltinFunctionType, BaseException, type)
#: All of their attributes are immutable.
_KEPT_OF_LIBRARY = (ConnectionConfig, AuthenticationNeeded, HandshakeSucceeded, PeerInfo, Subscribed)
_COPIED = (list, dict, bytearray, deque)
_MODULES = ("purezmq.wire.", "fuzz.")


def attributes(item: object) -> dict[str, Any]:
    """Return the attributes of an object that have a value, those in slots as well.

    Args:
        item: the object.
    """
    names = [name for kind in type(item).__mro__ for name in kind.__dict__.get("__slots__", ())]
    found = {name: getattr(item, name) for name in names if hasattr(item, name)}
    return {**found, **getattr(item, "__dict__", {})}


class Prototype:
    """A state to begin from.

    Args:
        roots: the objects that have come to it; they are not to be used any more.

    Attributes:
        make: returns a copy of each of the roots.

    Raises:
        TypeError: there is something of which nobody knows how to copy it.
    """

    def __init__(self, *roots: object) -> None:
        self._count = len(roots)
        self._numbers: dict[int, int] = {}
        self._items: list[object] = []
        self._fixed: list[tuple[int, str, object]] = []
        self._copied: list[tuple[int, str, Any]] = []
        self._linked: list[tuple[int, str, int]] = []
        self._bound: list[tuple[int, str, int, str]] = []
        for root in roots:
            self._add(root)
        at = 0
        while at < len(self._items):
            for name, value in attributes(self._items[at]).items():
                self._plan(at, name, value)
            at += 1
        self.make = self._compile()

    def _add(self, item: object) -> int:
        """The number of an object of which each copy has one of its own."""
        if id(item) not in self._numbers:
            if not type(item).__module__.startswith(_MODULES):
                raise TypeError(f"nobody knows how to copy {item!r}")
            self._numbers[id(item)] = len(self._items)
            self._items.append(item)
        return self._numbers[id(item)]

    def _plan(self, owner: int, name: str, value: Any) -> None:
        if _is_fixed(value):
            self._fixed.append((owner, name, value))
        elif type(value) in _COPIED:
            if not all(map(_is_fixed, value.values() if type(value) is dict else value)):
                raise TypeError(f"nobody knows how to copy what is in {name}: {value!r}")
            self._copied.append((owner, name, value))
        elif type(value) is MethodType:
            self._bound.append((owner, name, self._add(value.__self__), value.__name__))
        else:
            self._linked.append((owner, name, self._add(value)))

    def _compile(self) -> Callable[[], tuple[Any, ...]]:
        """Write a function that makes the copies: one assignment for each attribute, and no loop."""
        names: dict[str, object] = {}

        def name_of(value: object) -> str:
            names[f"v{len(names)}"] = value
            return f"v{len(names) - 1}"

        lines = [f"i{at} = {name_of(type(item))}.__new__({name_of(type(item))})" for at, item in enumerate(self._items)]
        lines += [f"i{owner}.{name} = {name_of(value)}" for owner, name, value in self._fixed]
        lines += [f"i{owner}.{name} = {name_of(container)}.copy()" for owner, name, container in self._copied]
        lines += [f"i{owner}.{name} = i{number}" for owner, name, number in self._linked]
        lines += [f"i{owner}.{name} = i{number}.{method}" for owner, name, number, method in self._bound]
        lines += [f"return ({', '.join(f'i{at}' for at in range(self._count))},)"]
        # Arguments with defaults are local names, which are the fastest.
        head = f"def make({', '.join(f'{name}={name}' for name in names)}):"
        exec("\n    ".join([head, *lines]), names)  # noqa: S102  # of names that Python allows, and numbers
        made: Any = names["make"]
        return cast("Callable[[], tuple[Any, ...]]", made)


def _is_fixed(value: object) -> bool:
    return isinstance(value, (*_KEPT, *_KEPT_OF_LIBRARY)) or (isinstance(value, tuple) and all(map(_is_fixed, value)))
