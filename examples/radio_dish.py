"""RADIO and DISH: groups instead of topic prefixes, here over UDP multicast on this machine alone."""

from __future__ import annotations

import purezmq as zmq

GROUP = "239.255.42.1"


def main() -> None:
    """Announce on two groups; the receiver joined one of them."""
    with zmq.Context() as context, context.socket(zmq.RADIO) as radio, context.socket(zmq.DISH) as dish:
        dish.rcvtimeo = 5_000
        dish.bind(f"udp://127.0.0.1;{GROUP}:*")
        port = dish.last_endpoint.decode().rpartition(":")[2]
        dish.join("weather")
        radio.connect(f"udp://127.0.0.1;{GROUP}:{port}")
        radio.send(b"2:1", group="sport")
        radio.send(b"sunny", group="weather")
        frame = dish.recv(copy=False)
        print(f"{frame.group}: {frame.bytes.decode()}")


if __name__ == "__main__":
    main()
