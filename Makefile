# make parity: set up, then compare every network with its PyTorch version.
# make test:   set up, then run the tests.
# Both set up once; PYTHON=python3.12 chooses another Python.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: parity test lint bench evidence clean

parity: $(READY)
	$(BIN)/handgrad

test: $(READY)
	$(BIN)/pytest

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python benchmarks/speed.py
	$(BIN)/python benchmarks/gradcheck.py

evidence: $(READY)
	$(BIN)/python benchmarks/seeds.py
	$(BIN)/python benchmarks/printed_losses.py
	$(BIN)/python benchmarks/planted.py
	$(BIN)/python benchmarks/never_wrong.py

clean:
	rm -rf .venv

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group dev --editable .
	touch $(READY)
