"""What waits for a person: each item with its evidence, and with what to write where to decide it."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from catalog import arxiv_id
from catalog.clock import today
from catalog.labels import CURATED, MACHINE
from catalog.lists import decisions, mentions
from catalog.lists.nearest_titles import Titles
from catalog.schema import CrawlRun, Facet, Mention, Paper, SourceState
from catalog.text import fold

KINDS = {
    "conflict": "the printed id leads to another paper and nothing proves the right one",
    "unresolved": "no id is printed, or a malformed one, and no record has the title",
    "doubtful": "a link or a repository that may be another paper's",
    "list": "a followed list that moved, shrank or failed",
    "tag": "a label the tagger is not sure of",
    "decision": "a decision that fits no listing",
    "unseen": "a well-formed id whose record was not seen yet",
}
DOUBTFUL = frozenset({"paper_link_as_code", "shared_code", "code_differs", "malformed_link", "several_ids"})
LIKELY = 0.8  # a nearest title from here on fills in the id; below, the person does
UNSURE = 0.6  # a machine label below this confidence is shown
WHERE = "catalog/decisions.toml"


@dataclass
class Item:
    """`evidence` are lines to read; `candidates` are `arxiv_id, title, score`; `decide` is text to add to `where`."""

    kind: str
    subject: str
    places: list[dict[str, Any]] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    candidates: list[dict[str, Any]] = field(default_factory=list)
    where: str = ""
    decide: str = ""


def items(session: Session, root: Path) -> list[Item]:
    """All that waits, in the order of `KINDS`. Raises `Refused` where the decisions are malformed."""
    present = list(session.exec(select(Mention).where(col(Mention.gone_on).is_(None))))
    records = mentions.confirmed_titles(session)
    found = [
        *_listings(present, records),
        *_doubtful(present),
        *_lists(session),
        *_tags(session),
        *_unused(present, decisions.load(root)),
    ]
    order = list(KINDS)
    return sorted(found, key=lambda item: (order.index(item.kind), -_best(item), fold(item.subject)))


def _best(item: Item) -> float:
    return max((candidate["score"] for candidate in item.candidates), default=0.0)


def _listings(present: list[Mention], records: dict[str, list[str]]) -> Iterator[Item]:
    groups: dict[tuple[str, str], list[Mention]] = defaultdict(list)
    printing: dict[str, set[str]] = defaultdict(set)
    titles = Titles(records)
    for mention in sorted(present, key=lambda each: (each.list_name, each.line)):
        if mention.printed_id:
            printing[mention.printed_id].add(mention.list_name)
        if mention.resolution in ("conflict", "unverified") and not _told(mention, "not_a_paper"):
            groups[fold(mention.title), mention.printed_id or ""].append(mention)
    for (_, printed), group in groups.items():
        first, number = group[0], arxiv_id.bare(printed)
        kind = "conflict" if first.resolution == "conflict" else "unseen" if number else "unresolved"
        item = Item(kind, first.title, [_place(mention) for mention in group], where=WHERE)
        item.evidence += sorted({said for mention in group for said in _told(mention, "ids_differ", "id_of_another_paper")})
        if others := sorted(printing[printed] - {mention.list_name for mention in group}):
            item.evidence.append(f"{printed} is printed by {', '.join(others)} too, for another title")
        if kind != "unseen":
            near = titles.nearest(first.title)
            item.candidates = [{"arxiv_id": key, "title": title, "score": score} for score, key, title in near]
        item.decide = _decision(group, item.candidates)
        yield item


def _told(mention: Mention, *kinds: str) -> list[str]:
    return [defect["detail"] for defect in mention.defects if defect["kind"] in kinds]


def _place(mention: Mention) -> dict[str, Any]:
    return {
        "list": mention.list_name,
        "line": mention.line,
        "section": mention.section,
        "printed_id": mention.printed_id,
        "url": mention.urls[0] if mention.urls else None,
    }


def _decision(group: list[Mention], candidates: list[dict[str, Any]]) -> str:
    """A table for `decisions.toml`. Its reason is left to be written, and so is an id that nothing makes likely."""
    lists = sorted({mention.list_name for mention in group})
    lines = ["[[decision]]", f"title = {json.dumps(group[0].title, ensure_ascii=False)}"]
    lines += [f"printed = {json.dumps(group[0].printed_id)}"] if group[0].printed_id else []
    lines += [f"list = {json.dumps(lists[0])}"] if len(lists) == 1 else []
    likely = candidates[0]["arxiv_id"] if candidates and candidates[0]["score"] >= LIKELY else ""
    lines += [f'arxiv = "{likely}"  # or: not_a_paper = true', 'reason = ""', f"decided = {today().isoformat()}"]
    return "\n".join(lines) + "\n"


def _doubtful(present: list[Mention]) -> Iterator[Item]:
    for mention in sorted(present, key=lambda each: (each.list_name, each.line)):
        told = [f"{each['kind']}: {each['detail']}" for each in mention.defects if each["kind"] in DOUBTFUL]
        if told:
            yield Item("doubtful", mention.title, [_place(mention)], [*told, *mention.urls], where="the list itself")


def _lists(session: Session) -> Iterator[Item]:
    """Lists the last runs had trouble with; a list may be held back until a person has looked."""
    last: dict[str, dict[str, Any]] = {}
    for run in session.exec(select(CrawlRun).order_by(col(CrawlRun.id))):
        last |= {source["name"]: source for source in run.sources}
    for state in sorted(session.exec(select(SourceState)), key=lambda each: each.name):
        source, evidence = last.get(state.name, {}), []
        if state.moved_to:
            evidence.append(f"moved to {state.moved_to}")
        if state.held_entries is not None:
            evidence.append(f"{state.held_entries} entries where there were {state.entries}; those missing are kept")
        if source.get("outcome") in ("failed", "partial") and source.get("detail"):
            evidence.append(str(source["detail"]))
        if evidence:
            said = 'repository = "OWNER/NAME"' if state.moved_to else "laconic update --accept-shrunken"
            where = "catalog/sources.toml" if state.moved_to else "command line"
            yield Item("list", state.name, [], list(dict.fromkeys(evidence)), where=where, decide=said)


def _tags(session: Session) -> Iterator[Item]:
    unsure = select(Facet, Paper.title).join(Paper, col(Paper.key) == Facet.paper_key)
    unsure = unsure.where(Facet.origin == MACHINE, col(Facet.confidence) < UNSURE, col(Paper.merged_into).is_(None))
    decided = set(session.exec(select(Facet.paper_key, Facet.facet).where(Facet.origin == CURATED)))
    for facet, title in session.exec(unsure.order_by(col(Facet.confidence), col(Facet.paper_key), col(Facet.facet))):
        if (facet.paper_key, facet.facet) in decided:
            continue
        evidence = [f"{facet.paper_key}: {facet.facet} = {facet.tag}, confidence {facet.confidence:.2f} ({facet.source})"]
        evidence += [str(facet.evidence)] if facet.evidence else []
        decide = f'[facets]\n{facet.facet} = ["{facet.tag}"]\n'
        yield Item("tag", title, [], evidence, where="catalog/entries/<slug>.toml", decide=decide)


def _unused(present: list[Mention], decided: decisions.Decided) -> Iterator[Item]:
    for each in decided.all:
        same = [mention for mention in present if decided.of(mention.title, mention.printed_id, mention.list_name) is each]
        if not same:
            near = [mention for mention in present if fold(mention.title) == fold(each.title)]
            evidence = [f"list {each.list or 'any'}, printed {each.printed or 'nothing'}: no listing is like that"]
            evidence += [f"{mention.list_name} prints {mention.printed_id or 'no id'} for this title" for mention in near]
            yield Item("decision", each.title, [_place(mention) for mention in near], evidence, where=WHERE)
