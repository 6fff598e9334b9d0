"""Models from outside: where one is found, and what is known of it. Any of them may take the place of the zoo's.

path/to/folder            config.json, tokenizer and *.safetensors, or a single *.gguf
path/to/model.gguf
owner/name                on the Hugging Face Hub; owner/name@REVISION, owner/name/FILE.gguf
"""

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download, snapshot_download
from torch.utils.flop_counter import FlopCounterMode

from methods.kit.endpoint import Endpoint
from methods.kit.errors import Refused
from methods.kit.meter import forward_flops
from methods.kit.models import Role, as_role, first_line, load, read_tokenizer, refuse_pickles

HUB_ID = re.compile(r"(?P<repo>[\w.\-]+/[\w.\-]+)(?:/(?P<file>[\w.\-/]+\.gguf))?(?:@(?P<revision>[\w.\-/]+))?")
DESCRIPTION = ("*.json", "*.jinja", "tokenizer.model", "merges.txt", "vocab.txt")
WEIGHTS = ("*.safetensors", "*.gguf")


@dataclass(frozen=True)
class Guest:
    """A model in the place of all the zoo's. `closes`: what ends the thinking of one without a delimiter of its own.

    `most_tokens` caps its thinking, 0 leaves that to each method; `batch` problems are solved at a time. With `endpoint` it
    writes over there, and `files` has only its tokenizer.
    """

    name: str  # as it was asked for, without the folders of this machine
    files: Path  # a checkpoint folder, or a .gguf
    revision: str  # the Hub's commit; for a model from the disk a hash of its weights
    dtype: str = "float32"
    closes: str = ""
    endpoint: str = ""
    served_as: str = ""
    most_tokens: int = 0
    batch: int = 8
    weight_bytes: float = float("nan")  # as they were found; not a number where they are elsewhere

    def role(self, name: str, device: str) -> Role:
        """Raises `Refused` for what methods cannot drive or the meter cannot count."""
        if not self.endpoint:
            role = load(name, self.files, device, getattr(torch, self.dtype), self.closes)
            check_meter(role, str(self.files))
            return role
        role = as_role(name, None, read_tokenizer(self.files), str(self.files), self.closes)  # type: ignore[arg-type]
        role.server = Endpoint(self.endpoint, self.served_as)
        return role


def weights_of(files: Path) -> list[Path]:
    return [files] if files.is_file() else sorted(path for pattern in WEIGHTS for path in files.glob(pattern))


def find(asked: str, *, described_only: bool = False, **how: Any) -> Guest:
    """Looks on the disk, then on the Hub; `described_only` asks for no weights, `how` is kept as it is.

    Raises `Refused` where there is no such model, or only a pickle of it.
    """
    path = Path(asked).expanduser()
    if path.exists():
        files = path.resolve()
        if files.is_dir() and not list(files.glob("*.safetensors")) and len(own := list(files.glob("*.gguf"))) == 1:
            files = own[0]
        if not described_only:
            refuse_pickles(files)
            how |= {"weight_bytes": size(files)}
        return Guest(files.name, files, "" if described_only else hashed(files), **how)
    parts = HUB_ID.fullmatch(asked)
    if parts is None:
        raise Refused(f"{asked}: no such checkpoint folder or .gguf file, and no OWNER/NAME of the Hugging Face Hub")
    repo, file, revision = parts["repo"], parts["file"], parts["revision"]
    try:
        if file and not described_only:
            files = Path(hf_hub_download(repo, file, revision=revision))
        else:
            patterns = [*DESCRIPTION, *(() if described_only else ("*.safetensors",))]
            files = Path(snapshot_download(repo, revision=revision, allow_patterns=patterns))
    except Exception as error:  # the hub's errors share no base class
        raise Refused(f"{asked}: not found on the disk, and the Hub says: {first_line(error)}") from None
    commit = next((part for before, part in zip(files.parts, files.parts[1:]) if before == "snapshots"), "")
    if not described_only:
        refuse_pickles(files)
        how |= {"weight_bytes": size(files)}
    return Guest(asked.partition("@")[0], files, commit, **how)


def size(files: Path) -> float:
    return float(sum(path.stat().st_size for path in weights_of(files)))


def unpacked(guest: Guest, folder: Path) -> Guest:
    """A GGUF read once and kept below `folder` as safetensors, since reading it takes most of a minute; others as they are."""
    if guest.files.suffix != ".gguf" or guest.endpoint:
        return guest
    made = folder / f"{guest.files.stem}-{guest.revision[:12]}-{guest.dtype}"
    if not (made / "config.json").is_file():
        role = load("guest", guest.files, dtype=getattr(torch, guest.dtype), closes=guest.closes)
        unfinished = made.with_suffix(".part")
        model: Any = role.model
        model.hf_quantizer, model.config.quantization_config = None, None  # the weights are unpacked by now
        model.save_pretrained(unfinished)
        role.tokenizer.save_pretrained(unfinished)
        unfinished.rename(made)
    return replace(guest, files=made)


def hashed(files: Path) -> str:
    """sha256 over all weights, in the order of their names."""
    whole = hashlib.sha256()
    for path in weights_of(files):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()


@torch.inference_mode()
def check_meter(role: Role, where: str) -> None:
    """Raises `Refused` for an architecture whose FLOPs the meter counts otherwise than torch does."""
    ids = torch.full((1, 8), role.eos_id, device=role.device)
    model: Any = role.model
    model.set_attn_implementation("eager")  # torch does not count its CPU attention kernel
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, use_cache=False)
    model.set_attn_implementation("sdpa")
    ours, theirs = forward_flops(model.config, 8, 8, 8), counter.get_total_flops()
    if abs(ours / theirs - 1) > 0.02:
        raise Refused(
            f"{where}: model_type {model.config.model_type!r}: the meter knows gated dense decoders only and would count "
            f"{ours:.3g} FLOPs for 8 tokens where torch counts {theirs:.3g}"
        )
