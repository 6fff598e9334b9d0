"""What the scheduled steps say of a crawl: commit messages, proposals and the run's summary. Standard library alone.

Nothing that a list or a server wrote goes into a commit message or a proposal but ids, counts and names of a checked
shape: a title could close an issue, skip a build or call a person. The summary shows it defused.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

ARXIV_ID = re.compile(r"\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7}")
REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?!\.+$)[A-Za-z0-9._-]{1,100}", re.ASCII)
RAW = re.compile(r"https://(?:raw\.githubusercontent|github)\.com/([^/]+/[^/]+)(?:/.*)?")
SOURCES = Path("catalog/sources.toml")
NAMED_IDS = 20  # a commit message names no more


def message(before: Path, after: Path) -> str:
    """A commit message: what the snapshot `after` has that `before` had not."""
    parts, ids = [], []
    files = ["papers.jsonl", "repositories.jsonl", *sorted(f"listings/{p.name}" for p in (after / "listings").glob("*.jsonl"))]
    new = {"papers": 0, "repositories": 0, "mentions": 0}
    changed = 0
    for name in files:
        old, now = _records(before / name), _records(after / name)
        kind = Path(name).stem if Path(name).stem in new and "/" not in name else "mentions"
        added = now.keys() - old.keys()
        new[kind] += len(added)
        changed += sum(old[key] != now[key] for key in now.keys() & old.keys())
        if name == "papers.jsonl":
            ids = sorted(filter(ARXIV_ID.fullmatch, added))
    parts += [f"{count} new {kind}" for kind, count in new.items() if count]
    parts += [f"{changed} records changed"] if changed else []
    first = "Catalog: " + (", ".join(parts) or "what is known of the sources")
    more = f" and {len(ids) - NAMED_IDS} more" if len(ids) > NAMED_IDS else ""
    return first + (f"\n\narXiv {', '.join(ids[:NAMED_IDS])}{more}" if ids else "")


def _records(path: Path) -> dict[str, str]:
    """Line by identity, as the snapshot's keys have it."""
    found = {}
    for line in path.read_text("utf-8").split("\n") if path.exists() else []:
        if line:
            record = json.loads(line)
            parts = [record.get("section"), record.get("title"), (record.get("urls") or [""])[0]]
            found[str(record.get("key") or record.get("name") or json.dumps(parts))] = line
    return found


def shrunken(crawl: Path) -> list[str]:
    """Names of followed lists that lost a fifth of their entries at once."""
    states = _states(crawl)
    return [name for name in _followed(SOURCES) if states.get(name, {}).get("held_entries") is not None]


def decisions(crawl: Path) -> list[tuple[str, str, str, str]]:
    """(kind, list, name of the branch, where to) for all that a person is to decide."""
    states, found = _states(crawl), []
    for name, repository in _followed(SOURCES).items():
        state = states.get(name, {})
        if (crawl / "accepted" / name).is_dir():
            found.append(("shrunken", name, f"laconic/{_word(name)}-has-{int(state['held_entries'])}-entries", "-"))
        target = _target(str(state.get("moved_to") or ""))
        if target and target.lower() != repository.lower():
            found.append(("moved", name, f"laconic/{_word(name)}-moved-to-{_word(target)}", target))
    return found


def _states(crawl: Path) -> dict[str, dict[str, Any]]:
    sources: dict[str, dict[str, Any]] = json.loads((crawl / "snapshot" / "state.json").read_text("utf-8"))["sources"]
    return sources


def _followed(path: Path) -> dict[str, str]:
    return {each["name"]: each["repository"] for each in tomllib.loads(path.read_text("utf-8"))["list"]}


def _target(said: str) -> str:
    """`OWNER/NAME` where that is what was said, or the address of a file in it; else empty."""
    name = match[1] if (match := RAW.fullmatch(said)) else said
    return name if REPOSITORY.fullmatch(name) else ""


def _word(text: str) -> str:
    """Fit for the name of a branch."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")


def follow(sources: Path, name: str, target: str) -> None:
    """Writes the new repository of the list `name` into sources.toml. Exits with 1 where it finds no such block."""
    text = sources.read_text("utf-8")
    block = re.compile(rf'(name = "{re.escape(name)}"\nrepository = ")[^"\n]*(")')
    if not REPOSITORY.fullmatch(target) or len(block.findall(text)) != 1:
        sys.exit(f"{sources}: cannot write where {name} is now")
    sources.write_text(block.sub(rf"\g<1>{target}\g<2>", text), "utf-8")


def proposal(crawl: Path, kind: str, name: str, target: str) -> str:
    """First line, empty line, text; of a commit and of its pull request alike."""
    state, repository = _states(crawl)[name], _followed(SOURCES)[name]
    if kind == "shrunken":
        return (
            f"Believe that {name} has {int(state['held_entries'])} entries instead of {int(state.get('entries') or 0)}\n\n"
            f"The list https://github.com/{repository} lost a fifth of its entries or more at once. What is missing is kept "
            "until somebody has looked. Merge this to mark it as gone (nothing is deleted); close it to keep it. While the "
            "list stays as it is, the run stays red."
        )
    return (
        f"Follow {name} to {target}\n\n"
        f"https://github.com/{repository} answers that it is now https://github.com/{target}. Nobody is followed unseen: look "
        "whether it is the same list, then merge, or close and take the list out of catalog/sources.toml. Until then what "
        "was known of it is kept, and the run stays red."
    )


def summary(crawl: Path) -> str:
    """A Markdown table of what came of each source; text of others is shown as code, and no runner takes it for a command."""
    told = json.loads((crawl / "update.json").read_text("utf-8"))
    freshness = json.loads((crawl / "status.json").read_text("utf-8"))
    rows = ["| source | outcome | new | changed | failed | requests | detail |", "| --- | --- | --: | --: | --: | --: | --- |"]
    for source in told["sources"]:
        cells = [source[key] for key in ("name", "outcome", "new", "changed", "failed", "requests", "detail")]
        rows.append(f"| {' | '.join(_code(cell) for cell in cells)} |")
    newest = f"newest paper {freshness['newest_announced']}; {'STALE' if freshness['stale'] else 'fresh'}"
    return "\n".join([*rows, "", f"{told['papers_total']} papers; {newest}"])


def _code(cell: object) -> str:
    text = re.sub(r"[^ -~]|[`|]", "?", str(cell))[:300].replace("##[", "## [")
    return f"`{text}`" if text else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, names in {
        "message": ("before", "after"),
        "shrunken": ("crawl",),
        "decisions": ("crawl",),
        "follow": ("sources", "name", "target"),
        "proposal": ("crawl", "kind", "name", "target"),
        "summary": ("crawl",),
    }.items():
        added = verbs.add_parser(verb)
        for name in names:
            added.add_argument(name, type=Path if name in ("before", "after", "crawl", "sources") else str)
    given = vars(parser.parse_args())
    told = globals()[given.pop("verb")](**given)
    if isinstance(told, list):
        told = "\n".join("\t".join(row) if isinstance(row, tuple) else row for row in told)
    if told:
        print(told)


if __name__ == "__main__":
    main()
