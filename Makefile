# Commands for a fresh Linux machine with Python >= 3.11 and pip:
#   make demo       set up, then the whole path on simulated cells; ends with out/demo/report/report.html
#   make test       set up, then lint, types and the tests that run in minutes
#   make docs       set up, then the documentation site; ends with out/site/index.html
#   make test-all   the same, and the long tests: hundreds of kills, statistics of 33 cells, real-data trainings
PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: setup demo docs test test-all lint fast clean

setup: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml Makefile
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check '$(TORCH)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: setup
	mkdir -p out
	$(BIN)/cytoform demo --out out/demo --overwrite

docs: setup
	$(BIN)/python docs/site.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(PYTEST) -m 'not long'

test-all: lint
	$(PYTEST) --durations=100 --durations-min=5

fast: lint
	$(PYTEST) -m 'not slow and not long'

clean:
	rm -rf out .pytest_cache .mypy_cache .ruff_cache
