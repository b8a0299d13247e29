# Every command a person needs. `make demo` and `make test` set up by themselves what they use.

# The Python that the environment in .venv is made with: 3.10 or newer.
PYTHON ?= python3

# How many processes the tests run in.
JOBS ?= $(shell getconf _NPROCESSORS_ONLN)

# How many sequences `make soak` runs, and the seed of the first process. Each further process has the next seed.
N ?= 10000
SEED ?= 1

READY := .venv/.ready
BIN := .venv/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv demo simulator engine check test soak lint readme pictures format constraints clean

# List these commands.
help:
	@awk '/^# / { text = substr($$0, 3); next } \
		/^[a-z]+:/ && text { split($$0, name, ":"); printf "make %-12s %s\n", name[1], text } \
		{ text = "" }' Makefile

# Make the Python environment in .venv, when it is missing or pyproject.toml has changed.
venv: $(READY)

# Show what the package does, end to end, against a simulated Omni: no account needed.
demo: $(READY)
	@$(BIN)/python -m tools.demo

# Run the simulated Omni and Lightdash by themselves.
simulator: $(READY)
	@$(BIN)/python -m omni_pulumi.simulator

# Find a Pulumi engine or make one, and print its directory.
engine: $(READY)
	@$(BIN)/python tools/get_engine.py

# Check style and types, and run the unit tests, in less than a minute.
check: lint
	@$(BIN)/python -m pytest -n $(JOBS) -m "not slow"

# Check everything: style, types, then every test, those with the real Pulumi engine too.
test: lint engine
	@$(BIN)/python -m pytest -n $(JOBS)

# Run N sequences of the stateful test, with random faults of the services, from SEED: about 200 a minute and core.
soak: $(READY)
	@seq 0 $$(($(JOBS) - 1)) | xargs -P $(JOBS) -I {} sh -c '$(BIN)/python -m pytest tests/stateful \
		--sequences $$((($(N) + $(JOBS) - 1) / $(JOBS))) --hypothesis-seed $$(($(SEED) + {}))'

# Check style and types only.
lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# Write the README's tables from the descriptions of the resources.
readme: $(READY)
	@$(BIN)/python -m tools.readme_tables

# Draw the pictures in docs and the README's summary of a preview, from a real stack.
pictures: $(READY)
	@$(BIN)/python -m tools.pictures

# Put the code in the project's format.
format: $(READY)
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

# Pin what pyproject.toml asks for; remove tools/constraints.txt first to get the newest of everything.
constraints:
	@echo "pinning the dependencies in tools/constraints.txt"
	@work=$$(mktemp -d) && trap 'rm -rf "$$work"' EXIT && \
	$(PYTHON) -m venv "$$work" && \
	"$$work/bin/python" -m pip install --quiet --disable-pip-version-check uv && \
	"$$work/bin/uv" pip compile pyproject.toml --quiet --all-extras --group dev --universal --python-version 3.10 \
		--no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file tools/constraints.txt

# Remove what these commands left here; the engine stays in the user's cache.
clean:
	rm -rf .venv .demo build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml tools/constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || { \
		echo "Expected Python 3.10 or newer, got '$$($(PYTHON) --version 2>&1)' from '$(PYTHON)'." \
		"Name another one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: its venv module is not installed." \
		"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@echo "making the Python environment in .venv, about a minute"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c tools/constraints.txt \
		-e '.[simulator,policies,pictures]' --group dev
	@touch $@
