"""Questions that a stranger may ask, answered by the same index as `laconic search` when the site is built."""

from pathlib import Path

from catalog import store
from catalog.finding import searching
from catalog.finding.searching import Answer
from catalog.taxonomy import Taxonomy

QUESTIONS = [
    "latent reasoning without training",
    "which papers change the reward",
    "newer than March, code available",
    "like LightThinker",
    '"early exit" after:2025-06 -speculative',
    "training:rl saves:generated_tokens short chains",
]
SHOWN = 6


def answers(root: Path, tree: Taxonomy) -> list[tuple[str, Answer]]:
    """(question, what `laconic search --limit 6` answers in a fresh clone). Raises `Refused` where there is no database.

    Abstracts are left aside: a page must not depend on what the builder's own database happens to hold.
    """
    with store.reading(root) as session:
        index = searching.build(session, tree, abstracts=False)
    return [(question, index.ask(question, tree, SHOWN)) for question in QUESTIONS]
