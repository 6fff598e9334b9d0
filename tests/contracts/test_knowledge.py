"""Taxonomy, entries and errata: what is shipped is sound, and each mistake gets one line that says where and what."""

import re
import shutil
from pathlib import Path

import pytest

from catalog import entries, taxonomy
from catalog.auditing import errata
from catalog.errors import Refused

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / "catalog" / "entries", tmp_path / "catalog" / "entries")
    for name in ("taxonomy.toml", "errata.toml"):
        shutil.copy(REPOSITORY / "catalog" / name, tmp_path / "catalog" / name)
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def refusal(load: object, root: Path) -> str:
    with pytest.raises(Refused) as refused:
        load(root)  # type: ignore[operator]
    assert refused.value.exit_code == 1
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_facets_are_those_of_the_contract() -> None:
    tree = taxonomy.load(REPOSITORY)
    assert [facet.id for facet in tree.facets] == ["form", "training", "acts_on", "saves", "challenge", "domain", "scope"]
    assert [node.id for node in tree.children("form")] == ["explicit", "implicit", "both", "adjacent"]
    assert [node.id for node in tree.children("scope")] == ["in", "borderline", "out"]
    assert tree.facet_of("cot_preference_rl") == "form"


def test_every_tag_has_one_rule_and_two_different_border_cases() -> None:
    for node in taxonomy.load(REPOSITORY).nodes.values():
        assert node.rule.endswith(".")
        assert node.parent is None or (node.inside and node.outside and node.inside != node.outside)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'parent = "form"',
            'parent = "from"',
            "node[1] (id 'explicit').parent: unknown node 'from'; did you mean 'form'?",
        ),
        ('rule = "Where', 'ruel = "Where', "node[0].ruel (id 'form'): unknown key 'ruel'; did you mean 'rule'?"),
        (
            'rule = "What kind of optimization the method itself needs, beyond the model it starts from."',
            'rule = ""',
            "node[11].rule (id 'training'): string should have at least 1 character (found '')",
        ),
        ('id = "implicit"', 'id = "explicit"', "node[6].id: 'explicit' is defined twice"),
        (
            'title = "Training"',
            "title = 3",
            "node[11].title (id 'training'): must be a string in quotes, not the number 3",
        ),
        (
            'parent = "form"',
            'parent = "explicit"',
            "node[1] (id 'explicit').parent: 'explicit' makes a circle",
        ),
        ("version = 1", "version = ", "not valid TOML: Invalid value (at line 4, column 11)"),
        ('id = "both"', 'id = "Both!"', "node[9].id: 'Both!' must match [a-z][a-z0-9_]{1,40}"),
        (
            'inside = "TokenSkip: words',
            'insede = "TokenSkip: words',
            "node[1].insede (id 'explicit'): unknown key 'insede'; did you mean 'inside'?",
        ),
    ],
)
def test_a_mistake_in_the_taxonomy_is_named(root: Path, old: str, new: str, words: str) -> None:
    change(root / "catalog" / "taxonomy.toml", old, new)
    assert refusal(taxonomy.load, root) == f"catalog/taxonomy.toml: {words}"


def test_the_four_entries_are_there_with_numbers_that_say_where_they_stand() -> None:
    found = {entry.slug: entry for entry in entries.load(REPOSITORY)}
    assert {"direct", "cot", "token_skip", "coconut"} <= found.keys()
    assert found["direct"].written.paper is None
    numbers = list(found["token_skip"].reported)
    row = next(n for n in numbers if (n.benchmark, n.setting, n.metric) == ("GSM8K", "ratio 0.5", "accuracy"))
    assert (row.value, row.unit, row.direction, row.evidence, row.verified) == (78.2, "percent", "higher", "paper", True)
    for entry in found.values():
        for number in entry.reported:
            assert number.locator
            assert number.evidence != "memory" or not number.verified


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'arxiv = "2502.12067"',
            "arxiv = 2410.10630",
            "paper.arxiv: must be a string in quotes, not the number 2410.1063",
        ),
        (
            'arxiv = "2502.12067"',
            'arxiv = "2502.12067v2"',
            "paper.arxiv: must be an arXiv id without version, such as 2502.12067 (found '2502.12067v2')",
        ),
        (
            'training = ["sft"]',
            'training = ["stf"]',
            "facets.training: unknown tag 'stf'; did you mean 'sft'?",
        ),
        (
            'training = ["sft"]',
            'trainning = ["sft"]',
            "facets: unknown facet 'trainning'; did you mean 'training'?",
        ),
        ("summary = ", "sumary = ", "sumary: unknown key 'sumary'; did you mean 'summary'?"),
        (
            'evidence = "paper"\nverified = true\nlocator = "Table 1"',
            'evidence = "papre"\nverified = true\nlocator = "Table 1"',
            "reported[0].evidence: 'papre' is not known; did you mean 'paper'?",
        ),
        (
            'evidence = "paper"\nverified = true\nlocator = "Table 1"',
            'evidence = "memory"\nverified = true\nlocator = "Table 1"',
            "reported[0].verified: true, but evidence is 'memory': nobody has read the source",
        ),
        (
            "accuracy = 82.9",
            "acuracy = 82.9",
            "reported[0].rows[0].acuracy: unknown key 'acuracy'; did you mean 'accuracy'?",
        ),
        (
            "accuracy = 82.9",
            "accuracy = 829.0",
            "reported[0].rows[0].accuracy: input should be less than or equal to 100 (found '829.0')",
        ),
        (
            'url = "https://',
            'url = "javascript:https://',
            "code.url: must be an https:// address (found 'javascript:https://github.com/hemingkx/TokenSkip')",
        ),
        (
            'name = "TokenSkip"',
            'name = "<b>TokenSkip"',
            "name: may hold letters, digits, spaces and . , : + ( ) ' - alone (found '<b>TokenSkip')",
        ),
        (
            'name = "TokenSkip"',
            'name = "TokenSkip',
            "not valid TOML: Illegal character '\\n' (at line 1, column 18)",
        ),
    ],
)
def test_a_mistake_in_an_entry_is_named(root: Path, old: str, new: str, words: str) -> None:
    change(root / "catalog" / "entries" / "token_skip.toml", old, new)
    assert refusal(entries.load, root) == f"catalog/entries/token_skip.toml: {words}"


def test_a_slug_that_could_be_a_path_or_a_capital_is_refused(root: Path) -> None:
    folder = root / "catalog" / "entries"
    (folder / "direct.toml").rename(folder / "Direct-2.toml")
    assert refusal(entries.load, root) == "catalog/entries/Direct-2.toml: the slug 'Direct-2' must match [a-z][a-z0-9_]{1,40}"


def test_an_entry_that_is_not_utf8_or_cannot_be_read_is_named(root: Path) -> None:
    path = root / "catalog" / "entries" / "cot.toml"
    path.write_bytes(b'name = "\xff"')
    assert refusal(entries.load, root) == "catalog/entries/cot.toml: not UTF-8 (byte 8)"
    path.unlink()
    path.mkdir()
    assert refusal(entries.load, root) == "catalog/entries/cot.toml: cannot be read (Is a directory)"


def test_errata_say_which_row_what_and_where() -> None:
    found = errata.load(REPOSITORY)
    assert {"D1", "D2", "D3", "D4", "D9", "D11"} <= {erratum.id for erratum in found.errata if erratum.proved}
    assert {"D5", "D6", "D7"} <= {erratum.id for erratum in found.errata if not erratum.proved}
    for erratum in found.errata:
        assert erratum.place
        assert erratum.locator
        assert erratum.printed != erratum.found


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'work = "survey"',
            'work = "survy"',
            "erratum[0] (id 'D1').work: unknown work 'survy'; did you mean 'survey'?",
        ),
        ('id = "D2"', 'id = "D1"', "erratum[1] (id 'D1').id: defined twice"),
        (
            'evidence = "paper"',
            'evidence = "hearsay"',
            "erratum[0].evidence (id 'D1'): 'hearsay' is not known; known: official repository, paper, third party",
        ),
        (
            'arxiv = "2503.23077"',
            "arxiv = 2503.23077",
            "work[0].arxiv (id 'survey'): must be a string in quotes, not the number 2503.23077",
        ),
    ],
)
def test_a_mistake_in_the_errata_is_named(root: Path, old: str, new: str, words: str) -> None:
    change(root / "catalog" / "errata.toml", old, new)
    assert refusal(errata.load, root) == f"catalog/errata.toml: {words}"


def test_the_commands_that_contributing_names_exist() -> None:
    from scripts.__main__ import verbs

    text = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    assert set(re.findall(r"^laconic ([a-z-]+)", text, re.MULTILINE)) <= {name.replace("_", "-") for name in verbs()}
    targets = re.findall(r"make ([a-z]+)", text)
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    assert {"demo", "test"} <= set(targets)
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
    for path in re.findall(r"`((?:catalog|methods|tests)/[\w./]+)`", text):
        assert (REPOSITORY / path).exists() or "my_method" in path, path
