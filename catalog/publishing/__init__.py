"""The catalog for machines: JSON with its schemas, Atom, BibTeX and one SQLite file, beside the site's pages.

The same data gives the same bytes. Nothing of an abstract goes out, and of what a mirror served no date and no version.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mkdocs.utils.yaml import yaml_load
from pydantic_core import from_json, to_json
from sqlalchemy import Row
from sqlmodel import Session

from catalog import store
from catalog.errors import Refused
from catalog.labels import Label
from catalog.pages.contents import Catalog
from catalog.publishing import api, api_documents, atom, sqlite_copy
from catalog.publishing.feeds import ARXIV_BEGAN, LENGTH, all_items, feeds

FOLDER = Path("api") / api.VERSION


def publish(catalog: Catalog, site: Path) -> None:
    """Writes everything below `site`/api/v1. Raises `Refused` where the database or a file cannot be read or written."""
    folder = site / FOLDER
    listed: list[api.File] = []
    with store.reading(catalog.root) as session:
        for path, content, about in files(catalog, session):
            if not (parent := (folder / path).parent).is_dir():
                parent.mkdir(parents=True)
            (folder / path).write_bytes(content)
            if about:
                described_by = _described_by(content) if path.endswith(".json") else None
                listed.append(api.File(path=path, described_by=described_by, about=about))
        sqlite_copy.write(session, folder / "laconic.sqlite")
    listed.append(api.File(path="laconic.sqlite", described_by=None, about="all of it as one SQLite file"))
    newest = catalog.shelf.newest
    index = api.Index(version=api.VERSION, newest=newest.arxiv_id if newest else None, files=listed)
    (folder / "index.json").write_bytes(_document("index.json", "index", dict(index)))


def files(catalog: Catalog, session: Session) -> Iterator[tuple[str, bytes, str]]:
    """(path below api/v1, content, what it is) of every file but the index and the SQLite one."""
    mentions = api_documents.all_mentions(session)
    published = {paper["key"]: paper for paper in api_documents.papers(catalog, session, mentions)}
    labelled = catalog.shelf.index.labels
    yield from _documents(catalog, published, mentions, labelled)
    yield "papers.bib", "".join(f"{text}\n\n" for text in catalog.cited.values()).encode(), "all papers as BibTeX"
    address = _site_address(catalog.root)
    newest = max((paper["first_seen"] for paper in published.values()), default=ARXIV_BEGAN)
    every = all_items(catalog, session, published, mentions, labelled, address)
    for name, title, items in feeds(catalog.tree, every, labelled):
        path = f"atom/{name}.xml"
        own = f"{address}{FOLDER.as_posix()}/{path}" if address else ""
        yield path, atom.feed(name, title, items, updated=newest, address=own), f"{title}, the newest {LENGTH} as Atom"
    for kind in api.MODELS:
        yield f"schema/{kind}.json", _json(api.schema(kind)), ""


def _documents(
    catalog: Catalog, published: dict[str, api_documents.Plain], mentions: list[Row[Any]], labelled: Mapping[str, frozenset[Label]]
) -> Iterator[tuple[str, bytes, str]]:
    def document(path: str, kind: str, content: api.Part | api_documents.Plain, about: str) -> tuple[str, bytes, str]:
        return path, _document(path, kind, dict(content)), about

    years: dict[str, list[api_documents.Plain]] = defaultdict(list)
    for paper in published.values():
        years[paper["month"][:4] if paper["month"] else "undated"].append(paper)
    newest = catalog.shelf.newest
    papers = api.Papers(
        total=len(published),
        confirmed=catalog.shelf.confirmed,
        newest=newest.arxiv_id if newest else None,
        years=[api.Shard(year=year, file=f"papers/{year}.json", papers=len(held)) for year, held in years.items()],
    )
    yield document("papers.json", "papers", papers, "how many papers there are, and the file of each year")
    for year, held in years.items():
        yield document(f"papers/{year}.json", "year", {"year": year, "papers": held}, f"papers, {year}, newest first")
    methods = api_documents.methods(catalog)
    yield document("methods.json", "methods", methods, "methods as people curate them, with reported numbers and their evidence")
    named = ({name for label in held for name in label} for held in labelled.values())
    taxonomy = api_documents.taxonomy(catalog, carried=Counter(name for names in named for name in names))
    yield document("taxonomy.json", "taxonomy", taxonomy, "every facet and tag with the rule that decides")
    errata = api.Errata(checked=catalog.errata.checked, works=catalog.errata.works, errata=catalog.errata.errata)
    yield document("errata.json", "errata", errata, "where surveys print something else than their sources")
    for slug, record in catalog.records.items():
        path = f"records/{slug}.json"
        yield path, _document(path, "record", record.raw), f"measurements of {slug} and its rivals"
    for survey in api_documents.lists(catalog, mentions):
        yield document(f"lists/{survey['name']}.json", "list", survey, f"what the list {survey['name']} says, entry by entry")


def _document(path: str, kind: str, content: dict[str, Any]) -> bytes:
    """A JSON file that names its schema, relative to itself."""
    return _json({"$schema": f"{'../' * path.count('/')}schema/{kind}.json", **content})


def _described_by(content: bytes) -> str:
    """The schema that a document names in its first line, from the folder of all files."""
    return from_json(b"{" + content.split(b"\n", 2)[1].rstrip(b",") + b"}")["$schema"].replace("../", "")


def _json(content: Any) -> bytes:
    return to_json(content, indent=1, by_alias=False) + b"\n"


def _site_address(root: Path) -> str:
    """`site_url` of mkdocs.yml with a closing slash; empty where it is not set, and links are relative then."""
    try:
        address = yaml_load((root / "mkdocs.yml").read_bytes()).get("site_url") or ""
    except OSError as error:
        raise Refused(f"mkdocs.yml: cannot be read ({error.strerror})") from None
    return f"{address.rstrip('/')}/" if address else ""
