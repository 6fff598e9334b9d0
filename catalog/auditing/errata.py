"""Errata: where a survey or a paper prints something else than its own source, with all one needs to check it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from catalog.entries import SLUG, check_arxiv_id
from catalog.errors import Refused, nearest
from catalog.toml import Strict, read

FILE = Path("catalog/errata.toml")


class Work(Strict):
    """What is corrected, and which version of it was read."""

    id: str
    arxiv: Annotated[str, AfterValidator(check_arxiv_id)] | None = None
    title: str
    version: str
    url: str = ""


class Erratum(Strict):
    """`printed` and `found` are in our words; `locator` says where in the source to look.

    `cells` are the audit's cells that it explains, as `TABLE.ROW.METRIC` of the survey. A remark is no error: it says more.
    """

    id: str
    work: str
    kind: Literal["erratum", "remark"] = "erratum"
    place: str
    cells: list[Annotated[str, Field(pattern=r"^[12]\.\d+\.[a-z_]+$")]] = []
    printed: str
    found: str
    evidence: Literal["paper", "official repository", "third party"]
    locator: str
    methods: list[str]

    @property
    def proved(self) -> bool:
        """The source itself was read, not a quote of it, and it says otherwise."""
        return self.evidence != "third party" and self.kind == "erratum"


class _File(Strict):
    checked: str
    work: list[Work]
    erratum: list[Erratum]


@dataclass(frozen=True)
class Errata:
    checked: str  # the day
    works: list[Work]
    errata: list[Erratum]

    def of(self, work: str, *, proved: bool) -> list[Erratum]:
        """What a work prints amiss; remarks apart."""
        return [e for e in self.errata if e.work == work and e.proved is proved and e.kind == "erratum"]

    def remarks(self, work: str) -> list[Erratum]:
        return [erratum for erratum in self.errata if erratum.work == work and erratum.kind == "remark"]


def load(root: Path) -> Errata:
    """Raises `Refused` (exit 1) that names file, key, value and the nearest valid name."""
    raw = read(root / FILE, _File, root)
    works = {work.id for work in raw.work}
    seen: set[str] = set()
    for index, erratum in enumerate(raw.erratum):
        here = f"{FILE}: erratum[{index}] (id {erratum.id!r})"
        if erratum.id in seen:
            raise Refused(f"{here}.id: defined twice")
        seen.add(erratum.id)
        if erratum.work not in works:
            raise Refused(f"{here}.work: unknown work {erratum.work!r}{nearest(erratum.work, works)}")
        for slug in erratum.methods:
            if not SLUG.fullmatch(slug):
                raise Refused(f"{here}.methods: the slug {slug!r} must match {SLUG.pattern}")
    return Errata(raw.checked, raw.work, raw.erratum)
