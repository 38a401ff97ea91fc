# Ronda: every command a person needs. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help demo run test check format docs bench clean setup-local setup-dev

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup-local ## the whole product with a virtual provider to play with; prints the address to open
	@exec $(BIN)/python -m deploy.local demo

run: setup-local ## the same four services on your own settings (.env), without the virtual provider
	@exec $(BIN)/python -m deploy.local run

test: setup-dev ## every test that can run on this machine
	@exec $(BIN)/python -m pytest -n 2 --dist loadgroup --mission-report .ronda/mission-run.json $(TESTS)

check: setup-dev ## format, lint, types, import contracts, generated documents, unit tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m deploy.documents --check
	@$(BIN)/python -m pytest -q tests/unit

format: setup-dev ## let the formatter and the linter mend what they can
	@$(BIN)/ruff check --fix -q . || true
	@$(BIN)/ruff format .

docs: setup-dev ## write the generated documents: AsyncAPI, JSON Schemas, OpenAPI, settings, the mission's table
	@$(BIN)/python -m deploy.documents

bench: setup-dev ## the figures, measured here and now
	@exec $(BIN)/python -m bench $(BENCH)

clean: ## remove the virtual environment, the local state and every cache
	@$(PYTHON) -c "import shutil; [shutil.rmtree(p, ignore_errors=True) for p in ('.venv', '.ronda', '.mypy_cache', '.ruff_cache', '.pytest_cache', '.hypothesis', '.import_linter_cache')]"

setup-local:
	@$(PYTHON) deploy/setup.py local

setup-dev:
	@$(PYTHON) deploy/setup.py dev
