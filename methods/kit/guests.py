"""Models from outside: where one is found, and what is known of it. Any of them may take the place of the zoo's.

    path/to/folder            config.json, tokenizer and *.safetensors, or a single *.gguf
    path/to/model.gguf
    owner/name                on the Hugging Face Hub; owner/name@REVISION, owner/name/FILE.gguf
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download, snapshot_download

from methods.kit.errors import Refused
from methods.kit.endpoint import Endpoint
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

    def role(self, name: str, device: str) -> Role:
        """Raises `Refused` for what methods cannot drive or the meter cannot count."""
        if not self.endpoint:
            return load(name, self.files, device, getattr(torch, self.dtype), self.closes)
        role = as_role(name, None, read_tokenizer(self.files), str(self.files), self.closes)  # type: ignore[arg-type]
        role.server = Endpoint(self.endpoint, self.served_as)
        return role

    @property
    def weight_bytes(self) -> float:
        """As they lie on the disk; not a number where they are elsewhere."""
        return float("nan") if self.endpoint else float(sum(path.stat().st_size for path in weights_of(self.files)))


def weights_of(files: Path) -> list[Path]:
    return [files] if files.is_file() else sorted(path for pattern in WEIGHTS for path in files.glob(pattern))


def find(asked: str, *, described_only: bool = False, **how: Any) -> Guest:
    """Looks on the disk, then on the Hub; `described_only` fetches no weights. Raises `Refused` where there is none, or only a pickle."""
    path = Path(asked).expanduser()
    if path.exists():
        files = path.resolve()
        if files.is_dir() and not list(files.glob("*.safetensors")) and len(own := list(files.glob("*.gguf"))) == 1:
            files = own[0]
        if not described_only:
            refuse_pickles(files)
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
    return Guest(asked.partition("@")[0], files, commit, **how)


def hashed(files: Path) -> str:
    """sha256 over all weights, in the order of their names."""
    whole = hashlib.sha256()
    for path in weights_of(files):
        with path.open("rb") as file:
            whole.update(hashlib.file_digest(file, "sha256").digest())
    return whole.hexdigest()
