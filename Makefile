# One line each, as a person would type it. `make` alone lists them. Needs python3 >= 3.11, nothing else.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check fix bench soak servers lock clean
BIN := .venv/bin

help: ## say what there is
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

setup: .venv/.ready ## the developer's virtual environment, from the hash-locked list
.venv/.ready: requirements-dev.lock pyproject.toml tools/venv.sh
	@tools/venv.sh .venv requirements-dev.lock
.venv-demo/.ready: requirements.lock pyproject.toml tools/venv.sh
	@tools/venv.sh .venv-demo requirements.lock

demo: .venv-demo/.ready ## a simulated fleet, watched, judged and advised; Ctrl-C ends it (ARGS="--help" for more)
	@trap : INT; .venv-demo/bin/stillfit demo $(ARGS)

test: setup ## every test this machine allows (ARGS="-k tombstones" for some)
	@tools/servers.sh --if-possible
	$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

check: setup ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: setup ## what ruff can put right by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## the benchmarks, side by side in one run
	$(BIN)/python -m bench $(ARGS)

soak: setup servers ## the long tests; writes soak/DATE.txt
	@tools/soak.sh $(ARGS)

servers: ## fetch what the tests against a real Cassandra need (a JDK and Maven must be there)
	@tools/servers.sh

lock: ## resolve the two lock files (ARGS=--upgrade for newer versions)
	@tools/lock.sh $(ARGS)

clean: ## remove the environments and caches, not the fetched servers
	rm -rf .venv .venv-demo .venv-lock .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
