"""Which labels count: what people set wins over what machines and lists say, facet by facet."""

from collections import defaultdict
from functools import cache

from sqlmodel import Session

from catalog import store
from catalog.schema import Facet
from catalog.taxonomy import Taxonomy

CURATED, MACHINE = "curated", "machine"  # origins
Label = tuple[str, str]  # facet, tag


def of_papers(session: Session, tree: Taxonomy) -> dict[str, set[Label]]:
    """Paper → its labels, with the tags above each; a tag that the taxonomy no longer has is left out."""
    rows = [row for row in store.columns(session, Facet, "paper_key facet tag origin") if row.tag in tree.nodes]
    settled = {(row.paper_key, row.facet) for row in rows if row.origin == CURATED}
    with_above = cache(lambda facet, tag: [(facet, each) for each in upwards(tree, tag)])
    found: dict[str, set[Label]] = defaultdict(set)
    for paper, facet, tag, origin in rows:
        if origin == CURATED or (paper, facet) not in settled:
            found[paper].update(with_above(facet, tag))
    return found


def upwards(tree: Taxonomy, tag: str) -> list[str]:
    """A tag and the tags above it, without the facet."""
    parent = tree.nodes[tag].parent
    return [] if parent is None else [tag, *upwards(tree, parent)]
