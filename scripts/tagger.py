"""Train and validate the tagger; writes catalog/tagger.json and catalog/tagger_record.json.

Labels come from the sections of the survey lists (catalog/sections.toml, catalog/snapshot) and from catalog/tagger_examples.jsonl;
abstracts from RECORDS, one JSON object a line with id, title and abstract, which may be gzipped. Needs scikit-learn:
pip install -e '.[ml]'. The same files give the same bytes.

--draw NUMBER trains nothing: it prints 200 of the RECORDS that no list names, those of earlier samples aside, to be labelled by
reading. Some may have been learned from: the record has what the tagger says of them when it has not.
"""

import argparse
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

from catalog import tagging, taxonomy
from catalog.errors import Refused
from catalog.root import find_root
from catalog.tagging import labelled, linear_model, phrases
from scripts import _output, _tagger_sample

RECORD = Path("catalog/tagger_record.json")
READ = Path("tests/fixtures/scope_by_reading.jsonl")  # labelled by reading; never trained on
READERS = Path("tests/fixtures/scope_readers.jsonl")  # samples labelled by two readers or three


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--records", type=Path, required=True, metavar="RECORDS", help="JSON lines with id, title, abstract")
    parser.add_argument("--version", type=int, default=1, help="raise it when the rules or labels changed (default 1)")
    parser.add_argument("--draw", type=int, metavar="NUMBER", help="draw sample NUMBER of records to read, as JSON lines")


def main(args: argparse.Namespace) -> int:
    root = find_root()
    if args.draw is not None:
        return _draw(root, args.records, args.draw)
    try:
        from scripts._tagger_validation import FRESH, validate
    except ImportError:
        raise Refused("laconic tagger needs scikit-learn: pip install -e '.[ml]'", exit_code=2) from None
    labels, read = labelled.load(root), {row["id"]: row for row in _rows(root / READ)}
    first = {row["id"] for row in _rows(root / labelled.EXAMPLES) if row.get("sample") == 1}
    fresh = [row for row in _rows(root / READERS) if row["sample"] in FRESH]
    texts = _texts(args.records, set(labels.claims) | set(labels.unlisted) | set(read) | {row["id"] for row in fresh})
    tree = taxonomy.load(root)
    rules = phrases.load(root, tree)
    reader = tagging.Tagger(tree, rules, linear_model.from_json(args.version, {}))
    found = {key: linear_model.features(reader.read(*texts[key])) for key in sorted(texts)}
    _output.note(f"{len(found)} records with an abstract")
    record, model = validate(labels, read, first, fresh, found, reader)
    inputs = "".join(json.dumps([key, *texts[key]]) for key in sorted(texts))
    record["texts_sha256"] = hashlib.sha256(inputs.encode()).hexdigest()
    (root / linear_model.FILE).write_text(as_text({"version": args.version, **model}), "utf-8")
    (root / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    form, scope = record["form"]["cross_validation"], record["scope"]["by_reading"]
    everything = record["scope"]["all_that_no_list_names"]
    for sample in FRESH:
        one = record["scope"]["fresh_samples"][f"sample {sample}"][0]
        interval = f"[{one['low']:.3f}, {one['high']:.3f}]"
        _output.line(f"in scope, F1:   {one['in_f1']:.3f}  {interval} of sample {sample}, which was not learned from for this")
    _output.line(f"form, macro-F1: {form['macro_f1']:.3f}  [{form['low']:.3f}, {form['high']:.3f}]")
    _output.line(f"in scope, F1:   {scope['in_f1']:.3f}  [{scope['low']:.3f}, {scope['high']:.3f}] of the sample that was read")
    low, high = everything["interval"]
    _output.line(f"in scope, F1:   {everything['in_f1']:.3f}  [{low:.3f}, {high:.3f}] of all that no list names")
    return 0


def _draw(root: Path, path: Path, number: int) -> int:
    earlier = {row["id"] for row in _rows(root / READERS) if row["sample"] < number}
    texts = _texts(path, None)
    for key, stratum in _tagger_sample.draw({key: texts[key] for key in texts.keys() - earlier}, number).items():
        _output.line(json.dumps({"id": key, "stratum": stratum}))
    return 0


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _texts(path: Path, wanted: set[str] | None) -> dict[str, tuple[str, str]]:
    """Title and abstract of the wanted records, or all, that have both; without `wanted`, none that a list is said to name."""
    texts: dict[str, tuple[str, str]] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = json.loads(line)
                    chosen = row["id"] in wanted if wanted is not None else not row.get("in_survey_lists")
                    if chosen and row["title"] and (row.get("abstract") or "").strip():
                        texts[row["id"]] = (row["title"], row["abstract"])
                except (ValueError, KeyError, TypeError) as error:
                    raise Refused(f"{path}:{number}: not a record with id, title and abstract ({type(error).__name__})") from None
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror or error})") from None
    return texts


def as_text(model: dict[str, Any]) -> str:
    """JSON with one term a line, so that a change can be read."""
    heads = []
    for name in (linear_model.SCOPE, linear_model.FORM):
        head = model[name]
        terms = ",\n".join(f"{json.dumps(term)}: {json.dumps(row)}" for term, row in head["terms"].items())
        rest = f'"classes": {json.dumps(head["classes"])}, "bias": {json.dumps(head["bias"])}'
        heads.append(f'"{name}": {{{rest}, "terms": {{\n{terms}\n}}}}')
    return f'{{"version": {model["version"]},\n' + ",\n".join(heads) + "}\n"
