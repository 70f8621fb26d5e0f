# Needs Python 3.11 or newer, pip and make; everything else goes into .venv.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.complete
# Of the tests: more than cores, because much of a test is waiting.
PROCESSES ?= 3

PROJECTS := pyproject.toml $(wildcard plugins/*/pyproject.toml hosts/*/pyproject.toml) simulators/pyproject.toml
IN_A_FRESH_VENV = "$(PYTHON)" tools/make_venv.py

.DEFAULT_GOAL := help
.PHONY: help demo shop test prove soak campaign mutants bench lint fmt docs constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## Take real orders from session to paid (ORDERS=path for your own)
	$(BIN)/python -m examples.demo $(if $(ORDERS),--orders "$(ORDERS)")

shop: $(STAMP) ## Serve a small shop to buy, pay and refund in (PORT=n, DATA=folder to keep it)
	exec $(BIN)/python -m examples.shop $(if $(PORT),--port "$(PORT)") $(if $(DATA),--data "$(DATA)")

test: $(STAMP) ## Run every test (ARGS="-k name" to choose)
	$(BIN)/python -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

prove: $(STAMP) ## Run the proofs of docs/guarantees.md, row by row (ARGS="refund" to choose)
	$(BIN)/python -m tools.prove $(ARGS)

soak: $(STAMP) ## Simulate HISTORIES=1000000 histories, ARGS as python -m tests.simulation has them
	$(BIN)/python -m tests.simulation --histories $(or $(HISTORIES),1000000) $(ARGS)

campaign: $(STAMP) ## Run one of tests/campaigns for long (NAME=kill, ARGS as it has them)
	$(BIN)/python -m tests.campaigns.$(NAME) $(ARGS)

mutants: $(STAMP) ## Change the money's rules line by line (ARGS="--changed main", "--module ledger")
	$(BIN)/python -m tools.mutants $(ARGS)

bench: $(STAMP) ## Measure against the baselines
	$(BIN)/python -m benchmarks $(ARGS)

lint: $(STAMP) ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file hosts/django/pyproject.toml
	$(BIN)/lint-imports

fmt: $(STAMP) ## Format, and fix what can be fixed
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

docs: $(STAMP) ## Build the documentation into build/docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

constraints: ## Renew the pins of the development environment
	$(IN_A_FRESH_VENV) build/constraints-venv
	build/constraints-venv/bin/python -m pip install --quiet -r requirements-dev.txt
	build/constraints-venv/bin/python tools/freeze.py > build/constraints.txt
	mv build/constraints.txt constraints.txt

clean: ## Remove the environment and everything built
	rm -rf $(VENV) build

# The stamp comes last, so an interrupted installation starts again.
$(STAMP): $(PROJECTS) requirements-dev.txt constraints.txt tools/make_venv.py
	$(IN_A_FRESH_VENV) $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt hatchling "setuptools>=77"
	$(BIN)/python -m pip install --quiet -c constraints.txt --no-build-isolation -r requirements-dev.txt
	@touch $@
