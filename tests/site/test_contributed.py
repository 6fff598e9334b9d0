"""Records of models from outside: in a table of their own, escaped, sourced, and in no comparison with the lab's."""

import json
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from catalog.errors import Refused
from catalog.pages import records

NAME = "deer-owner-tiny-gsm8k.json"


def test_a_contributed_record_has_rows_of_its_own(site: Path) -> None:
    page = BeautifulSoup((site / "compare.html").read_text("utf-8"), "html.parser")
    rows = page.select("table.contributed tbody tr")
    assert [[cell.get_text() for cell in row.select("td code")][:2] for row in rows] == [
        ["gsm8k", "cot"], ["gsm8k", "direct"], ["gsm8k", "deer"],
    ]  # fmt: skip
    assert rows[0].select_one("th code").get_text() == "owner/tiny<b>{: .x }"  # type: ignore[union-attr]
    assert not page.select("table.contributed b")
    assert {"0123abcd", "bfloat16", "cuda (a card)"} <= {cell.get_text() for cell in rows[0].select("code")}
    sources = [str(cell["data-source"]) for cell in rows[2].select("data")]
    assert page.select_one("table.contributed")["data-file"] == f"methods/results/contributed/{NAME}"  # type: ignore[index]
    assert sources[0] == "results.deer.accuracy"
    assert "gsm8k" not in " ".join(heading.get_text() for heading in page.select("article h2"))


def test_one_that_is_no_record_is_named(tmp_path: Path) -> None:
    folder = tmp_path / records.CONTRIBUTED
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(json.dumps({"method": "deer"}))
    with pytest.raises(Refused, match=r"contributed/x.json: no record: the key 'protocol' is missing"):
        records.contributed(tmp_path, lambda record, root: [])
