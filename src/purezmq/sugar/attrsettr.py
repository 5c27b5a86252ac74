"""pyzmq's ``zmq.sugar.attrsettr``: a base class whose attributes are options.

Context and Socket have options as attributes without it; it is for classes of programs that derive from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from purezmq import constants

if TYPE_CHECKING:
    from typing import TypeAlias

__all__ = ["AttributeSetter", "OptValT"]

OptValT: TypeAlias = str | bytes | int


class AttributeSetter:
    """Attributes named as an option, in upper or lower case, are read by `get` and written by `set`."""

    def __setattr__(self, key: str, value: Any) -> None:
        if key in self.__dict__ or any(key in cls.__dict__ for cls in type(self).__mro__):
            object.__setattr__(self, key, value)
            return
        option = getattr(constants, key.upper(), None)
        if option is None:
            raise AttributeError(f"{type(self).__name__} has no option {key.upper()}")
        self._set_attr_opt(key.upper(), option, value)

    def __getattr__(self, key: str) -> Any:
        option = getattr(constants, key.upper(), None)
        if option is None:
            raise AttributeError(f"{type(self).__name__} has no attribute or option {key}")
        return self._get_attr_opt(key.upper(), option)

    def get(self, option: int) -> OptValT:
        """Read an option; a class that derives from this one says how."""
        raise NotImplementedError

    def set(self, option: int, value: OptValT) -> None:
        """Write an option; a class that derives from this one says how."""
        raise NotImplementedError

    def _set_attr_opt(self, name: str, opt: int, value: OptValT) -> None:
        """Write the option `name`, whose number is `opt`; to be overridden where that needs more than `set`."""
        self.set(opt, value)

    def _get_attr_opt(self, name: str, opt: int) -> OptValT:
        """Read the option `name`, whose number is `opt`; to be overridden where that needs more than `get`."""
        return self.get(opt)
