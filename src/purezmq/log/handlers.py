"""A logging handler that publishes, and a logger whose messages have topics (pyzmq's ``zmq.log.handlers``).

A record is a message of two parts: the topic and the formatted text. The topic is the root topic (if any), the level's
name and the record's own topic (if any), with dots between. A record has a topic of its own if its text begins
with one, before `TOPIC_DELIM`; `TopicLogger` writes that.
"""

from __future__ import annotations

import logging
from copy import copy
from typing import Any

from purezmq.constants import PUB
from purezmq.sockets.context import Context
from purezmq.sockets.socket import Socket

__all__ = ["TOPIC_DELIM", "PUBHandler", "TopicLogger"]

#: Between a record's topic and its text.
TOPIC_DELIM = "::"

_WITH_PLACE = "%(levelname)s %(filename)s:%(lineno)d - %(message)s\n"
_FORMATS = {
    logging.DEBUG: _WITH_PLACE,
    logging.INFO: "%(message)s\n",
    logging.WARNING: _WITH_PLACE,
    logging.ERROR: "%(levelname)s %(filename)s:%(lineno)d - %(message)s - %(exc_info)s\n",
    logging.CRITICAL: _WITH_PLACE,
}


class PUBHandler(logging.Handler):
    """Publishes log records.

    Args:
        interface_or_socket: a socket, or an endpoint to bind a new PUB socket to.
        context: for the new socket; by default a context of its own, or that of the socket.
        root_topic: the first word of all topics.

    Raises:
        TypeError: it is neither a socket nor text.
        ZMQError: as `Socket.bind`.

    Attributes:
        socket: what the records are sent by.
        ctx: its context.
        formatters: the formatter of each level.
    """

    ctx: Context[Any]
    socket: Socket

    def __init__(
        self, interface_or_socket: str | Socket, context: Context[Any] | None = None, root_topic: str = ""
    ) -> None:
        super().__init__()
        self.root_topic = root_topic
        self.formatters = {level: logging.Formatter(text) for level, text in _FORMATS.items()}
        if isinstance(interface_or_socket, Socket):
            self.socket = interface_or_socket
            self.ctx = self.socket.context
        elif isinstance(interface_or_socket, str):
            self.ctx = context or Context()
            self.socket = self.ctx.socket(PUB)
            self.socket.bind(interface_or_socket)
        else:
            raise TypeError(f"PUBHandler takes a socket or an endpoint, not {interface_or_socket!r}")

    @property
    def root_topic(self) -> str:
        """The first word of all topics; empty: none."""
        return self._root_topic

    @root_topic.setter
    def root_topic(self, value: str | bytes) -> None:
        self.setRootTopic(value)

    def setRootTopic(self, root_topic: str | bytes) -> None:  # noqa: N802 - pyzmq's name, in logging's manner
        """Change the first word of all topics; empty: none."""
        self._root_topic = root_topic.decode("utf8") if isinstance(root_topic, bytes) else root_topic

    def setFormatter(  # noqa: N802 - logging's name
        self, fmt: logging.Formatter | None, level: int = logging.NOTSET
    ) -> None:
        """Change the formatter of a level.

        Args:
            fmt: the formatter; None: the one that a new handler has.
            level: whose formatter; NOTSET: all levels'.
        """
        levels = list(self.formatters) if level == logging.NOTSET else [level]
        for one in levels:
            self.formatters[one] = fmt or logging.Formatter(_FORMATS.get(one, _WITH_PLACE))

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of `record`, in the format of its level.

        A level of its own (such as 25) has the format of the known one below it.
        """
        formatter = self.formatters.get(record.levelno)
        if formatter is None:
            lower = [level for level in self.formatters if level < record.levelno]
            formatter = self.formatters[max(lower) if lower else min(self.formatters)]
        return formatter.format(record)

    def emit(self, record: logging.LogRecord) -> None:
        """Publish `record`; what goes wrong is reported in logging's manner (`handleError`)."""
        try:
            topic, text = self._split(record)
            words = [self.root_topic, record.levelname, topic]
            body = self.format(text).encode("utf8")
            self.socket.send_multipart([".".join(word for word in words if word).encode("utf8"), body])
        except Exception:  # noqa: BLE001 - a failing log must not end the program
            self.handleError(record)

    @staticmethod
    def _split(record: logging.LogRecord) -> tuple[str, logging.LogRecord]:
        """Return the topic of `record`, and the record without it."""
        if not isinstance(record.msg, str) or TOPIC_DELIM not in record.msg:
            return "", record
        topic, _, rest = record.msg.partition(TOPIC_DELIM)
        record = copy(record)
        record.msg = rest
        return topic, record


class TopicLogger(logging.Logger):
    """A logger whose methods take a topic before the text: ``logger.info("sensor", "%d degrees", 3)``.

    Args:
        name: the logger's name.
        level: the least level that it passes on.
    """

    def log(self, level: int, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # the topic is the point
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.log``."""
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        super().log(level, f"{topic}{TOPIC_DELIM}{msg}", *args, **kwargs)

    def debug(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.debug``."""
        self._log_topic(logging.DEBUG, topic, msg, args, kwargs)

    def info(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.info``."""
        self._log_topic(logging.INFO, topic, msg, args, kwargs)

    def warn(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.warn``."""
        self._log_topic(logging.WARNING, topic, msg, args, kwargs)

    def warning(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.warning``."""
        self._log_topic(logging.WARNING, topic, msg, args, kwargs)

    def error(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.error``."""
        self._log_topic(logging.ERROR, topic, msg, args, kwargs)

    def exception(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.exception``."""
        kwargs.setdefault("exc_info", True)
        self._log_topic(logging.ERROR, topic, msg, args, kwargs)

    def critical(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.critical``."""
        self._log_topic(logging.CRITICAL, topic, msg, args, kwargs)

    def fatal(self, topic: str, msg: str, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # as log
        """Log `msg` under `topic`; the rest is as for ``logging.Logger.fatal``."""
        self._log_topic(logging.CRITICAL, topic, msg, args, kwargs)

    def _log_topic(self, level: int, topic: str, msg: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Log on behalf of the method that calls this one."""
        if self.isEnabledFor(level):
            kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 2
            self._log(level, f"{topic}{TOPIC_DELIM}{msg}", args, **kwargs)
