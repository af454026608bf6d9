# Everything that is done with this checkout, one word each. `make` alone explains them.
# Nothing is written outside this folder but uv's and npm's download caches.

UV_VERSION := 0.13.9
TOOLS      := .tools/uv-$(UV_VERSION)
UV         ?= $(shell command -v uv || echo $(TOOLS)/bin/uv)
VENV       := .venv
BIN        := $(VENV)/bin
LOCKED     := pyproject.toml uv.lock
WORKERS    ?= 2
ARGS       ?=
STORY      ?= clinic

export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := $(VENV)
# Python keeps what it has compiled unless PYTHONDONTWRITEBYTECODE forbids it, as in many containers: every start would take a second more.
export UV_COMPILE_BYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test chaos lint format bench docs clean
.DELETE_ON_ERROR:

help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed ## See Kivuko at work on this machine alone (KEEP=1 leaves the server running; STORY=registrations: the command line)
	@KEEP=$(KEEP) $(BIN)/python -m demo.$(STORY)

setup: $(VENV)/.developed ## Prepare this checkout for work: Python environment, Node, all tools
	@:

test: setup ## Run every test (ARGS='-k words' for some, WORKERS=4 for more at once)
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m 'not soak' $(ARGS)

chaos: setup ## Kill, cut off and fill up real processes, and count what is left (ARGS='kill-server --times 100 --seed 7')
	@$(BIN)/python tests/chaos/run.py $(ARGS)

lint: setup ## Check style, types and the floors of the architecture
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## Bring the sources into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup ## Measure speed and memory, with units
	@$(BIN)/python benchmarks/run.py $(ARGS)

docs: setup ## Write what the code knows into the reference, then check links, examples and completeness
	@$(BIN)/python docs/write_reference.py
	@$(BIN)/pytest -q tests/house/docs $(ARGS)

clean: ## Remove what make has made here
	rm -rf $(VENV) .tools .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamps: a second call does nothing until the lock changes.

$(VENV)/.installed: $(LOCKED) | $(UV)
	@echo "Setting up (the first time takes a minute) …"
	@$(UV) sync --quiet --locked --inexact --no-dev
	@$(BIN)/python -m compileall -q src
	@touch $@

$(VENV)/.developed: $(LOCKED) | $(UV)
	@echo "Setting up for work (the first time takes a minute) …"
	@$(UV) sync --quiet --locked
	@$(BIN)/python -m compileall -q src
	@touch $@ $(VENV)/.installed

$(TOOLS)/bin/uv:
	@python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo 'Kivuko needs Python 3.11 or newer with venv, and this machine lacks it: apt-get install -y python3 python3-venv' >&2; exit 1; }
	@echo "Getting uv $(UV_VERSION) into .tools …"
	@rm -rf $(TOOLS).new $(TOOLS) && python3 -m venv $(TOOLS).new
	@$(TOOLS).new/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: uv==$(UV_VERSION) || { \
	  echo 'uv could not be fetched from PyPI: check the network and, on Debian, its certificates: apt-get install -y ca-certificates' >&2; exit 1; }
	@mv $(TOOLS).new $(TOOLS)
