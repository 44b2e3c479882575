# Argus. `make run` and `make test` do all the set-up themselves; they need Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
HOME_DIR ?= .argus
PORT ?= 8000
# Extra arguments, e.g. make run ARGS=--no-demo, make test ARGS='-k graph'.
ARGS ?=
# Test processes side by side: one more than two processors, for tests wait for other processes a good deal.
JOBS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup run test pytest coverage check static format bench screenshots fuzz chaos schema settings console lock clean

help:  ## Show what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

setup: $(READY)  ## Install everything needed into .venv

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Argus needs Python 3.11 or newer; this is %d.%d. Name one: make PYTHON=python3.12 ..." % sys.version_info[:2])'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv module (on Debian and Ubuntu: the package python3-venv)."; exit 1; }
	@echo "Setting up .venv (once; about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

run: $(READY)  ## Run Argus on its embedded database and bus, with a demo plant
	@exec $(BIN)/argus up --home $(HOME_DIR) --port $(PORT) --build-console $(ARGS)

# Where the console cannot be built, its tests in a browser are left out, and say so.
test: $(READY)  ## Run every check and every test, side by side
	@$(BIN)/python -m argus.console || echo "Going on without the console: its tests in a browser are left out."
	@$(MAKE) --no-print-directory -j 2 static pytest

pytest: $(READY)
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

coverage: $(READY)  ## Run every test and say which lines and branches none of them reaches, those of subprocesses too
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m coverage run -m pytest -n $(JOBS) $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

check: static  ## Format, lint, types, import directions, schema snapshot, settings' reference, migration drift
	@$(BIN)/python -m pytest -q tests/migrations

# The checks that are no tests.
static: $(READY)
	@$(BIN)/ruff format --check --quiet . || { echo "Not formatted: run make format."; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m gql.export --check gql/schema.graphql
	@$(BIN)/python -m runtime.settings --check docs/reference/settings.md .env.example
	@$(BIN)/python -m argus.console --types

format: $(READY)  ## Format the code and mend what the linter can
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

schema: $(READY)  ## Export gql/schema.graphql and migrations/schema.sql
	@$(BIN)/python -m gql.export gql/schema.graphql
	@$(BIN)/python -m migrations.export migrations/schema.sql

settings: $(READY)  ## Write docs/reference/settings.md and .env.example
	@$(BIN)/python -m runtime.settings docs/reference/settings.md .env.example

bench: $(READY)  ## Run the benchmarks; each prints its ratio to a reference measured in the same run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@for script in benchmarks/[a-z]*.py; do echo "== $$script"; \
		$(BIN)/python -m benchmarks.$$(basename $$script .py) || exit 1; done

screenshots: $(READY)  ## Take pictures of every page of the console into build/screenshots (needs Chromium)
	@$(BIN)/python -m argus.console
	@$(BIN)/python -m testing.console.screenshots build/screenshots

fuzz: $(READY)  ## Call every query and mutation with drawn arguments for ten minutes; FUZZ="--seconds 60 --as device"
	@$(BIN)/python -m testing.fuzz $(FUZZ)

chaos: $(READY)  ## Send a million readings while processes are killed at random, and count what is left
	@CHAOS_READINGS=$${CHAOS_READINGS:-1000000} CHAOS_KILLS=$${CHAOS_KILLS:-24} \
		$(BIN)/python -m pytest -m chaos -s $(ARGS)

console: $(READY)  ## Build the console, where its sources have changed; Node.js is installed into .node-venv if need be
	@$(BIN)/python -m argus.console

lock: $(READY)  ## Renew the lock files from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --quiet --output-file requirements.lock
	@uv pip compile pyproject.toml --constraints requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-annotate --quiet --output-file requirements-image.lock
	@uv pip compile --group bench --constraints requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-header --no-emit-index-url --no-annotate --quiet --output-file requirements-bench.lock
	@uv pip compile --group node --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-annotate --quiet --output-file requirements-node.lock

clean:  ## Remove what setup and the tools made; data in .argus stays
	@rm -rf .venv .node-venv console/dist console/node_modules console/.build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist *.egg-info
