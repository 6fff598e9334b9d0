"""Models from outside: found on the disk, checked before they are driven, never unpickled."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from methods import cot
from methods.kit import guests, parts
from methods.kit.errors import Refused
from methods.kit.guests import Guest, check_meter, find
from methods.kit.models import Role, as_role, load, small_llama, word_tokenizer
from methods.kit.parts import Part, do
from methods.kit.runner import check_context, measure
from methods.kit.tasks import chains
from methods.kit.training import Recipe, supervised, train
from methods.kit.zoo import Zoo, as_recorded, fingerprints, load_models


def copied(folder: Path, to: Path) -> Path:
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def refused(line: str) -> Any:
    return pytest.raises(Refused, match=line)


def test_a_folder_is_known_by_its_weights_and_named_without_where_it_lies(bpe_checkpoint: Path, tmp_path: Path) -> None:
    one = find(str(bpe_checkpoint))
    assert one.name == bpe_checkpoint.name
    assert one.weight_bytes == (bpe_checkpoint / "model.safetensors").stat().st_size
    other = copied(bpe_checkpoint, tmp_path)
    assert find(str(other)).revision == one.revision
    weights = bytearray((other / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (other / "model.safetensors").write_bytes(weights)
    assert find(str(other)).revision != one.revision


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth"])
def test_a_pickle_is_refused_unread(bpe_checkpoint: Path, tmp_path: Path, name: str) -> None:
    folder = copied(bpe_checkpoint, tmp_path)
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(b"cos\nsystem\n(S'touch broken'\ntR.")
    for read in (find, lambda where: load("long", where)):
        with refused(f"{name}: a pickle can run code"):
            read(str(folder))


def test_neither_path_nor_id(tmp_path: Path) -> None:
    with refused("no such checkpoint folder"):
        find(str(tmp_path / "nowhere"))
    with refused("no such checkpoint folder"):
        find("nowhere")
    with refused("no weights there"):
        find(str(tmp_path))


def test_an_id_is_asked_of_the_hub_without_weights_that_can_run_code(monkeypatch: pytest.MonkeyPatch, bpe_checkpoint: Path) -> None:
    asked: list[Any] = []
    folder = bpe_checkpoint.parent / "models--a--b" / "snapshots" / "0123abc"
    folder.mkdir(parents=True, exist_ok=True)
    copied(bpe_checkpoint, folder)

    def download(repo: str, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repo, revision, allow_patterns))
        return str(folder)

    monkeypatch.setattr(guests, "snapshot_download", download)
    found = find("a/b@main")
    assert (found.name, found.revision) == ("a/b", "0123abc")
    (repo, revision, patterns) = asked[0]
    assert (repo, revision) == ("a/b", "main")
    assert not [pattern for pattern in patterns if "bin" in pattern or ".py" in pattern or pattern == "*"]


def test_the_hubs_no_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*_: Any, **__: Any) -> str:
        raise OSError("cannot be\nreached")

    monkeypatch.setattr(guests, "snapshot_download", download)
    with refused("^a/b: not found on the disk, and the Hub says: cannot be$"):
        find("a/b")


@pytest.mark.parametrize("content", [b"", b"GGUF", b"GGUF" + struct.pack("<I", 9), b"<html>no</html>"])
def test_a_file_that_is_no_gguf(tmp_path: Path, content: bytes) -> None:
    pytest.importorskip("gguf")
    pytest.importorskip("accelerate")
    (tmp_path / "model.gguf").write_bytes(content)
    with refused("not a GGUF file"):
        load("long", find(str(tmp_path)).files)


# ---- what methods cannot drive ---------------------------------------------------------------------------------------------


def test_a_model_without_a_delimiter_may_be_told_of_one(bpe_checkpoint: Path, tmp_path: Path) -> None:
    """With a word of one token for it the model is told so, and made to answer where it would end its turn."""
    folder = copied(bpe_checkpoint, tmp_path)
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace("think>", "thunk>"))
    with refused("--closes TEXT"):
        load("long", folder)
    with refused("no single token for 'Answer'"):
        load("long", folder, closes="Answer")
    role = load("long", folder, closes="?")
    assert role.decode([role.closes_id]) == "?"
    assert "Then write ?: and only the answer" in role.decode(role.prompt("1 + 1"))
    problems = chains.draws("test", 1, 0, 4)
    config = cot.Config(most_thinking_tokens=9)
    outputs = measure(cot, {"long": role}, config, problems, 0).outputs
    assert all(output.written("thinking")[-1] == role.closes_id for output in outputs)
    assert all(output.count("thinking") <= 9 + 1 and output.count("answer") for output in outputs)


def test_a_chat_template_is_used_and_its_own_mark_not_repeated(reasoner: Role) -> None:
    reasoner.tokenizer.chat_template = "{% for m in messages %}x {{ m.content }} y {% endfor %}"
    assert reasoner.decode(reasoner.prompt("1 + 2")).split() == ["x", "1", "+", "2", "y", "<think>"]
    reasoner.tokenizer.chat_template += "<think>\n"
    assert reasoner.decode(reasoner.prompt("1 + 2")).split() == ["x", "1", "+", "2", "y", "<think>"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 0, "layer_types": None}, "sliding"),
        ({"layer_types": ["full_attention", "linear_attention"]}, "linear_attention"),
        ({"layer_types": ["chunked_attention", "full_attention"]}, "chunked_attention"),
        ({"is_encoder_decoder": True}, "is_encoder_decoder"),
        ({"model_type": "mamba"}, "linear_attention"),
        ({"model_type": "gpt2"}, "'gpt2' has no intermediate_size"),
    ],
)
def test_a_cache_that_does_not_hold_everything(bpe_checkpoint: Path, tmp_path: Path, config: dict[str, Any], said: str) -> None:
    folder = copied(bpe_checkpoint, tmp_path)
    whole = json.loads((folder / "config.json").read_text()) | config
    if "model_type" in config:
        whole = {**config, "hidden_size": 32, "num_hidden_layers": 2, "vocab_size": whole["vocab_size"]}
    (folder / "config.json").write_text(json.dumps(whole))
    with refused(said) as error:
        load("long", folder)
    assert "config.json" in str(error.value)


def test_a_sliding_window_without_types_of_layers(tmp_path: Path, reasoner: Role) -> None:
    shape = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2)
    MistralForCausalLM(MistralConfig(vocab_size=40, sliding_window=8, **shape)).save_pretrained(tmp_path)
    reasoner.tokenizer.save_pretrained(tmp_path)
    with refused("sliding"):
        load("long", tmp_path)


def test_an_architecture_the_meter_would_count_wrongly(reasoner: Role) -> None:
    """GPT-2 has two matrices where a gated decoder has three."""
    words = len(reasoner.tokenizer)
    plain = GPT2LMHeadModel(GPT2Config(vocab_size=words, n_embd=32, n_layer=2, n_head=2, n_inner=48)).eval()
    plain.config.intermediate_size = 48
    with refused("'gpt2': the meter knows gated dense decoders only"):
        check_meter(as_role("long", plain, reasoner.tokenizer), "there")
    check_meter(reasoner, "there")
    wide = LlamaConfig(
        vocab_size=words, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=1, head_dim=16, tie_word_embeddings=True,
    )  # fmt: skip
    check_meter(as_role("long", LlamaForCausalLM(wide).eval(), reasoner.tokenizer), "there")


def test_a_context_too_short_for_what_is_asked(reasoner: Role) -> None:
    reasoner.model.config.max_position_embeddings = 100  # type: ignore[union-attr]
    check_context(reasoner, [[5] * 60], 30, 10)
    with refused("max_position_embeddings = 100: too short for a prompt of 60 tokens, 31 of thinking and 10 of answer"):
        check_context(reasoner, [[5] * 60], 31, 10)
    with refused("too short"):
        measure(cot, {"long": reasoner}, cot.Config(), chains.draws("test", 1, 0, 2), 0)


def test_a_tokenizer_that_splits_the_answer(bpe_checkpoint: Path) -> None:
    """An answer of more tokens than its budget would be cut, and counted as wrong."""
    from dataclasses import replace

    problem = replace(chains.draws("test", 1, 0, 1)[0], answer="n17 n5")
    with refused("splits the answer 'n17 n5' into . tokens, more than the budget of ."):
        measure(cot, {"long": load("long", bpe_checkpoint)}, cot.Config(), [problem], 0)


def test_a_tokenizer_that_does_not_know_the_answer(reasoner: Role) -> None:
    from dataclasses import replace

    problem = replace(chains.draws("test", 1, 0, 1)[0], answer="7 7")
    with refused("turns the answer '7 7' into '<unk> <unk>'"):
        measure(cot, {"long": reasoner}, cot.Config(), [problem], 0)


# ---- memory, and files that are not what they should be --------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [MemoryError(), torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("DefaultCPUAllocator: can't allocate memory")],
)
def test_out_of_memory_names_the_remedy(
    root: Path, bpe_checkpoint: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(parts, "measure", fail)
    zoo = Zoo("chains", bpe_checkpoint, bpe_checkpoint, Guest("tiny", bpe_checkpoint, "", batch=64))
    with refused("cot: out of memory on cpu; finished parts are kept; a --batch smaller than 64"):
        do(Part(root, zoo, "cot", "", 0, 1))


def test_other_errors_are_not_taken_for_a_lack_of_memory(root: Path, bpe_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(parts, "measure", fail)
    zoo = Zoo("chains", bpe_checkpoint, bpe_checkpoint, Guest("tiny", bpe_checkpoint, ""))
    with pytest.raises(RuntimeError, match="shapes differ"):
        do(Part(root, zoo, "cot", "", 0, 1))


@pytest.fixture
def shelf(tmp_path: Path) -> Zoo:
    """A zoo of one checkpoint with its training record."""
    folder = tmp_path / "long"
    tokenizer = word_tokenizer(chains.WORDS)
    small_llama(len(tokenizer), 0, layers=1, width=16, heads=2, mlp=16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "training.json").write_text(json.dumps({"flops_with_parents": 1, "sha256": fingerprints(folder)}))
    return Zoo("chains", tmp_path, tmp_path)


def test_a_zoo_file_that_is_what_its_record_says(shelf: Zoo) -> None:
    as_recorded(shelf.shared / "long")
    assert load_models(shelf, cot, cot.Config(), 0)["long"].closes_id > 0


@pytest.mark.parametrize("damage", ["truncated", "another", "missing", "no record"])
def test_a_zoo_file_that_is_not(shelf: Zoo, damage: str) -> None:
    weights = shelf.shared / "long" / "model.safetensors"
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-7])
    elif damage == "another":
        small_llama(len(word_tokenizer(chains.WORDS)), 1, layers=1, width=16, heads=2, mlp=16).save_pretrained(weights.parent)
    elif damage == "missing":
        weights.unlink()
    else:
        (weights.parent / "training.json").write_text("[1")
    with refused("no training record" if damage == "no record" else "model.safetensors: not the weights that training.json is of"):
        load_models(shelf, cot, cot.Config(), 0)


def test_shipped_checkpoints_are_what_their_records_say(root: Path) -> None:
    paths = [path for path in (root / "methods" / "zoo").rglob("training.json") if "-seed" not in str(path.relative_to(root))]
    assert paths
    for path in paths:
        assert json.loads(path.read_text("utf-8"))["sha256"], path
        as_recorded(path.parent)


def test_a_loss_that_is_no_number_ends_training(reasoner: Role) -> None:
    with torch.no_grad():
        next(reasoner.model.parameters())[:] = float("nan")
    example = supervised(reasoner.prompt("1 + 2"), [reasoner.closes_id])
    with refused("loss is nan at step 0 of 3"):
        train(reasoner, iter([example] * 99), Recipe(3, batch=2), seed=0)
