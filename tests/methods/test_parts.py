"""Parts of a record: the same from one process and from two, kept when finished, never taken from other code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from methods.kit import parts
from methods.kit.comparison import arms_of, rivals
from methods.kit.parts import Done, Part, do_all
from methods.kit.zoo import shipped


@pytest.fixture
def two(root: Path) -> list[Part]:
    zoo = shipped(root, "chains")
    return [*arms_of("bare", root, zoo, 0, 3), *arms_of("direct", root, zoo, 0, 3)]


def same(one: Done, other: Done) -> bool:
    return one.example == other.example and all(np.array_equal(one.values[name], other.values[name]) for name in one.values)


def test_workers_change_nothing(two: list[Part], tmp_path: Path) -> None:
    alone = do_all(two, 1, None, lambda _: None)
    together = do_all(two, 2, tmp_path, lambda _: None)
    again = do_all(two, 2, tmp_path, lambda _: None)
    for part in two:
        assert same(alone[part], together[part])
        assert same(alone[part], again[part])


def test_finished_parts_are_not_done_again(two: list[Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    do_all(two[:1], 1, tmp_path, lambda _: None)
    done: list[str] = []
    real = parts.do

    def watched(part: Part) -> Done:
        done.append(part.key)
        return real(part)

    monkeypatch.setattr(parts, "do", watched)
    do_all(two, 1, tmp_path, lambda _: None)
    assert done == ["direct"]


def test_an_interruption_keeps_what_was_finished(two: list[Part], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = parts.do

    def interrupted(part: Part) -> Done:
        if part.key == "direct":
            raise KeyboardInterrupt
        return real(part)

    monkeypatch.setattr(parts, "do", interrupted)
    with pytest.raises(KeyboardInterrupt):
        do_all(two, 1, tmp_path, lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == [f"{two[0].digest()}.npz"]


def test_other_code_settings_or_checkpoints_are_other_parts(two: list[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    first = two[0].digest()
    assert first == replace(two[0]).digest()
    assert first != two[1].digest()
    assert first != replace(two[0], per_level=4).digest()
    assert first != replace(two[0], budgets=(1,)).digest()
    monkeypatch.setattr(parts.record, "inputs", lambda *_: {"methods/kit/decoding.py": "changed"})
    assert first != two[0].digest()


def test_a_method_that_probes_meets_a_rival_of_its_own_cost(two: list[Part]) -> None:
    """Each chain cut at one fraction of its length, and in all as many tokens as the method and its probes."""
    rng = np.random.default_rng(0)
    chain, answer = rng.integers(40, 200, 500).astype(float), 3.0
    zeros = np.zeros(500)
    cot = {"thinking_tokens": chain + 1, "probe_tokens": zeros, "latent_positions": zeros, "tokens": chain + 1 + answer}
    thought, probes = np.round(rng.random(500) * chain), np.full(500, 6.0)
    own = {
        "thinking_tokens": thought + 1,
        "probe_tokens": probes,
        "latent_positions": zeros,
        "tokens": thought + 1 + probes + answer,
    }

    def done(values: dict[str, np.ndarray]) -> Done:
        return Done(values, np.zeros(0), [], 0.0)

    cuts = dict(rivals(two[0], done(own), done(cot)))
    assert list(cuts) == ["bare@truncated", "bare@fraction"]
    budgets = np.array(cuts["bare@fraction"].budgets)
    assert (budgets + 1 + answer).mean() == pytest.approx(own["tokens"].mean(), rel=0.01)  # budgets are whole tokens
    assert np.ptp(budgets / chain) < 0.03
    assert (np.array(cuts["bare@truncated"].budgets) == thought).all()
    silent = own | {"probe_tokens": zeros}
    assert list(dict(rivals(two[0], done(silent), done(cot)))) == ["bare@truncated"]
