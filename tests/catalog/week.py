"""A week at the made-up arXiv: what is announced on which day. Tests run it once in peace and once in trouble."""

from pathlib import Path

from tests.catalog.conftest import FIRST, Calendar, Laconic
from tests.catalog.loopback import Loopback

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (f"2026-03-{day}" for day in range(16, 21))

FIRST_URL, SECOND_URL = "someone/first-list/HEAD/README.md", "someone/second-list/HEAD/README.md"
ROWS = """
- [An Old Way of Counting Quietly](https://arxiv.org/abs/hep-th/9901001)
- [Found by Asking on Tuesday, and Listed](https://arxiv.org/abs/2603.00023)
"""


def fill(server: Loopback) -> None:
    """On Tuesday one listed paper gets a new title, another is withdrawn, an old one revised; each day brings new ones."""
    server.lists[FIRST_URL] = (FIRST + ROWS).encode()
    server.records |= {
        "2603.00015": ("Found by Asking on a Sunday", "2026-03-15"),
        "2603.00016": ("Found by Asking on Monday", MONDAY),
        "hep-th/9901001": ("An Old Way of Counting Quietly", "1999-01-04"),
        "2603.00021": ("Found by Asking on Tuesday", TUESDAY),
        "2603.00022": ("Nothing to Do with Any of This", TUESDAY),
        "2603.00023": ("Found by Asking on Tuesday, and Listed", TUESDAY),
        "2603.00031": ("Found by Asking on Wednesday", WEDNESDAY),
        "2603.00041": ("Found by Asking on Thursday", THURSDAY),
        "2603.00051": ("Found by Asking on Friday", FRIDAY),
    }
    server.revise("2501.00011", "Counting Sheep in Half the Steps", TUESDAY)
    server.revise("2503.00013", "Thinking Without a Word", TUESDAY, withdrawn=True)
    server.revise("hep-th/9901001", "An Old Way of Counting Quietly, Revisited", TUESDAY)


def updates(laconic: Laconic, on: Calendar, *moments: str) -> None:
    for moment in moments:
        on(moment)
        code, _, err = laconic("update")
        assert (code, err) == (0, ""), moment


def exported(laconic: Laconic, folder: Path) -> dict[str, bytes]:
    """What an export into a new folder says, by file."""
    code, _, err = laconic("export", str(folder))
    assert (code, err) == (0, "")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*.json*"))}
