"""render and build the site into public/ (--serve: and show it on a local port)

Reads the database, entries, taxonomy, errata and records; needs neither torch nor a network.
"""

import argparse
import gc
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import Refused
from catalog.root import find_root
from methods.kit import record
from scripts._output import document, line

if TYPE_CHECKING:
    from catalog.pages.records import Changed


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--serve", action="store_true", help="then serve it until interrupted")
    parser.add_argument("--port", type=int, default=8000, help="port to serve on; 0 picks a free one (default 8000)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    root = find_root()
    gc.disable()  # what a build makes it keeps until its end, and looking through it again and again takes a fifth of the time
    from catalog.pages.build import build  # the libraries it loads are part of that

    folder = build(root, _changed())
    gc.freeze()  # nor is it looked through at the end
    gc.enable()
    pages = sum(1 for _ in folder.rglob("*.html"))
    if args.json:
        document({"folder": str(folder), "pages": pages})
    else:
        line(f"{pages} pages in {folder}; open {folder / 'index.html'}")
    if args.serve:
        from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

        quiet = type("Handler", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
        try:
            server = ThreadingHTTPServer(("127.0.0.1", args.port), partial(quiet, directory=str(folder)))
        except (OSError, OverflowError) as error:
            raise Refused(f"port {args.port}: {error}; --port 0 picks a free one", exit_code=2) from None
        print(f"http://127.0.0.1:{server.server_port}/ (Ctrl-C ends it)", flush=True)
        server.serve_forever()
    return 0


def _changed() -> "Changed":
    """`record.changed`; but records share most of their inputs, and what several say of one is looked at once."""

    @cache
    def differs(root: Path, name: str, was: str) -> bool:
        return bool(record.changed({"inputs": {name: was}}, root))

    return lambda raw, root: [name for name, was in raw["inputs"].items() if differs(root, name, was)]
