"""Reading the TOML that people write: checked against a model, refused in one line that names file, key and value."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from catalog.errors import Refused, nearest


class Strict(BaseModel):
    """No unknown key, no silent conversion: a number is not a string, although it may look like an arXiv id."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Model = TypeVar("Model", bound=Strict)


def read(path: Path, model: type[Model], root: Path) -> Model:
    """`path` as a `model`. Raises `Refused` for what cannot be read, is no TOML or does not fit; one line each."""
    name = path.relative_to(root) if path.is_relative_to(root) else path
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Refused(f"{name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise Refused(f"{name}: not UTF-8 (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(f"{name}: not valid TOML: {error}") from None
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        # A misspelt key is both unknown and missing; the spelling is what helps.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        raise Refused(f"{name}: {_line(first, model, raw)}") from None


def _line(error: ErrorDetails, model: type[BaseModel], raw: Mapping[str, Any]) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    who = _label(error["loc"], raw)
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        known = _fields(error["loc"][:-1], model)
        return f"{where}{who}: unknown key {str(error['loc'][-1])!r}{nearest(str(error['loc'][-1]), known)}"
    if kind == "missing":
        return f"{where}{who}: missing"
    if kind == "string_type" and isinstance(value, (int, float)):
        return f"{where}{who}: must be a string in quotes, not the number {value!r}"
    if kind in ("literal_error", "enum"):
        choices = str(error.get("ctx", {}).get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ")
        return f"{where}{who}: {value!r} is not known{nearest(str(value), choices)}"
    reason = error["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(value, (dict, list)) else f" (found {str(value)[:80]!r})"
    return f"{where}{who}: {reason[:1].lower()}{reason[1:]}{shown}"


def _label(loc: tuple[int | str, ...], raw: Any) -> str:
    """` (id 'sft')` where the faulty place lies in a table that has an id: an index alone is hard to find."""
    found = ""
    for part in loc:
        try:
            raw = raw[part]
        except (KeyError, IndexError, TypeError):
            break
        if isinstance(raw, dict) and isinstance(raw.get("id"), str):
            found = f" (id {raw['id']!r})"
    return found


def _fields(loc: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys that the table at `loc` may hold."""
    here: Any = model
    for part in loc:
        if isinstance(part, str) and part in here.model_fields:
            here = here.model_fields[part].annotation
            while not (isinstance(here, type) and issubclass(here, BaseModel)):  # list[X], X | None → X
                inner = [kind for kind in getattr(here, "__args__", ()) if kind is not type(None)]
                if not inner:
                    return []
                here = inner[-1]
    return list(here.model_fields)
