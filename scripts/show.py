"""All that is known of one paper or method."""

import argparse
from collections.abc import Iterator
from typing import Any

from catalog import store
from catalog.finding import lookup
from catalog.root import find_root
from catalog.schema import Method
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="an arXiv id or URL, a title- key, or a method's slug")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    with store.reading(find_root()) as session:
        found = lookup.find(session, args.id)
        if isinstance(found, Method):
            known = lookup.describe_method(session, found)
        else:
            known = lookup.describe_paper(session, found)
    if args.json:
        _output.document(known)
    else:
        _output.table(["what", "known"], _method(known) if known["kind"] == "method" else _paper(known))
    return 0


def _method(known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "method", f"{known['title']} ({known['slug']})"
    yield "summary", known["summary"]
    for number in known["reported_numbers"]:
        read = "read" if number["verified"] else "not verified"
        yield (
            "reported",
            f"{number['benchmark']}, {number['model']}, {number['setting']}: {number['metric']} {number['value']:g} "
            f"{number['unit']} ({number['evidence']}, {number['locator']}, {read})",
        )
    if known["paper"]:
        yield from _paper(known["paper"])


def _paper(known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "paper", known["title"]
    for former in known["former_titles"]:
        yield "formerly", former
    yield "id", known["url"] or known["key"]
    yield "status", known["status"] + (", withdrawn" if known["withdrawn"] else "")
    yield "month", known["month"]
    if known["served_by"] == "arxiv":
        yield "submitted", f"{known['published']:%Y-%m-%d}, version {known['version']} of {known['updated']:%Y-%m-%d}"
    yield "authors", ", ".join(known["authors"])
    yield "categories", ", ".join(known["categories"])
    for name in ("comment", "doi", "journal_ref"):
        if known[name]:
            yield name, known[name]
    yield "first seen", f"{known['first_seen']}, through {known['found_by']}"
    if known["methods"]:
        yield "methods", ", ".join(known["methods"])
    for facet in known["facets"]:
        yield f"{facet['facet']} ({facet['origin']})", facet["tag"]
    for mention in known["mentions"]:
        gone = f", gone on {mention['gone_on']}" if mention["gone_on"] else ""
        yield "listed", f"{mention['list_name']}: {' › '.join(mention['section'])}{gone} [{mention['resolution']}]"
        for defect in mention["defects"]:
            yield "defect", f"{mention['list_name']}: {defect['kind']}: {defect['detail']}"
    for mention in known["misprinted"]:
        yield "misprinted", f"{mention['list_name']} prints this id for “{mention['title']}”"
    if known["abstract"]:
        yield "abstract", known["abstract"]
