"""Models by role: the network, its tokenizer, and the ids of the marks a reasoning method needs.

Checkpoints are Hugging Face folders with safetensors weights; nothing here unpickles. The lab's own model is a small Llama
over a word-level vocabulary; any decoder-only `transformers` model with full attention takes its place.
"""

import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from methods.kit.errors import Refused

OPENS, CLOSES = "<think>", "</think>"
PAUSES = ("wait", "Wait", " wait", " Wait")  # where a reasoning model turns from one thought to the next


@dataclass
class Role:
    """One model in one role. `model` is any `nn.Module`; a language model also has `tokenizer`, `closes_id`, `eos_id`, `pad_id`."""

    name: str
    model: nn.Module
    tokenizer: Any = None
    closes_id: int = -1
    eos_id: int = -1
    pad_id: int = -1
    pause_ids: tuple[int, ...] = ()  # of PAUSES, those that are one token
    meter: Any = None  # set while a Meter watches this role
    cost: Any = None  # what its training took, where it was trained here

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def decode(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=False))

    def prompt(self, question: str) -> list[int]:
        """Ids of the question and the opening delimiter: where reasoning starts."""
        return self.encode(f"{question} {OPENS}")

    @property
    def width(self) -> int:
        """Size of its hidden states and input embeddings."""
        return int(self.model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device


Models = dict[str, Role]


def as_role(name: str, model: nn.Module, tokenizer: Any, where: str = "") -> Role:
    """Reads the marks from the tokenizer. Raises `Refused` for a model without a thinking delimiter of one token."""
    marks = {text: tokenizer(text, add_special_tokens=False)["input_ids"] for text in (OPENS, CLOSES)}
    for text, ids in marks.items():
        if len(ids) != 1 or ids[0] == tokenizer.unk_token_id:
            raise Refused(f"{where or name}: tokenizer has no single token {text!r}: not a model with a thinking delimiter")
    if tokenizer.eos_token_id is None:
        raise Refused(f"{where or name}: tokenizer key eos_token is not set")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    pauses = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in PAUSES]
    pause_ids = tuple(sorted({ids[0] for ids in pauses if len(ids) == 1 and ids[0] != tokenizer.unk_token_id}))
    return Role(name, model, tokenizer, marks[CLOSES][0], tokenizer.eos_token_id, pad, pause_ids)


def copy_of(role: Role, name: str) -> Role:
    """The same weights in a new role, to be trained without touching the first."""
    return replace(role, name=name, model=copy.deepcopy(role.model), meter=None, cost=None)


def word_tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    """A word-level tokenizer: one token a word, ids in the order given after the special ones."""
    specials = ["<pad>", "<eos>", "<unk>"]
    vocabulary = {word: i for i, word in enumerate([*specials, OPENS, CLOSES, *words])}
    inner = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    inner.pre_tokenizer = WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")


def small_llama(vocabulary: int, seed: int, layers: int = 3, width: int = 128, heads: int = 4, mlp: int = 384) -> LlamaForCausalLM:
    """The lab's reasoner before training: 0.65 M parameters by default, untied embeddings, initial deviation 0.08."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=mlp,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=1024,
        initializer_range=0.08,
        tie_word_embeddings=False,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=None,
    )
    return LlamaForCausalLM(config)


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Writes weights as bf16 safetensors with config and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().clone() for name, value in model.state_dict().items()}
    model.to(torch.bfloat16).save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    model.to(torch.float32).load_state_dict(weights)


def load(name: str, folder: Path | str, device: str = "cpu") -> Role:
    """A checkpoint folder → a role, in float32, evaluation mode.

    Raises `Refused` naming the folder and the config key for anything that is missing or that methods cannot drive.
    """
    where = Path(folder)
    if not where.is_dir():
        raise Refused(f"{folder}: no checkpoint for role {name!r} there (`laconic zoo` makes the shipped ones)")
    try:
        config = AutoConfig.from_pretrained(where, trust_remote_code=False)
        tokenizer = AutoTokenizer.from_pretrained(where, trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"{where}: cannot be read as a checkpoint: {str(error).splitlines()[0]}") from None
    kinds = set(getattr(config, "layer_types", None) or ())
    if kinds - {"full_attention"}:
        raise Refused(f"{where}/config.json: layer_types has {sorted(kinds)}: methods need full attention in every layer")
    if not kinds and getattr(config, "sliding_window", None):
        raise Refused(f"{where}/config.json: sliding_window = {config.sliding_window}: methods need full attention")
    try:
        model = AutoModelForCausalLM.from_pretrained(
            where, trust_remote_code=False, use_safetensors=True, dtype=torch.float32, attn_implementation="sdpa"
        )
    except Exception as error:  # safetensors, config and shape errors share no base class
        raise Refused(f"{where}: weights cannot be read: {str(error).splitlines()[0]}") from None
    return as_role(name, model.to(device).eval(), tokenizer, str(where))
