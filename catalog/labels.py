"""Which labels count: what people set wins over what machines and lists say, facet by facet."""

from collections import defaultdict

from sqlmodel import Session, col, select

from catalog.schema import Facet
from catalog.taxonomy import Taxonomy

CURATED, MACHINE = "curated", "machine"  # origins
Label = tuple[str, str]  # facet, tag


def of_papers(session: Session, tree: Taxonomy) -> dict[str, set[Label]]:
    """Paper → its labels, with the tags above each; a tag that the taxonomy no longer has is left out."""
    said: dict[tuple[str, str], dict[bool, set[str]]] = defaultdict(lambda: {True: set(), False: set()})
    for paper, facet, tag, origin in session.exec(select(Facet.paper_key, Facet.facet, Facet.tag, col(Facet.origin))):
        if tag in tree.nodes:
            said[paper, facet][origin == CURATED].add(tag)
    found: dict[str, set[Label]] = defaultdict(set)
    above = {tag: upwards(tree, tag) for tag in tree.nodes}
    for (paper, facet), by in said.items():
        for tag in by[True] or by[False]:
            found[paper].update((facet, each) for each in above[tag])
    return found


def upwards(tree: Taxonomy, tag: str) -> list[str]:
    """A tag and the tags above it, without the facet."""
    parent = tree.nodes[tag].parent
    return [] if parent is None else [tag, *upwards(tree, parent)]
