"""`purezmq keygen`: makes a pair of CURVE keys as two certificates, or shows the public key of one.

The secret is written to its file and shown nowhere.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from purezmq.auth.certs import create_certificates, load_certificate
from purezmq.error import ZMQError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["run"]


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of this command's words."""
    parser = argparse.ArgumentParser(
        prog="purezmq keygen",
        description="Make a pair of CURVE keys: NAME.key is to be given to others, NAME.key_secret to nobody.",
    )
    parser.add_argument("name", metavar="NAME", help="path and name of the certificates, without their endings")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--force", action="store_true", help="replace certificates that are there already")
    group.add_argument("--public", action="store_true", help="make nothing: print the public key of NAME, only that")
    return parser


def run(argv: Sequence[str]) -> int:
    """Run the command.

    Args:
        argv: The words after the command.

    Returns:
        0, or 1 when the files could not be written or read.

    Raises:
        SystemExit: After `--help` (status 0), and for a wrong line (status 2).
    """
    options = make_parser().parse_args(argv)
    try:
        if options.public:
            print(_find_public_key(options.name))
        else:
            print(_make(options.name, force=options.force))
    except FileExistsError as error:
        print(f"purezmq keygen: {error.filename} is there already; --force replaces it", file=sys.stderr)
        return 1
    except (OSError, ValueError, ZMQError) as error:
        print(f"purezmq keygen: {error}", file=sys.stderr)
        return 1
    return 0


def _make(path: str, *, force: bool) -> str:
    directory, name = os.path.split(path)
    if not name:
        raise ValueError(f"{path} names a directory, not a certificate")
    public_path, secret_path = create_certificates(directory or ".", name, overwrite=force)
    key = load_certificate(public_path)[0].decode()
    return (
        f"public key   {key}\n"
        f"public file  {public_path}   give it to those who shall know this key\n"
        f"secret file  {secret_path}   give it to nobody"
    )


def _find_public_key(path: str) -> str:
    """The key in NAME.key, or in the file that NAME is itself."""
    public_path = f"{path}.key"
    return load_certificate(public_path if os.path.exists(public_path) else path)[0].decode()
