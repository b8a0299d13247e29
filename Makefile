# All commands of the project. Each command installs what it needs.

# The Python for the virtual environment, and its directory: 3.10 or newer.
PYTHON ?= python3
VENV ?= .venv

# The number of test processes.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)

# The number of sequences that `make soak` runs, and the seed of the first process. Each further process adds 1 to the seed.
N ?= 10000
SEED ?= 1

# The options of `make bench`.
ARGS ?=

READY := $(VENV)/.ready
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo simulator engine check test versions soak bench lint generate pictures format constraints clean

# List the commands.
help:
	@awk '/^# / { text = substr($$0, 3); next } \
		/^[a-z]+:/ && text { split($$0, name, ":"); printf "make %-12s %s\n", name[1], text } \
		{ text = "" }' Makefile

# Create the virtual environment in .venv if it is missing or pyproject.toml has changed.
venv: $(READY)

# Run the quickstart end to end against simulators of Omni and Lightdash. Needs no account.
demo: $(READY)
	@$(BIN)/python -m tools.demo

# Run the simulators of Omni and Lightdash until Ctrl-C.
simulator: $(READY)
	@$(BIN)/python -m omni_pulumi.simulator

# Find, download or build Pulumi, and print its directory.
engine: $(READY)
	@$(BIN)/python tools/get_engine.py

# Run the linters, the type checker and the unit tests, in less than a minute.
check: lint
	@$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

# Run the linters, the type checker and all tests, including those with the Pulumi engine. With CI=true, also `versions`.
test: lint engine
	@$(BIN)/python -m pytest -n $(JOBS)
	@if [ "$$CI" = true ]; then $(MAKE) --no-print-directory versions; fi

# Run `make check` with each other supported Python that this machine has, in environments such as .venv-3.10.
versions: $(READY)
	@current=$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); failed=; \
	for version in $$(sed -n 's/.*Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml); do \
		export PYENV_VERSION=$$version; \
		if [ $$version = $$current ]; then continue; \
		elif ! "python$$version" -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "Python $$version: skipped, because this machine does not have it"; \
		else \
			echo "Python $$version: make check"; \
			$(MAKE) --no-print-directory check PYTHON="python$$version" VENV=".venv-$$version" || failed="$$failed $$version"; \
		fi; \
	done; \
	[ -z "$$failed" ] || { echo "make check failed with Python$$failed" >&2; exit 1; }

# Run N random sequences of the stateful test, with faults, from SEED: about 150 a minute per core.
soak: $(READY)
	@seq 0 $$(($(JOBS) - 1)) | xargs -P $(JOBS) -I {} sh -c '$(BIN)/python -m pytest tests/stateful \
		--sequences $$((($(N) + $(JOBS) - 1) / $(JOBS))) --hypothesis-seed $$(($(SEED) + {}))'

# Measure this package side by side with others on the simulator, for about two hours: ARGS="--help" lists the options.
bench: $(READY)
	@$(BIN)/python -m benchmarks $(ARGS)

# Run the linters and the type checker only.
lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell
	@$(BIN)/mypy

# Generate the classes that programs use, and the pages in docs/resources and docs/policies, from resources and rules.
generate: $(READY)
	@$(BIN)/python -m tools.resource_classes
	@$(BIN)/python -m tools.resource_pages
	@$(BIN)/python -m tools.policy_pages

# Draw docs/preview.svg and the examples in docs/pull-requests.md, from real stacks.
pictures: $(READY)
	@$(BIN)/python -m tools.pictures

# Format the code.
format: $(READY)
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

# Pin the dependencies. Delete tools/constraints.txt first to upgrade all of them.
constraints:
	@echo "pinning the dependencies in tools/constraints.txt"
	@work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && \
	$(PYTHON) -m venv "$$work" && \
	"$$work/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	"$$work/bin/uv" pip compile pyproject.toml --quiet --all-extras --group dev --universal --python-version 3.10 \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file tools/constraints.txt

# Delete what these commands created here. The engine stays in the user's cache.
clean:
	rm -rf .venv .venv-* .demo build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml tools/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
		echo "Expected Python 3.10 or newer, got '$$($(PYTHON) --version 2>&1)' from '$(PYTHON)'." \
		"Choose another one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot create virtual environments: its venv module is not installed." \
		"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "creating the virtual environment in $(VENV) (about a minute)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt \
		-e '.[simulator,policies]' --group dev
	@touch $@
