.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
SCENARIO_WORKERS ?= 3# scenarios wait more than they work

.PHONY: help setup demo test unit e2e soak quiet large queue requeue conformance simulation e2e-setup e2e-servers lint types fmt cases programs verify generate golden bench image clean

help:  ## list what can be done here
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP)  ## make .venv with alula and everything its tests need

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "alula needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Name another: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/python || { echo "making $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "installing alula and its development tools into $(VENV) (about a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --upgrade 'uv>=0.8'
	@# compiled once here: the tests start hundreds of interpreters, some where none may write bytecode
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable '.[all]' --group dev
	@touch $@

demo: $(STAMP)  ## run the penguins pipeline locally, see the cache at work, register and compile it
	@$(BIN)/python -m examples.demo

test: unit e2e verify  ## all tests: unit, property, golden, cluster scenarios, and the checks of `verify`

unit: $(STAMP)  ## everything that needs no cluster
	$(BIN)/python -m pytest tests -n $(WORKERS) --dist loadfile -q

cases: $(STAMP)  ## many cases of what the cache must see and of what frames must keep (CASES=100000 SEED=0)
	$(BIN)/python -m tests.code.random_projects $(or $(CASES),100000) $(SEED)
	$(BIN)/python -m tests.types.random_frames $(or $(CASES),100000) $(SEED)

programs: $(STAMP)  ## PROGRAMS (200) random workflows from SEED (0) on: here, by their templates, from the cache, and in Argo with process pods
	$(BIN)/python -m tests.engine.random_programs $$(( 20 * $(or $(PROGRAMS),200) )) $(or $(SEED),0)
	ALULA_E2E=required ALULA_PROGRAMS=$(or $(PROGRAMS),200) ALULA_SEED=$(or $(SEED),0) $(BIN)/python -m pytest -q -s e2e/main_road/test_programs.py

e2e: $(STAMP)  ## scenarios on real servers (skipped in one loud line where they cannot start; ALULA_E2E=required forbids that)
	$(BIN)/python -m pytest e2e -n $(SCENARIO_WORKERS) -q --durations=25

e2e-setup:  ## install the Debian packages that the cluster scenarios need (root)
	bash e2e/setup

soak: $(STAMP)  ## hostile objects of all kinds against real servers and the real controller, for MINUTES (10), with bounds
	$(BIN)/python -m e2e.soak --minutes $(or $(MINUTES),10)

quiet: $(STAMP)  ## 54 workflows on real servers, with Argo CD: once all is settled nothing is written, for MINUTES (10)
	ALULA_E2E=required ALULA_QUIET_SECONDS=$$(( 60 * $(or $(MINUTES),10) )) $(BIN)/python -m pytest -q e2e/gitops/test_settling.py -k nothing_is_written

queue: $(STAMP)  ## the story of docs/domains.md on real servers with RUNS (200) runs, while both replicas are killed and stopped
	ALULA_E2E=required ALULA_QUEUE_RUNS=$(or $(RUNS),200) $(BIN)/python -m pytest -q e2e/controller/test_thirty_runs.py

simulation: $(STAMP)  ## random schedules of two replicas that crash at any write, and of clocks that step (SCHEDULES=100000)
	ALULA_SCHEDULES=$(or $(SCHEDULES),100000) $(BIN)/python -m pytest -q tests/controller/admission/test_ledger.py

large: $(STAMP)  ## a map of ITEMS (1000) items with a pod for each, or for each BATCH of them, on real servers
	ALULA_E2E=required ALULA_LARGE=$(or $(ITEMS),1000) ALULA_LARGE_BATCH=$(BATCH) $(BIN)/python -m pytest -q -s e2e/main_road/test_a_thousand_items.py

requeue: $(STAMP)  ## the cases of docs/conformance.md on real servers, with Argo's own requeue period of 10 s
	ALULA_E2E=required ALULA_E2E_REQUEUE=10s $(BIN)/python -m pytest -q e2e/main_road/test_conformance.py e2e/main_road/test_failures.py

conformance: $(STAMP)  ## the cases of docs/conformance.md here, in Argo with process pods and all of them on real pods, and a table of the three
	ALULA_E2E=required ALULA_CONFORMANCE=whole $(BIN)/python -m pytest -q -p tests.engine.table tests/engine e2e/main_road/test_conformance.py e2e/main_road/test_failures.py e2e/real_pods/test_conformance.py

e2e-servers: $(STAMP)  ## build the servers of the cluster scenarios from published Go modules (25 minutes; what was built before is kept)
	$(BIN)/python -m e2e.servers

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

types: $(STAMP)
	$(BIN)/mypy crds/alula_api sdk/alula sdk/alula_data compiler/alula_compiler controller/alula_controller
	$(BIN)/mypy e2e/cluster e2e/servers

fmt: $(STAMP)  ## format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

generate: $(STAMP)  ## write the generated files anew: CRDs, openapi, docs tables
	$(BIN)/python -m alula_api.kinds.generate
	$(BIN)/python docs/generate.py

verify: lint types  ## lint, types, layers, and that generated files are current
	$(BIN)/python -m alula_api.kinds.generate --check
	$(BIN)/python docs/generate.py --check

golden: $(STAMP)  ## write the golden files anew, for review
	ALULA_GOLDEN=write $(BIN)/python -m pytest tests -q -n $(WORKERS) --dist loadfile
	git status --short

bench: $(STAMP)  ## speed and memory, as ratios beside the peers' figures
	$(BIN)/python -m bench

image:  ## build the controller's and the tasks' base image (IMAGE=name, BASE=python image)
	buildah bud --isolation chroot --build-arg BASE=$(or $(BASE),docker.io/library/python:3.11-slim-bookworm) -t $(or $(IMAGE),alula:dev) .

clean:  ## remove what was made here
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .alula build dist
