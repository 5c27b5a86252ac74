"""Decorators that hand a context or a socket to a function (pyzmq's ``zmq.decorators``)."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from purezmq.sockets.context import Context

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["context", "socket"]


def context(*args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Call the function with a fresh context, which ends after it.

    Args:
        args: optionally the name of a keyword argument to pass it by (positional otherwise); the rest is Context's.
        kwargs: `name` likewise; the rest is Context's.
    """
    name, rest = _take_name(args, kwargs)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*call_args: Any, **call_kwargs: Any) -> Any:
            with Context[Any](*rest, **kwargs) as made:
                return _call_with(function, call_args, call_kwargs, name, made)

        return call

    return decorate


def socket(*args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Call the function with a fresh socket, which is closed after it.

    Args:
        args: optionally the name of a keyword argument to pass it by; the rest is `Context.socket`'s.
        kwargs: `name` likewise; `context_name`: which keyword argument holds the context ("context"). Without one the
            first Context among the positional arguments is used, or `Context.instance()`.
    """
    context_name = kwargs.pop("context_name", "context")
    name, rest = _take_name(args, kwargs)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def call(*call_args: Any, **call_kwargs: Any) -> Any:
            owner = _find_context(context_name, call_args, call_kwargs)
            with owner.socket(*rest, **kwargs) as made:
                return _call_with(function, call_args, call_kwargs, name, made)

        return call

    return decorate


def _take_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str | None, tuple[Any, ...]]:
    if "name" in kwargs:
        return str(kwargs.pop("name")), args
    if args and isinstance(args[0], str):
        return args[0], args[1:]
    return None, args


def _find_context(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Context[Any]:
    given = kwargs.get(name)
    if isinstance(given, Context):
        return given
    for argument in args:
        if isinstance(argument, Context):
            return argument
    return Context.instance()


def _call_with(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str | None, made: Any
) -> Any:
    if name is None:
        return function(*args, made, **kwargs)
    if name in kwargs:
        text = f"{function.__name__}() got multiple values for argument '{name}'"
        raise TypeError(text)
    return function(*args, **{**kwargs, name: made})
