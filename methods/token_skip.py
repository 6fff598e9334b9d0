"""TokenSkip: train on one's own chains of thought with the less important tokens left out, at a ratio named in the prompt.

Paper: Xia et al., "TokenSkip: Controllable Chain-of-Thought Compression in LLMs", arXiv 2502.12067 (EMNLP 2025).
Idea: tokens of a chain differ in how much the answer needs them; a model can learn to skip the others, as many as it is told.
Kept: the model's own greedy chains, correct ones only; importance from a small bidirectional encoder; the top share by
    importance survives, in order; a ratio drawn per example from {.5 … 1}; question, end mark, ratio, end mark; no marker at 1.
Left out: LLMLingua-2 itself, which is trained on texts beside a large model's compressions of them; here the encoder learns the
    same labels from chains aligned with the data set's terse solutions. Low-rank adapters: a model this small is trained whole.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice

import torch
from torch import nn
from torch.nn import functional as F

from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import left_padded, reason
from methods.kit.method import Data, Item, Output, Prompt
from methods.kit.models import Models, Role, copy_of
from methods.kit.sampling import own_chains
from methods.kit.training import Cost, Example, Recipe, optimize, supervised, train

ROLES: tuple[str, ...] = ()
FROM = ("long",)
NEEDS = "weights"


@dataclass(frozen=True)
class Config:
    ratio: float = 0.5  # γ at test (Table 1: 0.5 … 1.0)
    ratios: tuple[float, ...] = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # drawn from in training (section 3.3)
    chains: int = 3000  # sampled from the model; the paper: GSM8K's 7,473 training problems
    encoder_steps: int = 400
    steps: int = 800  # optimizer steps; the paper: 3 epochs
    rate: float = 5e-4
    most_thinking_tokens: int = 320


ARMS = {"": Config(), **{f"ratio_{r:g}": Config(ratio=r) for r in (1.0, 0.8, 0.6, 0.4)}}


def checkpoint(config: Config) -> str:
    return "mixed_ratios"


def asked(role: Role, question: str, ratio: float) -> list[int]:
    """The prompt: `question <eos> ratio <eos>`, and the plain question at ratio 1 (section 3.3)."""
    end = role.tokenizer.eos_token
    return role.prompt(question if ratio == 1 else f"{question} {end} {f'{ratio:g}'.lstrip('0')} {end}")


def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["token_skip"]
    rows = [asked(role, prompt.question, config.ratio) for prompt in prompts]
    return reason(role, rows, prompts, config.most_thinking_tokens)


# ---- which tokens matter ---------------------------------------------------------------------------------------------------


class Importance(nn.Module):
    """P(a token is needed | the whole text): a bidirectional encoder with one logit a token, as LLMLingua-2 is."""

    def __init__(self, vocabulary: int, width: int = 64, layers: int = 2, longest: int = 1024) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, width), nn.Embedding(longest, width)
        layer = nn.TransformerEncoderLayer(width, 4, 4 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.body, self.out = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False), nn.Linear(width, 1)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Logits (B, T) for ids (B, T) whose real positions have mask 1."""
        places = self.place((mask.cumsum(1) - 1).clamp(min=0))  # counted from the chain's first token, wherever padding puts it
        return self.out(self.body(self.embed(ids) + places, src_key_padding_mask=mask == 0))[..., 0]


def needed(chain: list[int], terse: list[int]) -> list[float]:
    """1 where a chain's token lines up with the terse solution, else 0."""
    labels = [0.0] * len(chain)
    for block in SequenceMatcher(None, chain, terse, autojunk=False).get_matching_blocks():
        labels[block.a : block.a + block.size] = [1.0] * block.size
    return labels


def compress(chain: list[int], importance: list[float], ratio: float) -> list[int]:
    """The `ratio` of tokens with the highest importance, in their order (equation 3); all of them at ratio 1."""
    keep = round(ratio * len(chain))
    best = sorted(range(len(chain)), key=lambda i: (-importance[i], i))[:keep]
    return [chain[i] for i in sorted(best)]


# ---- training --------------------------------------------------------------------------------------------------------------


def train_importance(role: Role, chains: list[tuple[Item, list[int]]], config: Config, seed: int) -> tuple[Importance, Cost]:
    """Fits the encoder to the alignment of chains with terse solutions."""
    torch.manual_seed(seed)
    encoder, rng = Importance(len(role.tokenizer)).to(role.device), random.Random(seed)
    labelled_chains = [(chain, needed(chain, role.encode(" ".join(item.steps)))) for item, chain in chains]

    tokens = 0

    def batches() -> Iterator[list[tuple[list[int], list[float]]]]:
        nonlocal tokens
        while True:
            batch = rng.choices(labelled_chains, k=32)
            tokens += sum(len(chain) for chain, _ in batch)
            yield batch

    def loss_of(batch: list[tuple[list[int], list[float]]]) -> torch.Tensor:
        ids, mask = left_padded([chain for chain, _ in batch], role.pad_id, role.device)
        wanted = torch.tensor([[0.0] * (ids.shape[1] - len(labels)) + labels for _, labels in batch], device=role.device)
        return F.binary_cross_entropy_with_logits(encoder(ids, mask)[mask == 1], wanted[mask == 1])

    took = optimize({}, encoder.parameters(), batches(), loss_of, Recipe(config.encoder_steps, batch=32))
    weights = sum(p.numel() for p in encoder.body.parameters())
    return encoder.eval(), replace(took, tokens=tokens, flops=6.0 * weights * tokens)  # no language model: not metered


@torch.inference_mode()
def importance_of(encoder: Importance, role: Role, chains: list[list[int]]) -> list[list[float]]:
    scores = []
    for i in range(0, len(chains), 64):
        ids, mask = left_padded(chains[i : i + 64], role.pad_id, role.device)
        scores += [row[own == 1].tolist() for row, own in zip(encoder(ids, mask), mask, strict=True)]
    return scores


def prepare(models: Models, data: Data, config: Config, seed: int) -> Models:
    """Fine-tunes the model on its own compressed chains. Returns the models with the role `token_skip` added."""
    teacher = models["long"]
    items = list(islice(data.items(3000 + seed), config.chains))
    written, sampled = own_chains(teacher, items, config.most_thinking_tokens)
    chains = [(item, chain[: chain.index(teacher.closes_id)]) for item, (chain,) in written]
    encoder, fitted = train_importance(teacher, chains, config, seed)
    scores = importance_of(encoder, teacher, [chain for _, chain in chains])
    rng, scored = random.Random(seed), [(*pair, score) for pair, score in zip(chains, scores, strict=True)]

    def examples() -> Iterator[Example]:
        while True:
            item, chain, importance = rng.choice(scored)
            ratio = rng.choice(config.ratios)
            answer = [teacher.closes_id, *teacher.encode(item.answer), teacher.eos_id]
            yield supervised(asked(teacher, item.question, ratio), compress(chain, importance, ratio) + answer)

    role = copy_of(teacher, "token_skip")
    role.cost = sampled + fitted + train(role, examples(), Recipe(config.steps, rate=config.rate), seed)
    return {**models, "token_skip": role}


CLAIMS = [
    Claim(
        id="beats_truncation",
        text="At ratio 0.5 it is at least 20 points more accurate than the same chains cut off at as many tokens",
        kind="emergent",
        measure=gain("token_skip", "token_skip@truncated"),
        at_least=0.20,
        because="Table 1: 78.2 against truncation at the same ratio on GSM8K, 40.2 against 7.0 on MATH-500",
        needs=("ability", "thought counts", "room"),
        primary=True,
    ),
    Claim(
        id="half_is_enough",
        text="At ratio 0.5 it loses at most 8 points against the full chain",
        kind="emergent",
        measure=gain("token_skip", "cot"),
        at_least=-0.08,
        because="Table 1: 86.7 to 78.2 on GSM8K, 48.2 to 40.2 on MATH-500, LLaMA-3.1-8B-Instruct",
        needs=("ability", "room"),
    ),
    Claim(
        id="ratio_is_obeyed",
        text="Asked for half of its thinking tokens it writes at most 0.55 of them",
        kind="by_construction",
        measure=saved("token_skip", "token_skip@ratio_1", "thinking_tokens"),
        at_least=0.45,
        because="Table 1: the actual ratio follows the asked one within 0.05 down to 0.5",
        needs=("ability",),
    ),
]
