"""Every reported number beside its sources, with a verdict and the rule that gave it.

Fails where a number changed without a line in the ledger, and where verdicts and errata do not say the same.
"""

import argparse
from dataclasses import asdict

from catalog import auditing, entries, taxonomy
from catalog.auditing import ledger
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--verdict", choices=auditing.VERDICTS, help="only rows with this verdict")
    parser.add_argument("--method", metavar="SLUG", help="only rows about this method")
    parser.add_argument("--write", action="store_true", help="enter new numbers in the ledger's book and write the entries' schema")


def main(args: argparse.Namespace) -> int:
    root = find_root()
    written = entries.load(root)
    rows = auditing.audit(root, written)
    if args.method is not None:
        entries.check_slug(args.method, written)
    if args.write:
        (root / entries.SCHEMA).write_text(entries.schema(taxonomy.load(root)), "utf-8")
        _output.note(f"{ledger.BOOK}: {ledger.write_book(root, written)} new numbers; {entries.SCHEMA}: written")
    new = ledger.check(root, written)
    shown = [row for row in rows if args.verdict in (None, row.verdict) and args.method in (None, row.method)]
    if args.json:
        _output.document(
            {"rows": [asdict(row) for row in shown], "counts": auditing.counts(shown), "rules": auditing.RULES}
            | {"not_in_the_book": [{"slug": slug, "number": number} for slug, number in new]}
        )
        return 0
    columns = ["verdict", "rule", "method", "where", "setting", "metric", "sources"]
    _output.table(columns, [_line(row) for row in shown])
    _output.note(", ".join(f"{verdict.replace('_', ' ')} {n}" for verdict, n in auditing.counts(shown).items()))
    if new:
        _output.note(f"{len(new)} numbers are not in {ledger.BOOK} yet: laconic audit --write")
    return 0


def _line(row: auditing.Row) -> list[str]:
    where = ", ".join(filter(None, (row.benchmark, row.model))) or row.place
    sources = "; ".join(f"{source.kind} {source.value} ({source.locator})" for source in row.sources)
    return [row.verdict.replace("_", " "), row.rule, row.method, where, row.setting, row.metric, sources]
