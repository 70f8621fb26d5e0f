"""Runs localstripe on a free loopback port, which it prints; run as a program of its own.

Its own command listens on every interface and keeps its state in a fixed file for all users of
the machine; here it stays on loopback and forgets.
"""

from __future__ import annotations

import logging
import socket
import sys

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app


def main() -> None:
    Store.dump_to_disk = lambda store: None
    logging.disable()
    listening = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    web.run_app(app, sock=listening, print=None, access_log=None)


if __name__ == "__main__":
    main()
