"""Tiny real checkpoints, made on the spot, and mutations of method files."""

import importlib.util
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

from methods.kit import runner
from methods.kit.models import Role, as_role, load, small_llama, word_tokenizer
from methods.kit.tasks import chains
from methods.kit.training import Example, Recipe, supervised, train

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True, scope="session")
def one_thread_and_one_go() -> None:
    """Times are taken, and compared nowhere: one go is enough."""
    torch.set_num_threads(1)
    runner.GOES = 1


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def reasoner() -> Role:
    """The lab's architecture and vocabulary, untrained and small."""
    tokenizer = word_tokenizer(chains.WORDS)
    model = small_llama(len(tokenizer), seed=1, layers=2, width=32, heads=2, mlp=48).eval()
    return as_role("long", model, tokenizer)


def byte_level_bpe() -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer trained on the task's own text: words split, blanks belong to tokens."""
    rng = random.Random(0)
    texts = [chains.draw(rng, 4).question for _ in range(200)]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<think>", "</think>"]
    inner.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=300, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    )
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<|endoftext|>")


@pytest.fixture(scope="session", params=["llama", "qwen"])
def bpe_checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder as users have them: no padding token, another architecture, a byte-level tokenizer."""
    torch.manual_seed(0)
    tokenizer = byte_level_bpe()
    shape = dict(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=2048, eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
    )  # fmt: skip
    model = LlamaForCausalLM(LlamaConfig(**shape)) if request.param == "llama" else Qwen2ForCausalLM(Qwen2Config(**shape))
    folder = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    role = load("long", folder)  # an architecture may bring a tokenizer class of its own that splits differently
    rng = random.Random(0)

    def examples() -> Iterator[Example]:
        """It learns to write one short line and one answer, right for some problems: methods that learn from a model's own right
        answers need it to have some."""
        while True:
            question = chains.draw(rng, rng.randint(1, 3)).question
            yield supervised(role.prompt(question), role.encode(" a 0 </think> 0 0<|endoftext|>"))

    train(role, examples(), Recipe(150, rate=1e-2, batch=8, warm_up=5), seed=0)
    role.model.save_pretrained(folder)  # type: ignore[operator]
    return folder


@pytest.fixture
def mutated() -> Callable[[str, str, str], ModuleType]:
    """`mutated(slug, old, new)`: the method's module with one line of its rule changed. A property test must fail on it."""

    def make(slug: str, old: str, new: str) -> ModuleType:
        source = (ROOT / "methods" / f"{slug}.py").read_text("utf-8")
        assert source.count(old) == 1, f"the rule to mutate stands {source.count(old)} times in methods/{slug}.py"
        spec = importlib.util.spec_from_loader(f"mutated_{slug}", loader=None)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module  # dataclasses look their module up
        exec(compile(source.replace(old, new), f"{slug} (mutated)", "exec"), module.__dict__)
        return module

    return make
