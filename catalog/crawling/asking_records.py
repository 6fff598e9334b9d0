"""Which records are worth a request, and fetching them: batches of ids, with a canary in each."""

from datetime import date, timedelta

from sqlmodel import Session, col, select

from catalog import arxiv_id
from catalog.announcements import announcement_days
from catalog.crawling.asking import Asking
from catalog.records import note_asked, store_former, store_records
from catalog.schema import CONFIRMED, PRINTED_ID, AskedId, Mention, Paper
from catalog.sources import polite
from catalog.sources.arxiv_query import BATCH_IDS, BrokenRecord, Record

BATCH = BATCH_IDS - 1  # the canary is the last one
YOUNG = timedelta(days=2)  # an id that arXiv does not know is asked for with each mailing while it is new,
REST = timedelta(days=7)  # then weekly, all of them in one go
MOST_VERSIONS = 5
MOST_BROKEN = 5


def ask(asking: Asking, named: set[str], *, abstracts: bool) -> None:
    """Fetches and stores, batch by batch; what fails is reported in `asking.problems`."""
    ids = _wanted(asking.session, named, abstracts=abstracts, today=asking.today)
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        asking.say(f"arXiv: records {start + 1}–{start + len(batch)} of {len(ids)}")
        try:
            _store(asking, *_fetch(asking, batch))
        except polite.FetchError as error:
            # One batch may hold what arXiv stumbles over; after two it is arXiv itself, and is left in peace.
            again = asking.lost or not isinstance(error, polite.BadAnswer)
            asking.lost += len(ids) - start if again else len(batch)
            asking.problems.append(str(error))
            if again:
                break


def _fetch(asking: Asking, batch: list[str]) -> tuple[list[str], list[Record]]:
    """The batch and its records, both without those that arXiv gives only in part: they must not hold up the others."""
    for _ in range(MOST_BROKEN):
        try:
            return batch, asking.records(batch)
        except BrokenRecord as broken:
            rest = [name for name in batch if _bare(name) != broken.arxiv_id]
            if len(rest) == len(batch):
                raise  # the canary itself
            asking.broken.append(str(broken))
            batch = rest
    return batch, asking.records(batch)


def _bare(name: str) -> str | None:
    printed = arxiv_id.read(name)
    return printed.bare if printed else None


def _store(asking: Asking, batch: list[str], records: list[Record]) -> None:
    session, names = asking.session, set(batch)
    asking.succeeded = True
    former = [record for record in records if f"{record.arxiv_id}v{record.version}" in names]
    current = [record for record in records if record.arxiv_id in names and record not in former]
    counts = store_records(session, current, found_by=PRINTED_ID, served_by=asking.server, today=asking.today)
    asking.counts.add(counts)
    store_former(session, former, asking.server)
    note_asked(session, batch, [record.arxiv_id for record in current], asking.today)
    asking.commit()


def _wanted(session: Session, named: set[str], *, abstracts: bool, today: date) -> list[str]:
    """Ids without a record, records out of date, titles that a list may know from an earlier version.

    What room the last batch leaves goes to the records that were seen longest ago: titles change, papers are withdrawn.
    """
    rows = session.exec(select(Paper).where(col(Paper.arxiv_id).is_not(None))).all()
    confirmed = {paper.key: paper for paper in rows if paper.status == CONFIRMED}
    first_seen = {paper.key: paper.first_seen for paper in rows}
    asked = {row.arxiv_id: row for row in session.exec(select(AskedId))}

    def rests(number: str) -> bool:
        before = asked.get(number)
        if before is None or before.known:
            return False
        young = before.asked_on - first_seen.get(number, before.asked_on) < YOUNG
        return announcement_days(before.asked_on, today) == 0 if young else today - before.asked_on < REST

    wanted = {number for number in (named | set(first_seen)) - set(confirmed) if not rests(number)}
    for key, paper in confirmed.items():
        if (paper.announced_version or 0) > (paper.version or 0) or (abstracts and not paper.abstract):
            wanted.add(key)
    wanted |= _earlier_versions(session, confirmed) - set(asked)
    wanted = {number for number in wanted if number not in asked or asked[number].asked_on != today}
    room = -len(wanted) % BATCH
    if wanted and room:
        idle = [key for key in set(first_seen) - wanted if key not in asked or asked[key].asked_on != today]
        idle.sort(key=lambda key: (asked[key].asked_on if key in asked else date.min, key))
        wanted |= set(idle[:room])
    return sorted(wanted)


def _earlier_versions(session: Session, confirmed: dict[str, Paper]) -> set[str]:
    """`2508.03440v1` and so on, for papers that a list names by a title which is not the record's."""
    doubted = select(Mention.printed_id).where(Mention.resolution == "conflict", col(Mention.gone_on).is_(None))
    names = set()
    for printed in session.exec(doubted):
        paper = confirmed.get(printed or "")
        if paper is not None and paper.version:
            names |= {f"{paper.key}v{number}" for number in range(1, paper.version)[-MOST_VERSIONS:]}
    return names
