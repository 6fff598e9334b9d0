"""What a method is: the shape its file must have, and the few types it speaks in.

There is no base class. A module that has these names gets training, evaluation, records and a page for free:

    ROLES    the shipped models it generates with, e.g. ("long",); its own trained ones come on top
    NEEDS    "text" (a raw-prefix completions endpoint will do), "logits" or "weights"
    Config   frozen dataclass whose values cite the paper
    ARMS     {"": Config(), "name": Config(…)}: sweep and controls; results are keyed `slug` and `slug@name`
    CLAIMS   what the paper says should happen, as bounds on intervals
    generate(models, prompts, config, seed) -> list[Output]
    prepare(models, data, config, seed) -> Models      only where weights change; adds its own roles and returns them
    FROM     beside `prepare`: the shipped models it starts from
    checkpoint(config) -> str                          beside `prepare`: which trained checkpoint an arm uses
    MODULES  {"role": class}                           beside `prepare`: classes of its own, so that they load again
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from methods.kit.models import Models, Role

Label = Literal["prompt", "thinking", "answer", "probe", "latent"]


@dataclass(frozen=True)
class Prompt:
    """What a method may see of a problem. An answer's token budget is that of `longest_answer`, no more."""

    question: str
    longest_answer: str


@dataclass(frozen=True)
class Item:
    """A training problem, as a data set with worked solutions has it: `steps` are the terse solution's lines."""

    question: str
    steps: tuple[str, ...]
    answer: str
    longest_answer: str

    @property
    def prompt(self) -> Prompt:
        return Prompt(self.question, self.longest_answer)


@dataclass
class Output:
    """One row's positions in order, prompt included. A latent position has no token: its id is None.

    `unread` positions were written and never fed back: the last token of each run of writing.
    """

    ids: list[int | None]
    labels: list[Label]
    unread: int = 1

    def __post_init__(self) -> None:
        assert len(self.ids) == len(self.labels)

    def count(self, label: Label) -> int:
        return self.labels.count(label)

    def written(self, label: Label) -> list[int]:
        """The token ids under one label."""
        return [i for i, own in zip(self.ids, self.labels, strict=True) if own == label and i is not None]


def labelled(*parts: tuple[Sequence[int | None], Label]) -> Output:
    """An output from runs of positions: `labelled((prompt, "prompt"), (thinking, "thinking"), (answer, "answer"))`."""
    ids: list[int | None] = []
    labels: list[Label] = []
    for positions, label in parts:
        ids += positions
        labels += [label] * len(positions)
    return Output(ids, labels)


def split_answer(role: Role, written: list[int]) -> tuple[tuple[list[int], Label], tuple[list[int], Label]]:
    """What was written, as thinking (the closing delimiter included) and answer; no delimiter, no answer."""
    end = written.index(role.closes_id) + 1 if role.closes_id in written else len(written)
    return (written[:end], "thinking"), (written[end:], "answer")


def answer_budget(role: Role, prompts: Sequence[Prompt]) -> int:
    """Tokens the longest possible answer takes, the end mark included."""
    return max(len(role.encode(prompt.longest_answer)) for prompt in prompts) + 1


class Method(Protocol):
    ROLES: tuple[str, ...]
    NEEDS: str
    ARMS: dict[str, Any]
    CLAIMS: list[Any]

    def generate(self, models: Models, prompts: list[Prompt], config: Any, seed: int) -> list[Output]: ...


class Data(Protocol):
    """Training problems: `items(seed)` never ends."""

    def items(self, seed: int) -> Iterator[Item]: ...
