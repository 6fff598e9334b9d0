"""Coconut: reasoning in a chain of hidden states instead of text.

Paper: Hao et al., "Training Large Language Models to Reason in a Continuous Latent Space", arXiv 2412.06769 (2024).
Idea: the last hidden state of one position becomes the input embedding of the next, so a thought need not be a token. A
    curriculum teaches it: stage k replaces the first k written steps by k latent positions; the last stage leaves none.
Kept: the curriculum over stages with the optimizer re-created at each, loss on the remaining text only, gradient through the
    whole chain, the state after the final norm as input, a fixed number of latents at test, all text dropped at the last stage.
Left out: stage mixing (the paper's analysis model only); start- and end-of-latent tokens (the reasoning delimiters serve); a
    pretrained start (this one has learned to write the steps, and nothing else). Added: a thought is brought to the size of a
    token's embedding. Trained on chains of up to four steps, so that two cores can; longer ones are asked at test all the same.
Controls: the same curriculum with no latents, with learned pause vectors at the same positions, and the trained latents replaced
    at test by noise of the same size or by another problem's latents.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import nn
from torch.nn import functional as F

from methods.kit.claims import Claim, gain
from methods.kit.decoding import State, extend, feed, prefill
from methods.kit.method import Data, Item, Output, Prompt, labelled, split_answer
from methods.kit.models import Models, Role, copy_of
from methods.kit.training import IGNORED, Cost, Recipe, optimize

ROLES: tuple[str, ...] = ()
FROM = ("start",)
NEEDS = "weights"


@dataclass(frozen=True)
class Config:
    latents_per_step: int = 1  # c (section 4.2: 2 on GSM8K, 1 on ProsQA and ProntoQA)
    stages: int = 4  # as many as the longest chain trained on has steps (the paper: 6 for ProsQA's longest path)
    steps_a_stage: int = 800  # optimizer steps; the paper trains 5 epochs a stage
    last_stage_factor: int = 2  # the last stage is longer (the paper: 15 of 50 epochs)
    rate: float = 1e-3
    batch: int = 64
    thought: str = "latent"  # what stands in for a removed step in training: latent, none, pause
    swapped_for: str = ""  # at test only: noise, or another problem's latents

    @property
    def latents(self) -> int:
        return 0 if self.thought == "none" else self.stages * self.latents_per_step


ARMS = {
    "": Config(),
    "zero_latents": Config(thought="none"),
    "pause": Config(thought="pause"),
    "noise": Config(swapped_for="noise"),
    "swapped": Config(swapped_for="another problem's"),
}


class PauseVectors(nn.Module):
    """A learned input vector for each latent position, the same for every problem: compute without content."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.randn(count, width) * 0.02)
        self.arguments = {"count": count, "width": width}

    def forward(self, place: int) -> torch.Tensor:
        """The vector (D,) of one latent position."""
        return self.vectors[place]


MODULES = {"pause": PauseVectors}


def checkpoint(config: Config) -> str:
    """The trained model an arm uses: one for each kind of thought."""
    return config.thought


def as_input(role: Role, hidden: torch.Tensor) -> torch.Tensor:
    """A hidden state at the size of a token's embedding: after the final norm it is over ten times as long here, and would drown
    whatever the layers add to it (see the lab log)."""
    size = role.model.get_input_embeddings().weight.detach().norm(dim=-1).mean()  # type: ignore[operator]
    return hidden * (size / hidden.norm(dim=-1, keepdim=True))


def think(models: Models, state: State, config: Config, count: int) -> tuple[State, list[torch.Tensor]]:
    """Feeds `count` latent positions; each is the hidden state before it (B, 1, D), or what the control puts in its place."""
    role, fed = models["coconut"], []
    for i in range(count):
        assert state.hidden is not None
        thought = as_input(role, state.hidden[:, -1:])
        if config.thought == "pause":
            thought = models["pause"].model(i).expand_as(thought)
        elif config.swapped_for == "noise":
            noise = torch.randn(thought.shape, generator=torch.Generator().manual_seed(i)).to(thought)
            thought = noise * thought.norm(dim=-1, keepdim=True) / noise.norm(dim=-1, keepdim=True)
        fed.append(thought)
        state = feed(role, state, embeds=thought, hidden=True)
    return state, fed


@torch.inference_mode()
def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["coconut"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    probed: list[list[int | None]] = [[] for _ in rows]
    state = prefill(role, rows, hidden=True)
    if config.swapped_for == "another problem's":
        others = rows[1:] + rows[:1]
        _, thoughts = think(models, prefill(role, others, hidden=True), config, config.latents)
        probed = [[*row, *[None] * config.latents] for row in others]
        for thought in thoughts:
            state = feed(role, state, embeds=thought)
    else:
        state, _ = think(models, state, config, config.latents)
    budget = max(len(role.encode(prompt.longest_answer)) for prompt in prompts) + 2  # the delimiter, the answer, the end
    written = extend(role, state, [role.eos_id], budget)
    latents: list[int | None] = [None] * config.latents
    return [
        labelled((probe, "probe"), (row, "prompt"), (latents, "latent"), *split_answer(role, tail))
        for row, probe, tail in zip(rows, probed, written, strict=True)
    ]


# ---- training: the curriculum --------------------------------------------------------------------------------------------


def remaining(role: Role, item: Item, stage: int, config: Config) -> list[int]:
    """What is still written at a stage: the steps after the first `stage` (none at the last), the delimiter, the answer."""
    steps = item.steps[stage:] if stage < config.stages else ()
    return [*role.encode(" ".join(steps)), role.closes_id, *role.encode(item.answer), role.eos_id]


def curriculum_loss(models: Models, items: list[Item], stage: int, config: Config) -> torch.Tensor:
    """Cross-entropy on the remaining text only; the gradient flows through every latent."""
    role = models["coconut"]
    tails = [remaining(role, item, stage, config) for item in items]
    width = max(map(len, tails))
    ids = torch.tensor([tail + [role.pad_id] * (width - len(tail)) for tail in tails], device=role.device)
    mask = torch.tensor([[1] * len(tail) + [0] * (width - len(tail)) for tail in tails], device=role.device)
    state = prefill(role, [role.prompt(item.question) for item in items], hidden=True)
    state, _ = think(models, state, config, 0 if config.thought == "none" else stage * config.latents_per_step)
    after = feed(role, state, ids=ids[:, :-1], mask=mask[:, :-1], keep=0)
    logits = torch.cat([state.logits[:, -1:], after.logits], 1)
    return F.cross_entropy(logits.flatten(0, 1), ids.masked_fill(mask == 0, IGNORED).flatten(), ignore_index=IGNORED)


def batches(data: Data, longest: int, size: int, seed: int) -> Iterator[list[Item]]:
    """Items of at most `longest` steps, those of like length together, so that little of a batch is padding."""
    rng, items = random.Random(seed), (item for item in data.items(seed) if len(item.steps) <= longest)
    while True:
        pool = sorted(islice(items, 16 * size), key=lambda item: len(item.question))
        chunks = [pool[i : i + size] for i in range(0, len(pool), size)]
        yield from rng.sample(chunks, len(chunks))


def prepare(models: Models, data: Data, config: Config, seed: int) -> Models:
    """Trains one arm from `start` through the stages. Returns the models with the role `coconut` (and `pause`) added."""
    torch.manual_seed(seed)
    role = copy_of(models["start"], "coconut")
    models = {**models, "coconut": role}
    if config.thought == "pause":
        models["pause"] = Role("pause", PauseVectors(config.latents, role.width))
    weights = [*role.model.parameters(), *(models["pause"].model.parameters() if "pause" in models else ())]
    source, cost = batches(data, config.stages, config.batch, seed), Cost()
    for stage in range(1, config.stages + 1):
        steps = config.steps_a_stage * (config.last_stage_factor if stage == config.stages else 1)
        recipe = Recipe(steps, rate=config.rate, batch=config.batch, decay_from=0.5 if stage == config.stages else 1.0)

        def loss_of(items: list[Item], stage: int = stage) -> torch.Tensor:
            return curriculum_loss(models, items, stage, config)

        # the optimizer is new at each stage: the last one's moments would explode the first steps of this one
        cost += optimize(models, weights, source, loss_of, recipe)
    role.cost = cost
    return models


CLAIMS = [
    Claim(
        id="latents_carry",
        text="Latent thoughts are at least 10 points more accurate than the same curriculum with learned pause vectors",
        kind="emergent",
        measure=gain("coconut", "coconut@pause"),
        at_least=0.10,
        because="Table 1: 34.1 against 24.1 for pause as thought on GSM8K; on ProsQA 97.0 against 96.6, so nothing is settled",
        needs=("need", "ability"),
        zoos=5,
        primary=True,
    ),
    Claim(
        id="beats_answering_at_once",
        text="Latent thoughts are at least 10 points more accurate than answering at once",
        kind="emergent",
        measure=gain("coconut", "direct"),
        at_least=0.10,
        because="Table 1: 34.1 against 16.5 on GSM8K, 97.0 against 76.7 on ProsQA",
        needs=("need", "ability"),
        zoos=5,
    ),
    Claim(
        id="content_matters",
        text="Putting another problem's latents in place of its own costs at least 20 points",
        kind="emergent",
        measure=gain("coconut", "coconut@swapped"),
        at_least=0.20,
        because="If thoughts carry the problem's state, a stranger's thoughts must mislead; if they are only compute, they do not",
        needs=("need", "ability"),
        zoos=5,
    ),
]
