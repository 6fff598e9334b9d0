"""arXiv identifiers: which strings are one, and where a URL prints one.

Grammar: https://info.arxiv.org/help/arxiv_identifier.html. `YYMM.NNNN` from April 2007, five digits from January 2015,
`archive/YYMMNNN` before.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

# The archives that issued old-style ids; a closed list.
ARCHIVES = frozenset(
    [
        "acc-phys", "adap-org", "alg-geom", "ao-sci", "astro-ph", "atom-ph", "bayes-an", "chao-dyn", "chem-ph",
        "cmp-lg", "comp-gas", "cond-mat", "cs", "dg-ga", "funct-an", "gr-qc", "hep-ex", "hep-lat", "hep-ph", "hep-th",
        "math", "math-ph", "mtrl-th", "nlin", "nucl-ex", "nucl-th", "patt-sol", "physics", "plasm-ph", "q-alg",
        "q-bio", "quant-ph", "solv-int", "supr-con",
    ]
)
HOSTS = frozenset({"arxiv.org", "www.arxiv.org", "export.arxiv.org", "browse.arxiv.org"})
FOLDERS = frozenset({"abs", "pdf", "html", "src", "e-print", "format", "ps"})
HUGS = frozenset({"huggingface.co", "hf.co"})
RESOLVERS = frozenset({"doi.org", "dx.doi.org", "www.doi.org"})
READERS = frozenset({"alphaxiv.org", "www.alphaxiv.org", "ar5iv.org", "ar5iv.labs.arxiv.org"})

_NEW = re.compile(r"(\d\d)(\d\d)\.(\d{4,5})", re.ASCII)
_OLD = re.compile(r"([a-z-]+)(?:\.[A-Z]{2})?/(\d\d)(\d\d)(\d{3})", re.ASCII)
_TAIL = re.compile(r"(?:\.?v(?P<version>[1-9]\d*))?(?:\.pdf|\.html|\.ps)?$", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True)
class Printed:
    """An id as a text prints it: `text` without version, `bare` the canonical id or None where `text` is not one."""

    text: str
    bare: str | None
    version: int | None


def bare(text: str) -> str | None:
    """The canonical id of `text` (no version), or None: `2502.155892` is no id and is never cut into one."""
    if found := _NEW.fullmatch(text):
        year, month, number = found.groups()
        five = year >= "15"
        if "01" <= month <= "12" and year + month >= "0704" and len(number) == (5 if five else 4) and int(number):
            return text
    elif found := _OLD.fullmatch(text):
        archive, year, month, number = found.groups()
        if archive in ARCHIVES and "01" <= month <= "12" and (year >= "91" or year + month <= "0703") and int(number):
            return f"{archive}/{year}{month}{number}"
    return None


def month(number: str) -> str:
    """`2025-02`, which a canonical id tells even where dates are not known."""
    digits = number.rpartition("/")[2][:4]
    return f"{'19' if digits[:2] > '90' else '20'}{digits[:2]}-{digits[2:]}"


def read(text: str) -> Printed | None:
    """An id typed by a person: `2502.15589`, `arXiv:2502.15589v2`, or a URL. None where it does not look like one."""
    text = text.strip()
    if "://" in text:
        return from_url(text)
    text = re.sub(r"^arxiv:\s*", "", text, flags=re.IGNORECASE)
    return _split(text) if re.match(r"\d{4}\.\d|[a-z-]+(\.[A-Z]{2})?/\d", text) else None


def from_url(url: str) -> Printed | None:
    """The id that a link prints, well-formed or not; None for a link that leads to no arXiv paper."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    steps = [step for step in unquote(parts.path).split("/") if step]
    folder = steps[0].lower() if len(steps) > 1 else ""
    if (host in HOSTS and folder in FOLDERS) or (host in READERS and folder) or (host in HUGS and folder == "papers"):
        rest = steps[1:]
    elif host in RESOLVERS and folder == "10.48550":
        rest = [re.sub(r"^arxiv[.:]", "", steps[1], flags=re.IGNORECASE), *steps[2:]]
    else:
        return None
    text = "/".join(rest[:2]) if not rest[0][:1].isdigit() and len(rest) > 1 else rest[0]
    return _split(text.strip()) if re.search(r"\d{4}", text) else None


def _split(text: str) -> Printed:
    tail = _TAIL.search(text)
    version = int(tail["version"]) if tail and tail["version"] else None
    body = text[: tail.start()] if tail else text
    return Printed(body, bare(body), version)
