# make parity:   set up, then compare every network with its PyTorch version.
# make test:     set up, then run the tests, but for the slow ones.
# make test-all: set up, then run all tests.
# What is set up already is left as it is; PYTHON=python3.12 chooses another Python.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
PYTEST := $(BIN)/pytest --numprocesses auto --dist loadfile

# What is compiled is kept: else each process of the tests would compile it all anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: parity test test-all lint bench evidence clean

parity: .venv/runs
	@$(BIN)/handgrad

test: .venv/tests
	$(PYTEST) -m "not slow"

test-all: .venv/tests
	$(PYTEST)

lint: .venv/tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/runs
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/gradcheck.py
	$(BIN)/python benchmarks/cost.py

evidence: .venv/runs
	$(BIN)/python benchmarks/seeds.py
	$(BIN)/python benchmarks/printed_losses.py
	$(BIN)/python benchmarks/planted.py
	$(BIN)/python benchmarks/mistakes.py
	$(BIN)/python benchmarks/never_wrong.py

clean:
	rm -rf .venv

# pip compiles nothing: Python does so for what is imported, when it is.
.venv/runs: pyproject.toml constraints.txt
	@echo "Setting up in .venv/: Handgrad, PyTorch and what else it runs with ..."
	@$(PYTHON) -m venv .venv
	@$(PIP) --no-compile --editable .
	@touch .venv/runs

.venv/tests: .venv/runs
	@echo "Setting up in .venv/: what the tests need besides ..."
	@$(PIP) --no-compile "pip>=25.1"
	@$(PIP) --no-compile --group dev
	@touch .venv/tests
