"""What the survey prints in its Tables 1 and 2, slips included: one side of the audit."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from catalog.entries import check_arxiv_id
from catalog.toml import Strict, read

FILE = Path("catalog/survey.toml")


class Method(Strict):
    """A row of Table 1. `models_read` spells out what `models` abbreviates."""

    row: int
    slug: str
    form: str
    training: str
    models: list[str]
    models_read: list[str] = []
    applications: list[str]


class Result(Strict):
    """A row of Table 2. `settings` are the rows of the method's entry that the printed label can stand for."""

    row: int
    slug: str
    benchmark: str
    setting: str
    model: str
    backbone: str = ""  # the model's name in our entries, where it differs
    settings: list[str]
    accuracy: float
    tokens: float | None = None


class Survey(Strict):
    arxiv: Annotated[str, AfterValidator(check_arxiv_id)]
    title: str
    version: str
    read_in: str
    checked: str
    method: list[Method]
    result: list[Result]


def load(root: Path) -> Survey:
    """Raises `Refused` (exit 1) that names file, key and value."""
    return read(root / FILE, Survey, root)
