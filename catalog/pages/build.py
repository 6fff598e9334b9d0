"""Markdown to a site: mkdocs, strict and without a network, then the policy in every page."""

import json
import logging
import os
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from catalog.entries import Entry
from catalog.errors import Refused
from catalog.pages.contents import Catalog
from catalog.pages.csp import add_policies
from catalog.pages.evidence import check
from catalog.pages.records import Changed
from catalog.pages.render import month_name, render
from catalog.publishing import publish


def build(root: Path, changed: Changed) -> Path:
    """Renders and builds everything; returns the folder of the site. The same inputs give the same bytes.

    Raises `Refused` where a file cannot be read, or where mkdocs warns (a broken link, say): a site is whole or not at all.
    """
    catalog = Catalog.load(root, changed)
    try:
        render(catalog, root / "build" / "docs")
        (root / "build" / "freshness.json").write_text(json.dumps(catalog.shelf.freshness), "utf-8")
        publish(catalog, root / "build" / "docs")
    except OSError as error:
        raise Refused(f"{error.filename}: {error.strerror}; the old site stands") from None
    # mkdocs stamps its output with the time of day unless told another: the newest paper's month, which is data.
    newest = catalog.shelf.newest
    month = newest.month if newest and newest.month else "1991-08"
    os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime(int(month[:4]), int(month[5:]), 1, tzinfo=UTC).timestamp()))
    return convert(root, catalog.entries)


def convert(root: Path, entries: Iterable[Entry]) -> Path:
    """build/docs to public/ by mkdocs.yml, beside the old site and then in its place."""
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # pins in constraints.txt answer the theme's banner
    from mkdocs.commands.build import build as mkdocs_build
    from mkdocs.config import load_config
    from mkdocs.exceptions import MkDocsException

    complaints = _Complaints()
    log = logging.getLogger("mkdocs")
    log.addHandler(complaints)
    log.propagate = False
    site, fresh = root / "public", root / "build" / "site"
    try:
        config = load_config(str(root / "mkdocs.yml"), strict=True, site_dir=str(fresh))
        # For site/theme: every page says how new its newest paper is.
        known = json.loads((root / "build" / "freshness.json").read_text("utf-8"))
        config.extra["freshness"] = {**known, "newest": month_name(known["newest_announced"] or "")}
        mkdocs_build(config)
    except (MkDocsException, SystemExit) as error:
        first = complaints.lines[0] if complaints.lines else str(error)
        raise Refused(f"mkdocs.yml: the site was not built, the old one stands: {first}") from None
    finally:
        log.removeHandler(complaints)
    check(fresh, entries, root / "site" / "docs")
    add_policies(fresh)
    shutil.rmtree(site, ignore_errors=True)
    fresh.replace(site)
    return site


class _Complaints(logging.Handler):
    """Keeps what mkdocs warns of: strict mode itself only says how often it did."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
