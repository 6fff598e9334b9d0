"""Find papers and methods by words, phrases and conditions.

Words rank what is found. Conditions narrow it; both may stand in one query, and plain sentences are read, too:

  "word for word"           this phrase, in title, summary or abstract
  -word  -"some words"      without it (after --, or with the whole query in quotes: the shell takes a bare -word for an option)
  training:none             a label: form, training, acts_on, saves, challenge, domain, scope (the tags: catalog/taxonomy.toml);
                            a tag stands for those below it, too; -training:rl for what does not carry it
  after:2026-03             newer than that month or year; before:2025 likewise; papers without an arXiv id have no month
  code:yes                  a list links to its code (code:no: none does)
  like:lightthinker         near to a method or paper: slug, arXiv id, name or "title"

As sentences: "latent reasoning without training", "newer than March, code available", "like LightThinker". A month
without a year is the latest one that the catalog's papers reach. What looks like a condition and is none is searched
as words, and a note says so; no text is ever an error.
"""

import argparse
from dataclasses import asdict

from catalog import store, taxonomy
from catalog.errors import Refused
from catalog.finding import searching
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="+", metavar="WORDS", help="any text")
    parser.add_argument("--limit", metavar="N", type=int, default=20, help="how many at most (20)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    if args.limit < 1:
        raise Refused(f"--limit: {args.limit} is not a number from 1", exit_code=2)
    root, text = find_root(), " ".join(args.words)
    tree = taxonomy.load(root)
    with store.reading(root) as session:
        answer = searching.build(session, tree).ask(text, tree, args.limit)
    if args.json:
        _output.document({"query": text, **asdict(answer)})
        return 0
    for note in answer.notes:
        _output.note(note)
    if answer.understood:
        _output.note(f"read as: {'; '.join(answer.understood)}")
    if answer.hits:
        _output.table(searching.COLUMNS, [hit.cells for hit in answer.hits])
    else:
        _output.line("nothing found")
    return 0
