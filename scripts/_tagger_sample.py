"""Drawing records that no list names, to be labelled by reading: more from where papers in scope are likelier.

A record's stratum says how often its text speaks of thinking and of its price in one sentence. No tagger is asked, so that
what is drawn depends on none; patterns wider than the tagger's phrases find its misses too.
"""

import random
import re
from collections import defaultdict
from collections.abc import Mapping

_THOUGHT = re.compile(
    r"\b(reason\w*|think\w*|thought\w*|overthink\w*|cots?|lrms?|test[- ]time|inference[- ]time|self[- ]consistency"
    r"|best[- ]of[- ]n|deliberat\w*)\b",
    re.I,
)
_PRICE = re.compile(
    r"\b(efficien\w*|inefficien\w*|overthink\w*|underthink\w*|tokens?|lengths?|lengthy|longer|shorter|shorten\w*|short|concise\w*"
    r"|brevity|verbos\w*|redundan\w*|unnecessary|excessive\w*|budgets?|latency|latencies|comput\w+|flops|cost|costs|costly"
    r"|overheads?|speed\w*|faster|accelerat\w*|early|stop\w*|exit\w*|terminat\w*|adaptive\w*|compress\w*|prun\w*|skip\w*|fewer"
    r"|latent\w*|implicit\w*|internaliz\w*|continuous|loop\w*|recurren\w*|recursive\w*|speculati\w*|draft\w*|cache\w*|quantiz\w*"
    r"|effort|economical\w*|frugal\w*|lightweight|throughput|memory)\b",
    re.I,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
DRAWN = {"titled": 60, "twice": 55, "once": 45, "word": 25, "rest": 15}  # of each stratum, 200 in all


def stratum(title: str, abstract: str) -> str:
    """`titled`: the title names both; `twice`, `once`: so many sentences of the abstract do; `word`: thinking alone; `rest`."""
    if _both(title):
        return "titled"
    times = sum(map(_both, _SENTENCE.split(abstract)))
    if times:
        return "twice" if times > 1 else "once"
    return "word" if _THOUGHT.search(f"{title} {abstract}") else "rest"


def _both(text: str) -> bool:
    return bool(_THOUGHT.search(text) and _PRICE.search(text))


def draw(texts: Mapping[str, tuple[str, str]], number: int) -> dict[str, str]:
    """The stratum of each record drawn, by id; other numbers give other samples. A stratum that is too small is drawn whole."""
    strata: dict[str, list[str]] = defaultdict(list)
    for key in sorted(texts):
        strata[stratum(*texts[key])].append(key)
    chance = random.Random(f"scope sample {number}")
    drawn = {key: name for name in DRAWN for key in chance.sample(strata[name], min(DRAWN[name], len(strata[name])))}
    return dict(sorted(drawn.items()))
