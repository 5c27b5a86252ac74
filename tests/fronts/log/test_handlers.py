"""PUBHandler and TopicLogger: topics and texts of published records."""

from __future__ import annotations

import logging

import pytest
from tests.support import library_module, purezmq_only, zmq

handlers = library_module("log.handlers")


@pytest.fixture
def subscriber(make_socket):
    """A SUB socket of everything."""
    socket = make_socket(zmq.SUB)
    socket.subscribe(b"")
    return socket


@pytest.fixture
def handler(make_socket, subscriber):
    """A handler that publishes to `subscriber`."""
    publisher = make_socket(zmq.XPUB)
    publisher.bind("inproc://log")
    subscriber.connect("inproc://log")
    assert b"\1" == publisher.recv()
    return handlers.PUBHandler(publisher)


@pytest.fixture
def logger(handler):
    """A logger of its own with `handler`."""
    logger = logging.getLogger("tests.log")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers[:] = [handler]
    yield logger
    logger.handlers.clear()


def test_handler_topic_is_the_level(logger, subscriber):
    """An INFO record is its bare text."""
    logger.info("hello %s", "world")
    assert [b"INFO", b"hello world\n"] == subscriber.recv_multipart()


@pytest.mark.parametrize("level", ["DEBUG", "WARNING", "ERROR", "CRITICAL"])
def test_handler_other_levels_tell_the_place(logger, subscriber, level):
    """Records that are no INFO begin with level, file and line."""
    logger.log(getattr(logging, level), "text")
    topic, body = subscriber.recv_multipart()
    assert level.encode() == topic
    assert body.startswith(f"{level} {__name__.rpartition('.')[2]}.py:".encode())
    assert b" - text" in body


def test_handler_text_with_a_topic_is_split(logger, subscriber):
    """What stands before `::` is a topic of its own; later ones are text."""
    logger.info("my.topic::text::more")
    assert [b"INFO.my.topic", b"text::more\n"] == subscriber.recv_multipart()


@pytest.mark.parametrize("how", ["argument", "method", "attribute"])
def test_handler_root_topic_is_first(handler, logger, subscriber, how):
    """A root topic stands in front, however it was set."""
    if how == "argument":
        handler = handlers.PUBHandler(handler.socket, root_topic="root")
        logger.handlers[:] = [handler]
    elif how == "method":
        handler.setRootTopic("root")
    else:
        handler.root_topic = "root"
    assert "root" == handler.root_topic
    logger.info("sub::x")
    assert [b"root.INFO.sub", b"x\n"] == subscriber.recv_multipart()


def test_handler_formatter_of_one_level_leaves_the_others(handler, logger, subscriber):
    """setFormatter with a level changes that level only."""
    handler.setFormatter(logging.Formatter("<%(message)s>"), logging.INFO)
    logger.info("x")
    logger.debug("x")
    assert [b"INFO", b"<x>"] == subscriber.recv_multipart()
    assert subscriber.recv_multipart()[1].startswith(b"DEBUG ")


def test_handler_formatter_of_all_levels_changes_them(handler, logger, subscriber):
    """setFormatter without a level changes every one."""
    handler.setFormatter(logging.Formatter("<%(message)s>"))
    for level in (logging.DEBUG, logging.CRITICAL):
        logger.log(level, "x")
        assert b"<x>" == subscriber.recv_multipart()[1]


def test_handler_exception_is_in_the_text(logger, subscriber):
    """`exception` publishes the traceback."""
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("sad")
    body = subscriber.recv_multipart()[1]
    assert b"Traceback" in body
    assert b"ValueError: broken" in body


def test_handler_text_is_utf8(logger, subscriber):
    """Text goes out in UTF-8."""
    logger.info("größer")
    assert "größer\n".encode() == subscriber.recv_multipart()[1]


def test_handler_endpoint_binds_a_socket_of_its_own(context, subscriber):
    """An endpoint instead of a socket makes a bound PUB in the given context."""
    handler = handlers.PUBHandler("inproc://own", context, "top")
    assert context is handler.ctx
    assert zmq.PUB == handler.socket.type
    assert "top" == handler.root_topic
    handler.socket.close()


def test_handler_socket_gives_its_context(handler, context):
    """A socket brings its context along."""
    assert context is handler.ctx


@purezmq_only("and leaves an open socket behind")
def test_handler_of_something_else_is_refused():
    """Neither socket nor endpoint: TypeError."""
    with pytest.raises(TypeError):
        handlers.PUBHandler(3)


@purezmq_only("the record is lost, and an error report printed")
def test_handler_level_of_its_own_has_the_format_below(logger, subscriber):
    """A level between the known ones is published in the format of the next lower one."""
    logger.log(25, "x")
    assert [b"Level 25", b"x\n"] == subscriber.recv_multipart()


@purezmq_only("every later record is lost")
def test_handler_formatter_none_restores_the_first_ones(handler, logger, subscriber):
    """setFormatter(None) is a way back."""
    handler.setFormatter(logging.Formatter("<%(message)s>"))
    handler.setFormatter(None)
    logger.info("x")
    assert [b"INFO", b"x\n"] == subscriber.recv_multipart()


@purezmq_only("a text that is no str loses its record")
def test_handler_text_that_is_an_object_is_formatted(handler, logger, subscriber):
    """logging allows any object as text."""
    logger.info({"a": 1})
    assert [b"INFO", b"{'a': 1}\n"] == subscriber.recv_multipart()


def test_topic_logger_log_takes_a_topic(handler, subscriber):
    """`log(level, topic, text)` publishes under the topic."""
    logger = handlers.TopicLogger("topics")
    logger.addHandler(handler)
    logger.log(logging.INFO, "sensor", "%d degrees", 3)
    assert [b"INFO.sensor", b"3 degrees\n"] == subscriber.recv_multipart()


@purezmq_only("all of them fail with a TypeError")
@pytest.mark.parametrize("name", ["debug", "info", "warn", "warning", "error", "exception", "critical", "fatal"])
def test_topic_logger_methods_take_a_topic(handler, subscriber, name):
    """`info(topic, text)` and the others publish under the topic, and tell the place of their caller."""
    level = {"warn": "WARNING", "exception": "ERROR", "fatal": "CRITICAL"}.get(name, name.upper())
    handler.setFormatter(logging.Formatter("%(message)s %(filename)s %(funcName)s"))
    logger = handlers.TopicLogger("topics")
    logger.addHandler(handler)
    getattr(logger, name)("sensor", "%d degrees", 3)
    topic, body = subscriber.recv_multipart()
    assert f"{level}.sensor".encode() == topic
    assert body.startswith(b"3 degrees test_handlers.py test_topic_logger_methods_take_a_topic")


def test_topic_logger_below_its_level_is_silent(handler, subscriber):
    """Records below the logger's level are dropped."""
    logger = handlers.TopicLogger("topics", logging.ERROR)
    logger.addHandler(handler)
    logger.log(logging.INFO, "a", "dropped")
    logger.log(logging.ERROR, "a", "kept")
    assert b"ERROR.a" == subscriber.recv_multipart()[0]
