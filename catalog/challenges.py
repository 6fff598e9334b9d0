"""The open challenges: what is known of each, on which entries that rests, and what the lab can measure of it."""

from collections.abc import Iterable
from pathlib import Path

from catalog.errors import Refused, nearest
from catalog.taxonomy import Taxonomy
from catalog.toml import Strict, read

FILE = Path("catalog/challenges.toml")
FACET = "challenge"


class Finding(Strict):
    says: str
    methods: list[str]


class Challenge(Strict):
    tag: str
    question: str
    known: list[Finding]
    lab: list[str]
    beyond: str


class _File(Strict):
    challenge: list[Challenge]


def load(root: Path, tree: Taxonomy, slugs: Iterable[str]) -> list[Challenge]:
    """One for each tag of the facet, in the taxonomy's order.

    Raises `Refused` (exit 1) for an unknown tag or slug, with the nearest, and for a tag that has none.
    """
    found = {challenge.tag: challenge for challenge in read(root / FILE, _File, root).challenge}
    tags, slugs = tree.tags(FACET), list(slugs)
    for challenge in found.values():
        if challenge.tag not in tags:
            raise Refused(f"{FILE}: unknown tag {challenge.tag!r}{nearest(challenge.tag, tags)}")
        for finding in challenge.known:
            for slug in finding.methods:
                if slug not in slugs:
                    raise Refused(f"{FILE}: {challenge.tag}: unknown slug {slug!r}{nearest(slug, slugs)}")
    missing = [tag for tag in tags if tag not in found]
    if missing:
        raise Refused(f"{FILE}: nothing is written for the tag {missing[0]!r}")
    return [found[tag] for tag in tags]
