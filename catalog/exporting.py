"""Database → snapshot: the crawl as text. Facts only, sorted, one record a line; the bytes change only with the data.

No abstracts. What a mirror served goes out with title, authors and categories alone: its dates and versions may be
estimates. Success days, validators and the run log stay in the database.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from catalog.errors import Refused
from catalog.labels import MACHINE
from catalog.schema import (
    ARXIV,
    ENTRY,
    LISTED,
    SCHEMA_VERSION,
    Author,
    Facet,
    FormerTitle,
    Mention,
    Paper,
    PaperVersion,
    Repository,
    SourceState,
)


def export(session: Session, folder: Path) -> dict[str, int]:
    """Writes the snapshot into `folder`; counts of papers and mentions.

    Raises `Refused`, and writes nothing, where the folder holds records that this database lacks: papers and mentions
    are never removed, so such a database was not filled from that snapshot.
    """
    lists: dict[str, list[Mention]] = defaultdict(list)
    for mention in session.exec(select(Mention).order_by(col(Mention.line), col(Mention.key))):
        lists[mention.list_name].append(mention)
    papers = _papers(session)
    files = {"papers.jsonl": _lines(papers)}
    for name, mentions in lists.items():
        files[f"listings/{name}.jsonl"] = _lines([_mention(mention) for mention in mentions])
    files["repositories.jsonl"] = _lines(_repositories(session))
    files["state.json"] = json.dumps(_state(session), indent=1, sort_keys=True) + "\n"
    _refuse_loss(folder, files)
    try:
        for name, content in files.items():
            _write(folder / name, content)
    except OSError as error:
        raise Refused(f"{error.filename or folder}: cannot be written ({error.strerror})") from None
    return {"papers": len(papers), "mentions": sum(map(len, lists.values())), "lists": len(lists)}


def _papers(session: Session) -> list[dict[str, Any]]:
    authors: dict[str, list[str]] = defaultdict(list)
    for author in session.exec(select(Author).order_by(col(Author.paper_key), col(Author.position))):
        authors[author.paper_key].append(author.name)
    former: dict[str, list[dict[str, str]]] = defaultdict(list)
    for title in session.exec(select(FormerTitle).order_by(col(FormerTitle.replaced_on), col(FormerTitle.title))):
        former[title.paper_key].append({"title": title.title, "replaced_on": title.replaced_on.isoformat()})
    versions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for seen in session.exec(select(PaperVersion).order_by(col(PaperVersion.paper_key), col(PaperVersion.number))):
        if seen.served_by == ARXIV:
            version = {"number": seen.number, "submitted": seen.submitted.isoformat(), "withdrawn": seen.withdrawn}
            versions[seen.paper_key].append(_said(version))
    labels: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for label in session.exec(select(Facet).where(Facet.origin == MACHINE)):
        said = {name: getattr(label, name) for name in ("facet", "tag", "source", "confidence", "evidence")}
        labels[label.paper_key].append(_said(said))
    records = []
    for paper in sorted(session.exec(select(Paper)), key=lambda paper: paper.key):
        if paper.found_by == ENTRY and paper.status == LISTED:
            continue  # the entry itself says all of it
        tags = sorted(labels[paper.key], key=lambda label: (label["facet"], label["tag"], label["source"]))
        record = _paper(paper, authors[paper.key], former[paper.key])
        records.append({**record, "versions": versions[paper.key], "labels": tags})
    return records


def _paper(paper: Paper, authors: list[str], former: list[dict[str, str]]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "key": paper.key,
        "title": paper.title,
        "status": paper.status,
        "authors": authors,
        "categories": sorted(paper.categories),
        "primary_category": paper.primary_category,
        "withdrawn": paper.withdrawn,
        "former_titles": former,
        "merged_into": paper.merged_into,
        "served_by": paper.served_by,
        "found_by": paper.found_by,
        "first_seen": paper.first_seen.isoformat(),
    }
    if paper.served_by == ARXIV:
        record |= {
            "published": paper.published and paper.published.isoformat(),
            "updated": paper.updated and paper.updated.isoformat(),
            "version": paper.version,
            "comment": paper.comment,
            "doi": paper.doi,
            "journal_ref": paper.journal_ref,
        }
    return record


def _mention(mention: Mention) -> dict[str, Any]:
    return {
        "line": mention.line,
        "section": mention.section,
        "title": mention.title,
        "urls": mention.urls,
        "printed_id": mention.printed_id,
        "printed_date": mention.printed_date,
        "paper": mention.paper_key,
        "resolution": mention.resolution,
        "defects": mention.defects,
        "file_sha256": mention.file_sha256,
        "first_seen": mention.first_seen.isoformat(),
        "gone_on": mention.gone_on and mention.gone_on.isoformat(),
    }


def _repositories(session: Session) -> list[dict[str, Any]]:
    records = []
    for repository in sorted(session.exec(select(Repository)), key=lambda repository: repository.name):
        facts = {name: getattr(repository, name) for name in ("name", "state", "moved_to", "archived", "licence")}
        records.append({**facts, "pushed_on": repository.pushed_on and repository.pushed_on.isoformat()})
    return records


def _state(session: Session) -> dict[str, Any]:
    sources = {}
    for state in session.exec(select(SourceState)):
        facts = {"sha256": state.sha256, "parser": state.parser, "entries": state.entries}
        facts |= {"moved_to": state.moved_to, "held_entries": state.held_entries}
        sources[state.name] = _said({**facts, "last_new": state.last_new and state.last_new.isoformat()})
    return {"schema_version": SCHEMA_VERSION, "sources": sources}


def _lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(_said(record), ensure_ascii=False) + "\n" for record in records)


def _said(record: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty: most fields of most records are."""
    return {key: value for key, value in record.items() if value not in (None, [], False, "")}


def _refuse_loss(folder: Path, files: dict[str, str]) -> None:
    for path in [folder / "papers.jsonl", *sorted((folder / "listings").glob("*.jsonl"))]:
        name = path.relative_to(folder).as_posix()
        kept = _identities(files.get(name, ""))
        try:
            standing = _identities(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, ValueError):
            continue  # not there, or no snapshot: `import` is the one to judge it
        if lost := sorted(standing - kept):
            raise Refused(
                f"{path}: holds {len(lost)} records that this database lacks, such as {lost[0][:120]}; "
                "run `laconic import` first, or export into another folder"
            )


def _identities(text: str) -> set[str]:
    found = set()
    for line in filter(None, text.split("\n")):
        record = json.loads(line)
        if isinstance(record, dict):
            parts = [record.get("section", []), record.get("title"), (record.get("urls") or [""])[0]]
            found.add(str(record.get("key")) if "key" in record else json.dumps(parts, ensure_ascii=False))
    return found


def _write(path: Path, content: str) -> None:
    """Whole or not at all, and not touched where nothing changed."""
    data, beside = content.encode(), path.with_name(path.name + ".new")
    try:
        if path.exists() and path.read_bytes() == data:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(data)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)  # what this run, or one that was killed, left half written
