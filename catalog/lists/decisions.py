"""What people decided about listings that nothing proves (`catalog/decisions.toml`): the strongest proof in resolving."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from catalog import arxiv_id
from catalog.errors import Refused, nearest
from catalog.sources import followed
from catalog.text import fold
from catalog.toml import Strict, read


def _is_id(text: str) -> str:
    if arxiv_id.bare(text) is None:
        raise ValueError("must be an arXiv id without version, such as 2502.12067")
    return text


class Decision(Strict):
    """`list` may be left out where every list means the same; `printed` where the listing prints no arXiv id."""

    title: Annotated[str, Field(min_length=1)]
    printed: str | None = None
    list: str | None = None
    arxiv: Annotated[str, AfterValidator(_is_id)] | None = None
    not_a_paper: bool = False
    reason: Annotated[str, Field(min_length=10)]
    decided: date

    @model_validator(mode="after")
    def _one_outcome(self) -> "Decision":
        if (self.arxiv is None) != self.not_a_paper:
            raise ValueError('say either arxiv = "…" or not_a_paper = true')
        return self


class _File(Strict):
    decision: list[Decision] = []


@dataclass(frozen=True)
class Decided:
    """The decisions, found by what a listing prints."""

    all: tuple[Decision, ...] = ()
    _by_print: dict[tuple[str, str], list[Decision]] = field(default_factory=dict, repr=False)

    def of(self, title: str, printed: str | None, list_name: str | None) -> Decision | None:
        """The decision about a listing; one about its own list first. `list_name` None: whichever list it may be."""
        found = self._by_print.get((fold(title), printed or ""), [])
        fitting = [each for each in found if list_name is None or each.list in (None, list_name)]
        return min(fitting, key=lambda each: each.list is None, default=None)


def load(root: Path) -> Decided:
    """Raises `Refused` naming file, key and value for what is malformed, unknown or decided twice."""
    path = root / "catalog" / "decisions.toml"
    if not path.exists():
        return Decided()
    decided = read(path, _File, root).decision
    names = [each.name for each in followed.load(root).list]
    by_print: dict[tuple[str, str], list[Decision]] = {}
    for place, each in enumerate(decided):
        where = f"{path.relative_to(root)}: decision[{place}]"
        if each.list is not None and each.list not in names:
            raise Refused(f"{where}.list: unknown list {each.list!r}{nearest(each.list, names)}")
        known = by_print.setdefault((fold(each.title), each.printed or ""), [])
        if any(other.list == each.list for other in known):
            raise Refused(f"{where}.title: {each.title!r} is decided twice for the same list and printed id")
        known.append(each)
    return Decided(tuple(decided), by_print)
