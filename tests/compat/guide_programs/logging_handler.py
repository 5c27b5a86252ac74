"""Logging over a PUB socket: topics from levels and loggers, formatters, a subscriber of some."""

from __future__ import annotations

import logging

import zmq
from zmq.log.handlers import TOPIC_DELIM, PUBHandler, TopicLogger

context = zmq.Context()
pub, sub = context.socket(zmq.PUB), context.socket(zmq.SUB)
pub.bind("inproc://log")
sub.connect("inproc://log")
sub.subscribe(b"")
sub.rcvtimeo = 50
while True:
    pub.send(b"warm")
    try:
        sub.recv()
        break
    except zmq.Again:
        continue
sub.rcvtimeo = 5000


def take():
    while (parts := sub.recv_multipart()) == [b"warm"]:
        pass
    return parts


logger = logging.getLogger("guide")
logger.setLevel(logging.DEBUG)
handler = PUBHandler(pub)
handler.root_topic = "root"
logger.addHandler(handler)
logger.info("hello %s", "world")
print(take())
logger.warning("topic::with a topic of its own")
print(take())
logger.debug("a debug message")
parts = take()
print(parts[0], parts[1].split(b" ")[0], parts[1].endswith(b"a debug message\n"))
handler.setFormatter(logging.Formatter("%(levelname)s|%(message)s"), logging.ERROR)
logger.error("an error")
print(take())
handler.setFormatter(logging.Formatter("all|%(message)s"))
logger.info("info")
logger.error("error")
print(take(), take())
handler.setRootTopic("other")
logger.info("x")
print(take())
try:
    raise ValueError("cause")
except ValueError:
    logger.exception("with a traceback")
print(take()[1].startswith(b"all|with a traceback\nTraceback"))
topic_logger = TopicLogger("topics")
topic_logger.setLevel(logging.INFO)
topic_logger.addHandler(handler)
topic_logger.log(logging.INFO, "sub", "message")
print(take(), TOPIC_DELIM)
logger.removeHandler(handler)
made = PUBHandler("tcp://127.0.0.1:*", context)
print(made.socket.type == zmq.PUB)
made.socket.close()
pub.close()
sub.close()
context.term()
