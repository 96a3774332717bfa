# Each target sets up what it needs in .venv; nothing else has to be done first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TRINORMAL_HOME ?= $(HOME)/.trinormal
export TRINORMAL_HOME

.PHONY: help demo test campaign bench lint check fix clean

help:
	@echo "make demo   the whole of paper A on simulated data, to a champion in the registry"
	@echo "make test   every test"
	@echo "make campaign   thousands of rounds of what the tests do in tens"
	@echo "make bench  speed against peers, as ratios"
	@echo "make check  format, lint, types, import contracts, tests"
	@echo "make fix    format and mend what can be mended"

$(VENV)/.run: pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('trinormal needs Python 3.11 to 3.13') if not (3, 11) <= sys.version_info[:2] < (3, 14) else None"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --editable ".[dev]"
	touch $@

$(VENV)/.bench: $(VENV)/.dev
	$(BIN)/pip install --quiet --editable ".[dev,bench]"
	touch $@

demo: $(VENV)/.run
	@$(BIN)/trinormal setup || echo "the face networks for real photos were not fetched; the demo does not need them"
	$(BIN)/trinormal demo

test: $(VENV)/.dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

campaign: $(VENV)/.dev
	$(BIN)/python -m pytest -m campaign

bench: $(VENV)/.bench
	$(BIN)/python -m tests.benchmarks

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright

check: lint test

fix: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache
