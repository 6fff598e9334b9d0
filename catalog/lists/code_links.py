"""Where a paper's code is said to be: the repositories that survey lists link to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlmodel import Session

from catalog import store
from catalog.lists.defects import Defect, repository
from catalog.schema import Mention


def is_code(url: str) -> bool:
    """An https address inside a code host's repository. A survey's own list of papers is no code."""
    name = repository(url).rpartition("/")[2]
    return url.startswith("https://") and bool(name) and not name.startswith("awesome")


def on_github(url: str) -> str:
    """`owner/name` as the table of repositories has it; empty for another host."""
    host, _, name = repository(url).partition("/")
    return name if host == "github.com" else ""


def of_papers(session: Session) -> dict[str, list[str]]:
    """Paper → addresses, each once, in the order of lists and lines; without what a list gives for unrelated papers alike."""
    listings = store.columns(session, Mention, "paper_key urls defects gone_on", order="list_name line key")
    return of_listings(listing[:3] for listing in listings if listing.gone_on is None)


def of_listings(listings: Iterable[tuple[str, Sequence[str], Sequence[Defect]]]) -> dict[str, list[str]]:
    """The same, of listings that stand: (paper, addresses, defects)."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for key, urls, defects in listings:
        if not any(defect["kind"] == "shared_code" for defect in defects):
            found[key] |= {url: None for url in urls if is_code(url)}
    return {key: list(urls) for key, urls in found.items()}
