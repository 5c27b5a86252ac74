# The only entry point: every target sets up what it needs in .venv first. `make help` lists them.
# A machine with python3 (>= 3.11) and make is enough.

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
FAULT_S ?= 60

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help demo test unit faults lint format types fuzz bench docs clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.installed-core ## run the demonstration: real processes, every message checked
	@$(BIN)/python -m purezmq demo $(ARGS)

test: lint types unit ## everything that CI runs: lint, types, tests

unit: $(VENV)/.installed-test ## the tests alone (ARGS="-k word" selects)
	@$(BIN)/python -m pytest $(ARGS)

faults: $(VENV)/.installed-test ## broken networks and processes, at length (as root; FAULT_S=60 is the longest fault)
	@PUREZMQ_FAULTS_SECONDS=$(FAULT_S) $(BIN)/python -m pytest tests/faults -o timeout=900 -o faulthandler_timeout=890 $(ARGS)

lint: $(VENV)/.installed-test ## ruff and the layer contracts of .importlinter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet . || { echo "lint: not formatted as above; 'make format' does it" >&2; exit 1; }
	@$(BIN)/lint-imports --no-cache

format: $(VENV)/.installed-test ## rewrite the sources in the project's format
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

types: $(VENV)/.installed-test ## mypy --strict; pyright on programs of users
	@$(BIN)/mypy
	@$(BIN)/pyright

fuzz: $(VENV)/.installed-fuzz ## coverage-guided fuzzing of every parser (ARGS="--seconds 600 zmtp_server")
	@$(BIN)/python -m fuzz.planted $(PLANTED)
	@$(BIN)/python -m fuzz.run $(ARGS)

bench: $(VENV)/.installed-bench ## side by side with pyzmq and pyomq (ARGS="--help" for its options)
	@$(BIN)/python -m purezmq bench $(ARGS)

docs: $(VENV)/.installed-docs ## build the documentation into site/
	@$(BIN)/mkdocs build --quiet --strict --site-dir site
	@echo "docs: open site/index.html"

clean: ## remove everything that was made here
	@rm -rf $(VENV) build dist site .fuzz .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { echo "setup: '$(PYTHON)' not found; install Python 3.11 or newer, or say make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "setup: $$($(PYTHON) --version) is too old, purezmq needs 3.11 or newer; say make PYTHON=python3.11 (or newer)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "setup: $(PYTHON) comes without venv or ensurepip; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "setup: making $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed-core: $(VENV)/.made pyproject.toml
	@echo "setup: installing purezmq"
	@$(PIP) install -e .
	@touch $@

# One rule for every extra: .installed-test, .installed-fuzz, .installed-bench, .installed-docs.
$(VENV)/.installed-%: $(VENV)/.made pyproject.toml
	@echo "setup: installing purezmq[$*]"
	@$(PIP) install -e '.[$*]'
	@touch $@
