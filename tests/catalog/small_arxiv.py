"""A made-up arXiv: papers with versions, and the three kinds of document in which it tells of them.

Ids exist nowhere and titles are ours. A version is announced on the day it is submitted; nothing later than `today` is told.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from xml.sax.saxutils import escape

CANARY = "1706.03762"

_ATOM = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom" '
    'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom">'
)


@dataclass(frozen=True)
class Version:
    title: str
    day: str
    withdrawn: bool = False


@dataclass
class SmallArxiv:
    """`records`: id → (title, day). Each has two versions from the start; `revisions` are those that came later."""

    records: dict[str, tuple[str, str]] = field(default_factory=lambda: {CANARY: ("A record that is always there", "2017-06-12")})
    revisions: dict[str, list[Version]] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    today: str = "9999-12-31"
    oai_page: int = 2

    def revise(self, number: str, title: str, day: str, *, withdrawn: bool = False) -> None:
        self.revisions.setdefault(number, []).append(Version(title, day, withdrawn))

    def versions(self, number: str) -> list[Version]:
        """Those announced so far; none where the paper is not known yet."""
        if number not in self.records:
            return []
        title, day = self.records[number]
        known = [Version(title, day), Version(title, day), *self.revisions.get(number, [])]
        return [version for version in known if version.day <= self.today]

    def known(self) -> list[str]:
        return sorted((number for number in self.records if self.versions(number)), key=lambda n: (self.records[n][1], n))

    def atom(self, query: dict[str, str], *, shift: int = 0, sorted_: bool = True) -> bytes:
        """A page of the query API, which begins `shift` entries early."""
        start, size = int(query["start"]), int(query["max_results"])
        if query.get("id_list"):
            found = [name for name in query["id_list"].split(",") if self._entry(name)]
        else:
            window = query["search_query"].rpartition("submittedDate:[")[2]
            first, last = window[:8], window[16:24]
            found = [number for number in self.known() if first <= self.records[number][1].replace("-", "") <= last]
        if not sorted_:
            found.sort(key=lambda number: number[::-1])
        begin = max(start - shift, 0)
        entries = "".join(map(self._entry, found[begin : begin + size]))
        return f"{_ATOM}<opensearch:totalResults>{len(found)}</opensearch:totalResults>{entries}</feed>\n".encode()

    def _entry(self, name: str) -> str:
        """`2501.00011`, or `2501.00011v1` for an earlier version; nothing where it is not known."""
        number, printed = re.fullmatch(r"(.+?)(?:v(\d+))?", name).groups()  # type: ignore[union-attr]
        versions = self.versions(number)
        count = int(printed or len(versions))
        if not 0 < count <= len(versions):
            return ""
        version, comment = versions[count - 1], self.comments.get(number)
        if version.withdrawn:
            comment = "This paper has been withdrawn"
        return (
            f"<entry><id>http://arxiv.org/abs/{number}v{count}</id><title>{escape(version.title)}</title>"
            f"<updated>{version.day}T12:00:00Z</updated><published>{versions[0].day}T10:00:00Z</published>"
            f"<summary>What {escape(version.title)} is about.</summary><author><name>Ada Example</name></author>"
            f'<category term="cs.CL"/><arxiv:primary_category term="cs.CL"/>'
            f"{f'<arxiv:comment>{escape(comment)}</arxiv:comment>' if comment else ''}</entry>"
        )

    def rss(self) -> bytes:
        """The mailing of `today`: empty on days without."""
        items = ""
        for number in self.known():
            versions = self.versions(number)
            if versions[-1].day != self.today:
                continue
            kind, title = "new" if versions[0].day == self.today else "replace", versions[-1].title
            items += (
                f"<item><title>{escape(title)}</title><link>https://arxiv.org/abs/{number}</link>"
                f"<description>arXiv:{number}v{len(versions)} Announce Type: {kind} \nAbstract: What {escape(title)} is about."
                f'</description><guid isPermaLink="false">oai:arXiv.org:{number}v{len(versions)}</guid>'
                f"<category>cs.CL</category></item>"
            )
        stamp = date.fromisoformat(self.today).strftime("%a, %d %b %Y 00:00:00 -0500")
        return f'<?xml version="1.0"?><rss version="2.0"><channel><pubDate>{stamp}</pubDate>{items}</channel></rss>'.encode()

    def oai(self, query: dict[str, str]) -> bytes:
        """A page of arXivRaw records changed since a day. A token holds for the day on which it was given."""
        since, start, given = query.get("from", ""), 0, self.today
        if token := query.get("resumptionToken"):
            since, start_text, given = token.split("/")
            start = int(start_text)
        changed = [number for number in self.known() if self.versions(number)[-1].day >= since]
        if given != self.today:
            told = '<error code="badResumptionToken">expired</error>'
        elif not changed:
            told = '<error code="noRecordsMatch">nothing</error>'
        else:
            end = start + self.oai_page
            rest = f"{since}/{end}/{self.today}" if end < len(changed) else ""
            records = "".join(map(self._raw, changed[start:end]))
            told = f"<ListRecords>{records}<resumptionToken>{rest}</resumptionToken></ListRecords>"
        return (
            '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
            f"<responseDate>{self.today}T05:00:00Z</responseDate>{told}</OAI-PMH>"
        ).encode()

    def _raw(self, number: str) -> str:
        versions = ""
        for count, version in enumerate(self.versions(number), 1):
            moment = format_datetime(_noon(version.day), usegmt=True)
            size, source = ("0kb", "I") if version.withdrawn else ("12kb", "D")
            facts = f"<date>{moment}</date><size>{size}</size><source_type>{source}</source_type>"
            versions += f'<version version="v{count}">{facts}</version>'
        newest = self.versions(number)[-1]
        return (
            f"<record><header><identifier>oai:arXiv.org:{number}</identifier><datestamp>{newest.day}</datestamp></header><metadata>"
            f'<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{number}</id>{versions}<title>{escape(newest.title)}</title>'
            f"<categories>cs.CL</categories><abstract>What {escape(newest.title)} is about.</abstract></arXivRaw>"
            "</metadata></record>"
        )


def _noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(12), UTC)
