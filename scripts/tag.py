"""Tag records by scope, form and facets, with a confidence and the words that spoke for it.

FILE has one JSON object a line: arxiv_id (or id), title and abstract; an abstract that is null is done without.
"""

import argparse
import json
from pathlib import Path

from catalog import tagging
from catalog.errors import Refused, nearest
from catalog.root import find_root
from scripts import _output


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def main(args: argparse.Namespace) -> int:
    records = _records(args.file)
    tagger = tagging.load(find_root())
    tagged = [(arxiv_id, tagger.tag(title, abstract)) for arxiv_id, title, abstract in records]
    if args.json:
        _output.document({"papers": [tagging.to_json(arxiv_id, tags) for arxiv_id, tags in tagged]})
        return 0
    _output.table(
        ["id", "scope", "form", "confidence", "facets", "evidence"],
        [
            (
                arxiv_id,
                tags.scope,
                tags.form,
                f"{tags.confidence:.2f}",
                "; ".join(f"{facet}: {', '.join(found)}" for facet, found in tags.facets.items()),
                ", ".join(dict.fromkeys(evidence.phrase for evidence in tags.evidence[:6])),
            )
            for arxiv_id, tags in tagged
        ],
    )
    return 0


def _records(path: Path) -> list[tuple[str, str, str]]:
    """(id, title, abstract) of each line. Raises `Refused` (exit 1) naming file, line and key."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror})") from None
    return [_record(line, f"{path}:{number}") for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]


def _record(line: bytes, here: str) -> tuple[str, str, str]:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise Refused(f"{here}: not UTF-8 (byte {error.start} of the line)") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{here}: not JSON ({error})") from None
    if not isinstance(row, dict):
        raise Refused(f"{here}: must be an object with arxiv_id, title and abstract, not {type(row).__name__}")
    name = "arxiv_id" if "arxiv_id" in row else "id"
    for key in (name, "title", "abstract"):
        if key not in row:
            raise Refused(f"{here}: {'arxiv_id' if key == 'id' else key}: missing{nearest(key, map(str, row))}")
        if not isinstance(row[key], str) and not (key == "abstract" and row[key] is None):
            raise Refused(f"{here}: {key}: must be a text in quotes, not {json.dumps(row[key])[:80]}")
    if not row[name].strip() or not row["title"].strip():
        raise Refused(f"{here}: {name if not row[name].strip() else 'title'}: is empty")
    return row[name].strip(), row["title"], row["abstract"] or ""
