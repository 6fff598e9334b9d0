"""The catalog for machines: JSON with its schemas, Atom, BibTeX and one SQLite file, beside the site's pages.

The same data gives the same bytes. Nothing of an abstract goes out, and of what a mirror served no date and no version.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.utils.yaml import yaml_load
from sqlmodel import Session

from catalog import labels, store
from catalog.errors import Refused
from catalog.pages.contents import Catalog
from catalog.publishing import api, api_documents, atom, sqlite_copy
from catalog.publishing.citations import all_cited
from catalog.publishing.feeds import ARXIV_BEGAN, LENGTH, feeds

FOLDER = Path("api") / api.VERSION


def publish(catalog: Catalog, site: Path) -> None:
    """Writes everything below `site`/api/v1. Raises `Refused` where the database or a file cannot be read or written."""
    folder = site / FOLDER
    listed: list[api.File] = []
    with store.reading(catalog.root) as session:
        for path, content, about in files(catalog, session):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
            if about:
                described_by = json.loads(content)["$schema"].removeprefix("../") if path.endswith(".json") else None
                listed.append(api.File(path=path, described_by=described_by, about=about))
        sqlite_copy.write(session, folder / "laconic.sqlite")
    listed.append(api.File(path="laconic.sqlite", described_by=None, about="all of it as one SQLite file"))
    newest = catalog.shelf.newest
    index = api.Index(version=api.VERSION, newest=newest.arxiv_id if newest else None, files=listed)
    (folder / "index.json").write_bytes(_document("index.json", "index", index.model_dump(mode="json")))


def files(catalog: Catalog, session: Session) -> Iterator[tuple[str, bytes, str]]:
    """(path below api/v1, content, what it is) of every file but the index and the SQLite one."""
    yield from _documents(catalog, session, published := {paper.key: paper for paper in api_documents.papers(catalog, session)})
    cited = all_cited(catalog, published)
    for number, text in cited.items():
        yield published[number].bibtex, f"{text}\n".encode(), ""
    yield "papers.bib", "".join(f"{text}\n\n" for text in cited.values()).encode(), "all papers as BibTeX; one by one in bibtex/"
    address = _site_address(catalog.root)
    newest = max((paper.first_seen for paper in published.values()), default=ARXIV_BEGAN)
    for name, title, items in feeds(catalog, session, published, labels.of_papers(session, catalog.tree), address):
        path = f"atom/{name}.xml"
        own = f"{address}{FOLDER.as_posix()}/{path}" if address else ""
        yield path, atom.feed(name, title, items, updated=newest, address=own), f"{title}, the newest {LENGTH} as Atom"
    for kind in api.MODELS:
        yield f"schema/{kind}.json", _json(api.schema(kind)), ""


def _documents(catalog: Catalog, session: Session, published: dict[str, api.Paper]) -> Iterator[tuple[str, bytes, str]]:
    def document(path: str, kind: str, content: api.Part, about: str) -> tuple[str, bytes, str]:
        return path, _document(path, kind, content.model_dump(mode="json")), about

    years: dict[str, list[api.Paper]] = defaultdict(list)
    for paper in published.values():
        years[paper.month[:4] if paper.month else "undated"].append(paper)
    newest = catalog.shelf.newest
    papers = api.Papers(
        total=len(published),
        confirmed=catalog.shelf.confirmed,
        newest=newest.arxiv_id if newest else None,
        years=[api.Shard(year=year, file=f"papers/{year}.json", papers=len(held)) for year, held in years.items()],
    )
    yield document("papers.json", "papers", papers, "how many papers there are, and the file of each year")
    for year, held in years.items():
        yield document(f"papers/{year}.json", "year", api.Year(year=year, papers=held), f"papers, {year}, newest first")
    methods = api_documents.methods(catalog)
    yield document("methods.json", "methods", methods, "methods as people curate them, with reported numbers and their evidence")
    labelled = labels.of_papers(session, catalog.tree).values()
    carried = {node: sum(any(node in label for label in held) for held in labelled) for node in catalog.tree.nodes}
    taxonomy = api_documents.taxonomy(catalog, carried)
    yield document("taxonomy.json", "taxonomy", taxonomy, "every facet and tag with the rule that decides")
    errata = api.Errata(checked=catalog.errata.checked, works=catalog.errata.works, errata=catalog.errata.errata)
    yield document("errata.json", "errata", errata, "where surveys print something else than their sources")
    for slug, record in catalog.records.items():
        path = f"records/{slug}.json"
        yield path, _document(path, "record", record.raw), f"measurements of {slug} and its rivals"
    for survey in api_documents.lists(catalog, session):
        yield document(f"lists/{survey.name}.json", "list", survey, f"what the list {survey.name} says, entry by entry")


def _document(path: str, kind: str, content: dict[str, Any]) -> bytes:
    """A JSON file that names its schema, relative to itself."""
    return _json({"$schema": f"{'../' * path.count('/')}schema/{kind}.json", **content})


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _site_address(root: Path) -> str:
    """`site_url` of mkdocs.yml with a closing slash; empty where it is not set, and links are relative then."""
    try:
        address = yaml_load((root / "mkdocs.yml").read_bytes()).get("site_url") or ""
    except OSError as error:
        raise Refused(f"mkdocs.yml: cannot be read ({error.strerror})") from None
    return f"{address.rstrip('/')}/" if address else ""
