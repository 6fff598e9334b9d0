"""LightThinker: after each thought a few gist tokens take it in, and the thought itself leaves the cache.

Paper: Zhang et al., "LightThinker: Thinking Step-by-Step Compression", arXiv 2502.15589 (EMNLP 2025).
Idea: what a thought established is little; tokens made for it can hold it, and what comes later attends to them alone. What is
    written stays as long as it was; what has to be kept in memory does not.
Kept: a mark the model writes at a thought's end, gist tokens and a token to go on from, which are fed and not written; the mask in
    training (gists see the question, earlier gists and their own thought; whatever follows does not see the thought); no loss on
    the tokens fed; positions that run on; eviction from the cache when the gists are in.
Left out: a data set of another model's chains: here they are the model's own greedy ones, correct ones only. Thoughts end where
    a line does, but for lines too short to be worth it. Full fine-tuning as in the paper; the new tokens are all that is added.
Rival: gists at token level, the paper's other variant, cut every so many tokens wherever that falls, as many gists each; its cuts
    are set such that its peak is no smaller.
Caution: the rival had as many training steps and had hardly learned by then, so part of the distance between the two is speed of
    learning; and this method's own loss was still falling.
"""

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import torch

from methods.kit.claims import Claim, gain, saved
from methods.kit.decoding import State, evict, reason
from methods.kit.method import Data, Output, Prompt
from methods.kit.models import OPENS, Models, Role, as_role
from methods.kit.sampling import own_chains
from methods.kit.training import IGNORED, Example, Recipe, train

ROLES: tuple[str, ...] = ()
FROM = ("long",)
NEEDS = "weights"
MARK, ON = "<w>", "<o>"  # a thought ends here; the next one goes on from here
LINE_ENDS = (";", " ;", ".\n", "\n", "\n\n")  # where a thought may end, of those that are one token


@dataclass(frozen=True)
class Config:
    gists: int = 2  # |C| (section 4: 9 a thought for Qwen, 7 for LLaMA, thoughts being paragraphs; 2 at token level)
    least: int = 12  # a thought has at least so many tokens; two steps here, mostly
    every: int = 0  # cut after so many tokens instead of at line ends: token level (section 4: 6)
    chains: int = 1200  # the model's own; the paper: 17 k of a data set
    steps: int = 900
    batch: int = 16
    rate: float = 1e-3
    most_thinking_tokens: int = 480  # marks and gists included


ARMS = {"": Config(), "token_level": Config(every=14)}


def checkpoint(config: Config) -> str:
    return "token_level" if config.every else "thought"


def fed_after(role: Role, config: Config) -> list[int]:
    """What is fed after a mark: the gists, and the token to go on from."""
    return role.encode(" ".join([*(f"<c{i}>" for i in range(config.gists)), ON]))


def line_ends(role: Role) -> frozenset[int]:
    ids = [role.encode(text) for text in LINE_ENDS]
    return frozenset(own[0] for own in ids if len(own) == 1 and own[0] != role.tokenizer.unk_token_id)


def ends_thought(token: int, length: int, config: Config, ends: frozenset[int]) -> bool:
    """Whether a thought of `length` tokens, the last of them `token`, is one."""
    return length == config.every if config.every else length >= config.least and token in ends


@torch.inference_mode()
def generate(models: Models, prompts: list[Prompt], config: Config, seed: int) -> list[Output]:
    role = models["lightthinker"]
    rows = [role.prompt(prompt.question) for prompt in prompts]
    after, mark = torch.tensor(fed_after(role, config)), role.encode(MARK)[0]
    length = torch.zeros(len(rows), dtype=torch.long)  # of the thought being written
    due = torch.zeros(len(rows), dtype=torch.long)  # how many of the tokens after a mark are still to be fed
    thinking = torch.ones(len(rows), dtype=torch.bool)

    def condense(state: State, alive: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Puts the tokens to be fed in place of those written, and drops a thought once its last gist is in."""
        full = due[alive] == 1
        if full.any():
            place = torch.arange(state.mask.shape[1], 0, -1)[None]  # 1 is the newest
            gone = (place > config.gists) & (place <= config.gists + 1 + length[alive][:, None]) & full[:, None]
            evict(state, gone.to(state.mask.device))
            length[alive[full]] = 0
        written, feeding = chosen.cpu(), due[alive] > 0
        over = (length[alive] == config.every) & (written != role.closes_id) if config.every else written == mark
        over &= thinking[alive] & ~feeding
        written = torch.where(feeding, after[-due[alive]], torch.where(over, mark, written))
        due[alive] = torch.where(over, len(after), due[alive] - feeding.long())
        length[alive] += (~feeding & ~over).long()
        thinking[alive] &= written != role.closes_id
        return written.to(chosen.device)

    return reason(role, rows, prompts, config.most_thinking_tokens, steer=condense)


# ---- training --------------------------------------------------------------------------------------------------------------


def with_gists(role: Role, chain: list[int], config: Config, ends: frozenset[int]) -> Example:
    """The chain with a mark, gists and the token to go on from after each thought but the last. No loss on what is fed; at token
    level none on the mark either, since nobody has to write it."""
    mark, after = role.encode(MARK), fed_after(role, config)
    ids, labels, length = list[int](), list[int](), 0
    end = chain.index(role.closes_id)
    for i, token in enumerate(chain):
        ids.append(token)
        labels.append(token)
        length += 1
        if i + 1 < end and ends_thought(token, length, config, ends):
            ids += mark + after
            labels += (mark if not config.every else [IGNORED]) + [IGNORED] * len(after)
            length = 0
    return ids, labels


def visible(ids: torch.Tensor, mask: torch.Tensor, opens: int, after: list[int]) -> torch.Tensor:
    """Who may see whom (B, 1, T, T): all see the question and earlier gists; those of one thought, its gists included, that."""
    on = ids == after[-1]
    thought = on.cumsum(1) - on.long()  # the token to go on from still counts with the thought before
    question = (ids == opens).flip(1).cumsum(1).flip(1) > 0
    kept = question | torch.isin(ids, torch.tensor(after, device=ids.device))
    together = (thought[:, :, None] == thought[:, None, :]) & ~on[:, :, None]
    earlier = torch.ones(ids.shape[1], ids.shape[1], dtype=torch.bool, device=ids.device).tril()
    itself = torch.eye(ids.shape[1], dtype=torch.bool, device=ids.device)
    seen = ((kept[:, None, :] | together) & mask[:, None, :].bool() & earlier) | (itself & mask[:, None, :].bool())
    return seen[:, None]


def prepare(models: Models, data: Data, config: Config, seed: int) -> Models:
    """Fine-tunes the model, its vocabulary grown by the new tokens, on its own chains under the mask. Adds `lightthinker`."""
    torch.manual_seed(seed)
    long = models["long"]
    written, sampled = own_chains(long, list(islice(data.items(5000 + seed), config.chains)), config.most_thinking_tokens)
    role = grown(long, config)
    ends, opens, rng = line_ends(role), role.encode(OPENS)[0], random.Random(seed)

    def examples() -> Iterator[Example]:
        while True:
            item, (chain,) = rng.choice(written)
            prompt, (ids, labels) = role.prompt(item.question), with_gists(role, chain, config, ends)
            yield prompt + ids, [IGNORED] * len(prompt) + labels

    attend = partial(visible, opens=opens, after=fed_after(role, config))
    role.cost = sampled + train(role, examples(), Recipe(config.steps, rate=config.rate, batch=config.batch), seed, attend=attend)
    return {**models, "lightthinker": role}


def grown(role: Role, config: Config) -> Role:
    """A copy of the model with the new tokens in its vocabulary."""
    model, tokenizer = copy.deepcopy(role.model), copy.deepcopy(role.tokenizer)
    tokenizer.add_tokens([MARK, *(f"<c{i}>" for i in range(config.gists)), ON], special_tokens=True)
    model.resize_token_embeddings(len(tokenizer))  # type: ignore[operator]
    return as_role("lightthinker", model, tokenizer)


CLAIMS = [
    Claim(
        id="beats_token_level",
        text="It is at least 2 points more accurate than gists at token level, at a peak of the cache no larger (2 % allowed)",
        kind="emergent",
        measure=lambda means: np.where(
            saved("lightthinker", "lightthinker@token_level", "cache_bytes")(means) >= -0.02,
            gain("lightthinker", "lightthinker@token_level")(means),
            -1.0,
        ),
        at_least=0.02,
        because="Table 1: 90.1 against 87.1 (Qwen) and 88.3 against 85.5 (Llama) on GSM8K, there even at a smaller peak",
        needs=("ability", "thought counts"),
        primary=True,
    ),
    Claim(
        id="half_the_cache",
        text="At its peak the cache is at least 50 % smaller than the full chain's",
        kind="by_construction",
        measure=saved("lightthinker", "cot", "cache_bytes"),
        at_least=0.50,
        because="Table 1: 2,086 to 676 positions (Qwen), 1,986 to 629 (Llama); the question weighs more where chains are short",
        needs=("ability",),
    ),
    Claim(
        id="loses_little",
        text="It loses at most 3 points against the full chain",
        kind="emergent",
        measure=gain("lightthinker", "cot"),
        at_least=-0.03,
        because="Table 1: 90.9 to 90.1 (Qwen), 91.4 to 88.3 (Llama) on GSM8K",
        needs=("ability", "thought counts"),
    ),
]
