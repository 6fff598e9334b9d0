"""Which paper a listing means. A printed id is a claim: it counts only when its title is the record's, or was once.

A person's decision comes first of all. Resolutions: `confirmed`, title and record agree; `repaired`, the printed id is
wrong, malformed or missing and the title is, letter for letter, that of one confirmed record or of another list's
confirmed listing; `conflict`, the id leads to another paper and nothing proves the right one; `unverified`, nothing speaks
against it, but no record was seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from catalog import arxiv_id
from catalog.lists.decisions import Decided, Decision
from catalog.lists.defects import Defect, defect
from catalog.text import fold, same_title, title_key

COMPARED = 30  # titles printed for one id; a handful in any real list


class Listing(Protocol):
    """What resolving reads of a listing: a parsed entry or a stored mention."""

    @property
    def title(self) -> str: ...
    @property
    def printed_id(self) -> str | None: ...


@dataclass(frozen=True)
class Resolved:
    """`key` is the paper's; `defects` say how what was printed differs from that."""

    resolution: str
    key: str
    defects: tuple[Defect, ...] = ()

    @property
    def arxiv_id(self) -> str | None:
        return None if self.key.startswith("title-") else self.key


Titles = Mapping[str, list[str]]  # arXiv id → the record's title, then its former ones


def resolve(listings: Iterable[Listing], records: Titles, decided: Decided | None = None) -> list[Resolved]:
    """One answer per listing, in order. `records` holds confirmed records only."""
    listings = list(listings)
    agreed = [_agrees(listing, records) for listing in listings]
    known = _by_title(listings, agreed, records)
    rivals = _rivals(listings, records)
    resolved = []
    for listing, agrees in zip(listings, agreed):
        well_formed = arxiv_id.bare(listing.printed_id or "")
        if decided and (said := decided.of(listing.title, listing.printed_id, getattr(listing, "list_name", None))):
            resolved.append(_decided(said, listing))
            continue
        if agrees and well_formed:
            resolved.append(Resolved("confirmed", well_formed, _wording(listing.title, records[well_formed])))
            continue
        proof = known.get(fold(listing.title), set()) - {well_formed}
        if len(proof) == 1:
            right = proof.pop()
            why = _why(listing.printed_id, well_formed, records, right)
            resolved.append(Resolved("repaired", right, (defect("id_repaired", why),)))
        elif well_formed and not fold(listing.title):
            resolved.append(Resolved("unverified", well_formed))  # nothing to compare, so nothing against it
        elif well_formed in records:
            resolved.append(_conflict(listing, f"{well_formed} is “{records[str(well_formed)][0]}”"))
        elif well_formed and (other := rivals.get((well_formed, fold(listing.title)))):
            resolved.append(_conflict(listing, f"{well_formed} is printed for “{other}” too"))
        else:
            resolved.append(Resolved("unverified", well_formed or title_key(listing.title)))
    return resolved


def _decided(said: Decision, listing: Listing) -> Resolved:
    if said.arxiv is None:
        return Resolved("unverified", title_key(listing.title), (defect("not_a_paper", said.reason),))
    as_printed = said.arxiv == arxiv_id.bare(listing.printed_id or "")
    return Resolved("confirmed" if as_printed else "repaired", said.arxiv, (defect("decided", said.reason),))


def _conflict(listing: Listing, detail: str) -> Resolved:
    return Resolved("conflict", title_key(listing.title), (defect("id_of_another_paper", detail),))


def _wording(title: str, record: list[str]) -> tuple[Defect, ...]:
    """How a title that names the record differs from the record's own wording."""
    now, *former = record
    if fold(title) == fold(now):
        return ()
    if not same_title(title, now) or fold(title) in map(fold, former):
        return (defect("retitled", f"now “{now}”"),)
    return (defect("title_variant", f"the record says “{now}”"),)


def _agrees(listing: Listing, records: Titles) -> bool:
    number = arxiv_id.bare(listing.printed_id or "")
    return number in records and any(same_title(listing.title, title) for title in records[str(number)])


def _by_title(listings: list[Listing], agreed: list[bool], records: Titles) -> dict[str, set[str]]:
    """Folded title → the confirmed ids it stands for: as records have it, and as agreeing lists print it."""
    known: dict[str, set[str]] = defaultdict(set)
    for number, titles in records.items():
        for title in titles:
            known[fold(title)].add(number)
    for listing, agrees in zip(listings, agreed):
        if agrees:
            known[fold(listing.title)].add(str(arxiv_id.bare(listing.printed_id or "")))
    return known


def _rivals(listings: list[Listing], records: Titles) -> dict[tuple[str, str], str]:
    """(id, folded title) → the title that has the better claim to an id which no record settles.

    Rows are copied and their link forgotten, so one id may stand for two titles; the one printed most often keeps it.
    """
    printed: dict[str, list[str]] = defaultdict(list)
    for listing in listings:
        number = arxiv_id.bare(listing.printed_id or "")
        if number and number not in records:
            printed[number].append(listing.title)
    rivals = {}
    for number, titles in printed.items():
        several = len(set(titles)) <= COMPARED  # beyond that, comparing all with all would let one list stall the crawl
        support = {
            title: sum(same_title(title, other) for other in titles) if several else titles.count(title) for title in set(titles)
        }
        best = min(support, key=lambda title: (-support[title], title))
        for title in support:
            if not same_title(title, best):
                rivals[number, fold(title)] = best
    return rivals


def _why(printed: str | None, well_formed: str | None, records: Titles, right: str) -> str:
    if not printed:
        return f"no arXiv link; the title is that of {right}"
    if not well_formed:
        return f"{printed} is no arXiv id; the title is that of {right}"
    if well_formed in records:
        return f"{printed} is “{records[well_formed][0]}”; the title is that of {right}"
    return f"no record of {printed} was seen; the title is that of {right}"
