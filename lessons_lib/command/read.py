"""Read the book: open its pages in the browser, without an internet connection.

The pages are served on this computer alone until Ctrl-C is pressed.
"""

from __future__ import annotations

import argparse
import webbrowser
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lessons_lib.command._files import CommandError, html_folder

__all__ = ["add_arguments", "run"]


class _Handler(SimpleHTTPRequestHandler):
    """A handler that does not print a line for each file."""

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the subcommand takes."""
    parser.add_argument("page", nargs="?", default="index", help="page to open, such as 02-l2")
    parser.add_argument("--port", type=int, default=0, help="port of the server (any free one)")
    parser.add_argument("--no-browser", action="store_true", help="only serve, and print where")


def run(arguments: argparse.Namespace) -> int:
    """Serve the built book until the person has had enough."""
    folder = html_folder()
    page = arguments.page.removesuffix(".html")
    if not (folder / f"{page}.html").is_file():
        pages = ", ".join(sorted(path.stem for path in folder.glob("[0-9]*.html")))
        raise CommandError(f"there is no page {page!r}; the lessons are {pages}")
    try:
        server = ThreadingHTTPServer(
            ("127.0.0.1", arguments.port), partial(_Handler, directory=str(folder))
        )
    except (OSError, OverflowError) as error:
        raise CommandError(f"port {arguments.port} cannot be used ({error})") from None
    with server:
        address = f"http://127.0.0.1:{server.server_port}/{page}.html"
        print(f"The book is at {address}\nPress Ctrl-C to end.", flush=True)
        if not arguments.no_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0
