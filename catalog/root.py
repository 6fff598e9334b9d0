"""Where the checkout is."""

from pathlib import Path

from catalog.errors import Refused


def find_root(start: Path | None = None) -> Path:
    """The nearest parent of the working directory that holds `catalog/taxonomy.toml`.

    Raises `Refused` (exit 2) where there is none: Laconic works in a checkout.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "catalog" / "taxonomy.toml").is_file():
            return folder
    raise Refused(f"{here}: not inside a Laconic checkout (no parent holds catalog/taxonomy.toml)", exit_code=2)
