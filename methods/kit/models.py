"""Models by role: the network, its tokenizer, and the ids of the marks a reasoning method needs.

Checkpoints are Hugging Face folders with safetensors weights, or GGUF files; nothing here unpickles. The lab's own model is a
small Llama over a word-level vocabulary; any decoder-only `transformers` model with full attention takes its place.
"""

import copy
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
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
# What opens and ends the thinking of reasoning models that are at hand; the first pair of which each is one token is taken.
DELIMITERS = ((OPENS, CLOSES), ("[THINK]", "[/THINK]"), ("<thought>", "</thought>"), ("<seed:think>", "</seed:think>"))
PAUSES = ("wait", "Wait", " wait", " Wait")  # where a reasoning model turns from one thought to the next
NEEDED_KEYS = ("num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size", "vocab_size")
LINE_ENDS = ("\n", "\n\n", ".\n", ".\n\n")  # where a model that was not made to reason does


@dataclass
class Role:
    """One model in one role. `model` is any `nn.Module`; a language model also has `tokenizer`, `closes_id`, `eos_id`, `pad_id`."""

    name: str
    model: nn.Module
    tokenizer: Any = None
    closes_id: int = -1
    eos_id: int = -1
    pad_id: int = -1
    pause_ids: tuple[int, ...] = ()  # the tokens that turn a thought
    opens: str = OPENS  # empty where the model has no thinking delimiter of its own and is told in words to write `closes_id`
    meter: Any = None  # set while a Meter watches this role
    cost: Any = None  # what its training took, where it was trained here
    server: Any = None  # an endpoint that writes in the place of `model`, which is None then

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def decode(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=False))

    def prompt(self, question: str) -> list[int]:
        """Ids of the question and the opening delimiter: where reasoning starts. With the model's chat template, if it has one."""
        if not self.opens:
            question += f"\nThink step by step. Then write {self.decode([self.closes_id])}: and only the answer itself."
        if getattr(self.tokenizer, "chat_template", None):
            turns = [{"role": "user", "content": question}]
            text = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
            if self.opens and not text.rstrip().endswith(self.opens):  # some templates write it themselves
                text += f"{self.opens}\n"
            return self.encode(text)
        ids = list(self.tokenizer(f"{question} {self.opens}".rstrip())["input_ids"])
        return ids[:-1] if ids[-1:] == [self.eos_id] else ids

    @property
    def width(self) -> int:
        """Size of its hidden states and input embeddings."""
        return int(self.model.config.hidden_size)  # type: ignore[union-attr, arg-type]

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device


Models = dict[str, Role]


def as_role(name: str, model: nn.Module, tokenizer: Any, where: str = "", closes: str = "") -> Role:
    """Reads the marks from the tokenizer. `closes` is what ends the thinking of a model that has no delimiter of its own.

    Raises `Refused` for a model without a thinking delimiter of one token, and for one whose text never ends.
    """

    def single(texts: Sequence[str]) -> list[int]:
        found = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        return [ids[0] for ids in found if len(ids) == 1 and ids[0] != tokenizer.unk_token_id]

    pairs = [("", closes)] if closes else [pair for pair in DELIMITERS if len(single(pair)) == 2]
    if not pairs or not single(pairs[0][1:]):
        what = repr(closes) if closes else f"{OPENS!r} and {CLOSES!r}"
        raise Refused(
            f"{where or name}: its tokenizer has no single token for {what}: not a model with a thinking delimiter; "
            "--closes TEXT names a word of one token that ends its thinking"
        )
    if tokenizer.eos_token_id is None:
        raise Refused(f"{where or name}: tokenizer key eos_token is not set")
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    opens, ends = pairs[0]
    pauses = tuple(sorted(set(single(PAUSES if opens else LINE_ENDS))))
    return Role(name, model, tokenizer, single([ends])[0], tokenizer.eos_token_id, pad, pauses, opens)


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


def load(name: str, folder: Path | str, device: str = "cpu", dtype: torch.dtype = torch.float32, closes: str = "") -> Role:
    """A checkpoint folder or a `.gguf` file → a role, in evaluation mode.

    Raises `Refused` naming the folder and the config key for anything that is missing or that methods cannot drive.
    """
    where = Path(folder)
    if not where.exists():
        raise Refused(f"{folder}: no checkpoint for role {name!r} there (`laconic zoo` makes the shipped ones)")
    refuse_pickles(where)
    tokenizer = read_tokenizer(where)
    check_config(where)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            **source_of(where), trust_remote_code=False, use_safetensors=True, dtype=dtype, attn_implementation="sdpa"
        )
    except Exception as error:  # safetensors, config and shape errors share no base class
        raise Refused(f"{where}: weights cannot be read: {first_line(error)}") from None
    return as_role(name, model.to(device).eval(), tokenizer, str(where), closes)


def refuse_pickles(where: Path) -> None:
    """Raises `Refused` where there are no weights in a format that holds numbers only."""
    if where.is_file() or list(where.glob("*.safetensors")):
        return
    pickles = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth", "*.ckpt") for path in where.glob(pattern))
    if pickles:
        raise Refused(f"{where / pickles[0]}: a pickle can run code, so only safetensors and GGUF are read")
    raise Refused(f"{where}: no weights there: neither *.safetensors nor a single *.gguf")


def source_of(where: Path) -> dict[str, str]:
    """How `transformers` is told of a checkpoint. Raises `Refused` for a file that is no GGUF, or that nothing here can read."""
    if where.is_dir():
        return {"pretrained_model_name_or_path": str(where)}
    missing = [package for package in ("gguf", "accelerate") if find_spec(package) is None]
    if missing:
        raise Refused(f"{where}: needs {' and '.join(missing)}: pip install -c constraints.txt -e '.[methods,pretrained]'")
    with where.open("rb") as file:
        magic = file.read(8)
    if len(magic) < 8 or magic[:4] != b"GGUF" or struct.unpack("<I", magic[4:])[0] not in (2, 3):
        raise Refused(f"{where}: not a GGUF file of version 2 or 3")
    return {"pretrained_model_name_or_path": str(where.parent), "gguf_file": where.name}


def read_tokenizer(where: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(**source_of(where), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"{where}: cannot be read as a checkpoint: {first_line(error)}") from None


def check_config(where: Path) -> None:
    """Refuses an architecture that methods cannot drive: the cache of each layer must hold every position."""
    try:
        config = AutoConfig.from_pretrained(**source_of(where), trust_remote_code=False)
    except (OSError, ValueError, KeyError) as error:
        raise Refused(f"{where}: cannot be read as a checkpoint: {first_line(error)}") from None
    file = where if where.is_file() else where / "config.json"
    kinds = set(getattr(config, "layer_types", None) or ())
    if kinds - {"full_attention"}:
        raise Refused(f"{file}: layer_types has {sorted(kinds)}: methods need full attention in every layer")
    if not kinds and getattr(config, "sliding_window", None):
        raise Refused(f"{file}: sliding_window = {config.sliding_window}: methods need full attention")
    if config.is_encoder_decoder:
        raise Refused(f"{file}: is_encoder_decoder is true: methods need a decoder alone")
    missing = [key for key in NEEDED_KEYS if not isinstance(getattr(config, key, None), int)]
    if missing:
        raise Refused(f"{file}: model_type {config.model_type!r} has no {', '.join(missing)}: not a gated decoder with attention")


def first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
