"""Questions that a stranger may ask, answered by the same index as `laconic search` when the site is built."""

from catalog.finding.searching import Answer, Index
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


def answers(index: Index, tree: Taxonomy) -> list[tuple[str, Answer]]:
    """(question, what `laconic search --limit 6` answers in a fresh clone), by an index that leaves abstracts aside."""
    return [(question, index.ask(question, tree, SHOWN)) for question in QUESTIONS]
