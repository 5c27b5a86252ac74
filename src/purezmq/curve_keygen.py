"""``python -m purezmq.curve_keygen``: print a pair of CURVE keys, as pyzmq's ``zmq.curve_keygen`` does."""

from __future__ import annotations

import argparse
import json
import sys

from purezmq.error import ZMQError
from purezmq.sockets.curve import curve_keypair, curve_public

__all__ = ["main"]


def main() -> None:
    """Make a pair of keys, or derive the public one from ``--secret``, and print both."""
    parser = argparse.ArgumentParser(
        prog="curve_keygen", description="Make a pair of CURVE keys; both are 40 characters of Z85."
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object with the members public and secret")
    parser.add_argument("--secret", help="a secret key, whose public key is wanted")
    options = parser.parse_args()
    try:
        if options.secret is None:
            public, secret = (key.decode("ascii") for key in curve_keypair())
        else:
            secret = options.secret
            public = curve_public(secret).decode("ascii")
    except (ValueError, ZMQError) as error:
        parser.error(str(error))
    if options.json:
        text = json.dumps({"public": public, "secret": secret}, indent=2)
    else:
        text = f"== CURVE PUBLIC KEY ==\n{public}\n\n== CURVE SECRET KEY ==\n{secret}"
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
