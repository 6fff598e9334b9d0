"""Policy gradient: sample chains in groups, reward them, make what did better than its group likelier. One loop for all of it.

What a method brings are plain functions: how a group of chains is rewarded, how rewards become advantages, and what is minimized.
Where the chains come from is a function too: `online` samples them from the model as it is; kept ones make the loop offline.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from torch.nn import functional as F

from methods.kit.decoding import decode
from methods.kit.method import Item
from methods.kit.models import Role
from methods.kit.sampling import right
from methods.kit.training import KEPT_EVERY, Cost, Recipe, optimize

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Group:
    """Chains for one problem, end mark included where there is one, and what each earned."""

    prompt: list[int]
    chains: list[list[int]]
    rewards: list[float]


@dataclass(frozen=True)
class Plan:
    """A round samples `samples` chains for each of `groups` problems and takes `updates` optimizer steps, each on its share of
    the groups; from the second on the model is no longer the one that wrote the chains."""

    rounds: int
    groups: int = 8
    samples: int = 8
    updates: int = 2
    rate: float = 3e-4
    warm_up: int = 5
    most_tokens: int = 330


Groups = Callable[[int], list[Group]]  # of a round
Reward = Callable[[int, Sequence[int], Sequence[bool]], list[float]]  # of one group: the round, lengths, which are right
Advantage = Callable[[torch.Tensor], torch.Tensor]  # rewards of one group (K,) to advantages (K,)
# log-probabilities (B, T) now and when the round began, which positions count (B, T), advantages (B,): what to minimize
Objective = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


# ---- advantages and objectives -----------------------------------------------------------------------------------------------


def centred(rewards: torch.Tensor) -> torch.Tensor:
    """What a chain earned above the mean of its group."""
    return rewards - rewards.mean()


def standardized(rewards: torch.Tensor) -> torch.Tensor:
    """The same in standard deviations of the group: GRPO. A group that earned alike has none."""
    return centred(rewards) / (rewards.std(correction=0) + 1e-6)


def without_itself(rewards: torch.Tensor) -> torch.Tensor:
    """What a chain earned above the mean of the others: RLOO."""
    return centred(rewards) * len(rewards) / (len(rewards) - 1)


def clipped(low: float, high: float) -> Objective:
    """PPO's objective, as GRPO uses it: each token's ratio of probabilities, held between 1 - low and 1 + high."""

    def objective(now: torch.Tensor, before: torch.Tensor, counts: torch.Tensor, advantages: torch.Tensor) -> torch.Tensor:
        ratio, gain = torch.exp(now - before), advantages[:, None]
        lesser = torch.minimum(ratio * gain, ratio.clamp(1 - low, 1 + high) * gain)
        return -((lesser * counts).sum(1) / counts.sum(1)).mean()

    return objective


# ---- the loop ------------------------------------------------------------------------------------------------------------------


def online(role: Role, items: Sequence[Item], reward: Reward, plan: Plan, seed: int) -> Groups:
    """Groups sampled at temperature 1 from the model as it is when the round begins. Round r has `items` of its own."""

    def groups(turn: int) -> list[Group]:
        own = [items[(turn * plan.groups + i) % len(items)] for i in range(plan.groups)]
        rows = [role.prompt(item.question) for item in own for _ in range(plan.samples)]
        generator = torch.Generator().manual_seed(1_000_003 * seed + turn)
        chains = decode(role, rows, [role.eos_id], plan.most_tokens, 1.0, generator)
        found = []
        for i, item in enumerate(own):
            mine = chains[i * plan.samples : (i + 1) * plan.samples]
            good = [right(role, chain, item) for chain in mine]
            found.append(Group(role.prompt(item.question), mine, reward(turn, [len(chain) for chain in mine], good)))
        return found

    return groups


def log_probabilities(role: Role, groups: Sequence[Group]) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each chain's tokens, and which positions are theirs: both (B, T)."""
    rows = [(len(group.prompt), group.prompt + chain) for group in groups for chain in group.chains]
    width = max(len(row) for _, row in rows)
    ids = torch.tensor([row + [role.pad_id] * (width - len(row)) for _, row in rows], device=role.device)
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for _, row in rows], device=role.device)
    theirs = torch.tensor([[0] * (start - 1) + [1] * (len(row) - start) + [0] * (width - len(row)) for start, row in rows])
    logits = role.model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1]
    found = -F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
    return found * theirs.to(role.device), theirs.to(role.device)


def improve(
    role: Role,
    groups: Groups,
    advantage: Advantage,
    objective: Objective,
    plan: Plan,
    watch: Callable[[int, list[Group]], None] | None = None,
) -> Cost:
    """Trains the model on the groups of each round; sampling counts in the cost. `watch(round, groups)` sees every round.

    Goes on from an interruption where `resumable` says so. Raises `Refused` when the loss is not a number.
    """
    assert plan.groups % plan.updates == KEPT_EVERY % plan.updates == 0, "a round must be resumable as a whole"
    share = plan.groups // plan.updates
    now: list[Group] = []
    before: list[torch.Tensor] = []

    def loss_of(step: int) -> torch.Tensor:
        turn, update = divmod(step, plan.updates)
        if update == 0:
            now[:] = groups(turn)
            with torch.no_grad():
                before[:] = [log_probabilities(role, now[i : i + share])[0] for i in range(0, len(now), share)]
            lengths = [len(chain) for group in now for chain in group.chains]
            rewards = [reward for group in now for reward in group.rewards]
            log.info("round %d: reward %.3f, %.1f tokens", turn, sum(rewards) / len(rewards), sum(lengths) / len(lengths))
            if watch:
                watch(turn, list(now))
        mine = now[update * share : (update + 1) * share]
        advantages = torch.cat([advantage(torch.tensor(group.rewards)) for group in mine]).to(role.device)
        found, theirs = log_probabilities(role, mine)
        return objective(found, before[update], theirs, advantages)

    recipe = Recipe(
        plan.rounds * plan.updates, rate=plan.rate, batch=plan.groups * plan.samples, warm_up=plan.warm_up, decay_from=0.5
    )
    role.model.train()
    cost = optimize({role.name: role}, role.model.parameters(), count(), loss_of, recipe)
    role.model.eval()
    return cost
