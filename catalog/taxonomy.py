"""The taxonomy: facets, their tags, and for each the rule that decides."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import Field

from catalog.errors import Refused, nearest
from catalog.toml import Strict, read

FILE = Path("catalog/taxonomy.toml")
ID = re.compile(r"[a-z][a-z0-9_]{1,40}")


class Node(Strict):
    """A facet (no parent) or a tag. `inside` and `outside` are examples on either side of its border."""

    id: str
    title: str
    rule: Annotated[str, Field(min_length=1)]
    parent: str | None = None
    inside: str | None = None
    outside: str | None = None


class _File(Strict):
    version: int
    node: list[Node]


@dataclass(frozen=True)
class Taxonomy:
    version: int
    nodes: dict[str, Node]  # in the file's order

    @cached_property
    def facets(self) -> list[Node]:
        return [node for node in self.nodes.values() if node.parent is None]

    def children(self, node_id: str) -> list[Node]:
        return [node for node in self.nodes.values() if node.parent == node_id]

    def facet_of(self, node_id: str) -> str:
        """The facet at the top of a tag's branch; a facet is its own."""
        node = self.nodes[node_id]
        return node.id if node.parent is None else self.facet_of(node.parent)

    def tags(self, facet: str) -> list[str]:
        """All tags below a facet, at any depth, in the file's order."""
        return [id_ for id_, node in self.nodes.items() if node.parent is not None and self.facet_of(id_) == facet]


def load(root: Path) -> Taxonomy:
    """Raises `Refused` (exit 1) that names file, key, value and the nearest valid name."""
    raw = read(root / FILE, _File, root)
    nodes: dict[str, Node] = {}
    for index, node in enumerate(raw.node):
        here = f"{FILE}: node[{index}]"
        if not ID.fullmatch(node.id):
            raise Refused(f"{here}.id: {node.id!r} must match {ID.pattern}")
        if node.id in nodes:
            raise Refused(f"{here}.id: {node.id!r} is defined twice")
        nodes[node.id] = node
    for index, node in enumerate(raw.node):
        here = f"{FILE}: node[{index}] (id {node.id!r})"
        if node.parent is None:
            continue
        if node.parent not in nodes:
            raise Refused(f"{here}.parent: unknown node {node.parent!r}{nearest(node.parent, nodes)}")
        if node.inside is None or node.outside is None:
            raise Refused(f"{here}: a tag needs `inside` and `outside`, an example on either side of its border")
        above: str | None = node.parent
        seen = {node.id}
        while above in nodes:  # an unknown parent further up is reported at the node that names it
            if above in seen:
                raise Refused(f"{here}.parent: {node.parent!r} makes a circle")
            seen.add(above)
            above = nodes[above].parent
    return Taxonomy(raw.version, nodes)
