"""What should I use? An answer for each constraint a reader may have, from records and labels alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from catalog.entries import Entry
from catalog.pages.records import Figure, Record

MARGIN = 0.02  # how far below chain of thought's accuracy an answer may lie: the page says two points


@dataclass(frozen=True)
class Constraint:
    """`labels`: facet → tags, of which an entry must have one each. `metric` is what should be small.

    Where `measured_by_label` is false any measured method is a candidate, for its own measurement decides; the labels then only
    choose what is named as not yet measured.
    """

    title: str
    means: str
    labels: dict[str, frozenset[str]]
    metric: str
    counted: str
    form: str
    measured_by_label: bool = True

    def fits(self, entry: Entry) -> bool:
        return all(tags & set(entry.written.facets.get(facet, [])) for facet, tags in self.labels.items())


def _any(*tags: str) -> frozenset[str]:
    return frozenset(tags)


CONSTRAINTS = [
    Constraint(
        "No training",
        "The model stays as it is; a prompt, the decoding or the cache may change.",
        {"training": _any("none")}, "tokens", "tokens", "tenths",
    ),
    Constraint(
        "Own sampler",
        "You write the decoding loop and see the model’s probabilities, but leave its weights alone.",
        {"training": _any("none"), "acts_on": _any("sampler", "attention_cache", "routing")}, "tokens", "tokens", "tenths",
    ),
    Constraint(
        "Weights at hand",
        "You can train the model, or adapters of it, on its own traces or with a reward.",
        {"training": _any("sft", "preference", "rl")}, "tokens", "tokens", "tenths",
    ),
    Constraint(
        "Bound by memory",
        "What the cache of keys and values takes at its peak decides how many problems run at once.",
        {"saves": _any("memory", "context")}, "cache_bytes", "bytes of cache", "short", measured_by_label=False,
    ),
    Constraint(
        "Bound by latency",
        "A reader waits for forward passes that follow one another; seconds depend on the machine, so passes are what counts here.",
        {"saves": _any("generated_tokens", "calls")}, "forward_passes", "forward passes", "tenths", measured_by_label=False,
    ),
]  # fmt: skip


@dataclass(frozen=True)
class Pick:
    """The method that fits best among those measured alike, with the baseline of its own run."""

    task: str
    entry: Entry
    record: Record
    cost: Figure
    cot_cost: Figure
    accuracy: Figure
    cot_accuracy: Figure


@dataclass(frozen=True)
class Answer:
    constraint: Constraint
    picks: list[Pick] = field(default_factory=list)
    too_dear: list[Entry] = field(default_factory=list)  # measured, fit and as accurate, but no cheaper than chain of thought
    too_inaccurate: list[Entry] = field(default_factory=list)  # measured, fit, but more than the margin below
    unmeasured: list[Entry] = field(default_factory=list)


def answers(groups: Sequence[tuple[str, Sequence[tuple[Entry, Record]]]], entries: Sequence[Entry]) -> list[Answer]:
    """`groups`: task, and what was measured alike on it; `entries`: all that may be named, without the baselines."""
    measured = {entry.slug for _, rows in groups for entry, _ in rows}
    found = []
    for constraint in CONSTRAINTS:
        answer = Answer(constraint)
        for task, rows in groups:
            candidates = [
                pick
                for entry, record in rows
                if entry in entries and (constraint.fits(entry) or not constraint.measured_by_label)
                if (pick := _pick(task, entry, record, constraint.metric))
            ]
            good = [pick for pick in candidates if pick.accuracy.mean >= pick.cot_accuracy.mean - MARGIN]
            cheaper = [pick for pick in good if pick.cost.mean < pick.cot_cost.mean]
            answer.picks.extend(sorted(cheaper, key=lambda pick: (pick.cost.mean, -pick.accuracy.mean, pick.entry.slug))[:1])
            answer.too_dear.extend(pick.entry for pick in good if pick not in cheaper)
            answer.too_inaccurate.extend(pick.entry for pick in candidates if pick not in good)
        answer.unmeasured.extend(entry for entry in entries if entry.slug not in measured and constraint.fits(entry))
        found.append(answer)
    return found


def _pick(task: str, entry: Entry, record: Record, metric: str) -> Pick | None:
    """None where the run lacks the figure, or chain of thought beside it: then nothing can be said of it."""
    own, cot = record.figure(entry.slug, metric), record.figure("cot", metric)
    right, cot_right = record.figure(entry.slug, "accuracy"), record.figure("cot", "accuracy")
    return Pick(task, entry, record, own, cot, right, cot_right) if own and cot and right and cot_right else None
