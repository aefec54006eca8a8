# Two commands do everything, set-up included: `make demo` and `make test`.
# They need git and Python 3.11 or newer with its venv module; everything else is fetched, hash-checked.

PYTHON ?= python3
VENV ?= .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin/python
NODE_TOOLS := .cache/npm
NODE_READY := $(NODE_TOOLS)/.ready
# Three journeys at once on two cores: each waits nearly half of its time, for a probation, a stop, a start.
AT_ONCE = $$(($$(getconf _NPROCESSORS_ONLN) * 3 / 2))

.PHONY: help demo test unit journeys engines nightly containers systemd bench chaos soak fuzz chain reproducible release-rehearsal setup node build man lint workflow-lint coverage release-please-table clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/'

demo: $(READY) ## the main job: build two versions, publish, start, upgrade, roll back
	@$(RUN) build/demo.py

test: lint unit ## lint, types, unit tests, journeys, and what needs an engine or a systemd where it can be had
	@$(MAKE) --no-print-directory -j2 journeys engines

unit: $(READY) ## the unit ring: seconds
	@$(RUN) -m pytest -n auto -m "not journey and not fuzz"

journeys: $(READY) ## the built artefact, real processes, real sockets, fuzzers: minutes
	@$(RUN) -m pytest -n $(AT_ONCE) --dist loadfile --no-loadscope-reorder -m "(journey or fuzz) and not nightly" -rs

engines: ## containers, then systemd
	@$(MAKE) --no-print-directory containers
	@$(MAKE) --no-print-directory systemd

nightly: $(NODE_READY) ## what takes minutes more: a release killed after each of its commands, rehearsed
	@$(RUN) -m pytest -n auto --dist loadfile -m nightly -rs

containers: $(READY) ## the image with Docker, compose and podman; says why where it cannot
	@build/containers.sh || [ $$? = 77 ]

systemd: $(READY) ## the service under a real systemd, power cuts included; says why where it cannot
	@build/systemd.sh || [ $$? = 77 ]

bench: $(READY) ## speed and size, each beside its yardstick; writes docs/performance.md: a quarter of an hour
	@$(RUN) build/bench

chaos: $(READY) ## kill points, faults, attacks, soak; writes docs/reliability.md: an hour or more
	@$(RUN) build/chaos.py

soak: $(READY) ## 200 upgrades and roll-backs under writes and random kills
	@$(RUN) build/soak.py

fuzz: $(READY) ## any input at all; WAIAAS_FUZZ=20 multiplies the examples
	@$(RUN) -m pytest -n auto -m fuzz

chain: $(READY) ## migrations from every old schema
	@$(RUN) -m pytest -n auto -rs tests/store tests/journeys/test_journey_legacy.py

reproducible: $(READY) ## the same bytes from every Python, folder, umask and file order here
	@$(RUN) build/reproducible.py

release-rehearsal: $(READY) $(NODE_READY) ## a whole release, twice and interrupted, and a bad one withdrawn
	@$(RUN) build/rehearsal

build: $(READY) ## the artefact, into dist/
	@$(RUN) -m waiaas.release build -o dist

man: $(READY) ## the manual page, into dist/
	@$(RUN) build/man.py --check

lint: $(NODE_READY) ## every linter: code, types, security, scripts, workflows, commits
	@$(RUN) build/lint.py

workflow-lint: $(NODE_READY) ## those for workflows alone
	@$(RUN) build/lint.py yamllint schemas zizmor actionlint

coverage: $(NODE_READY) ## every test, and what they reach; below 85 % it fails
	@$(RUN) build/cover.py

release-please-table: $(NODE_READY) ## which commits make which version: the real release-please, run now
	@$(RUN) -m tests.release_please.cases

clean: ## everything that can be made again
	@rm -rf $(VENV) .cache dist .mypy_cache .pytest_cache .ruff_cache .hypothesis

node: $(NODE_READY) ## the tools that exist for Node.js alone

setup: $(READY) ## the virtual environment and nothing else

$(READY): build/dev.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "$$($(PYTHON) -V) is too old: install Python 3.11 or newer, or say make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "Python's venv module is missing: install python3-venv (Debian, Ubuntu)" >&2; exit 1; }
	@echo "setting up $(VENV), once" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r build/dev.lock
	@touch $(READY)

$(NODE_READY): build/npm/package-lock.json $(READY)
	@mkdir -p $(NODE_TOOLS)
	@cp build/npm/package.json build/npm/package-lock.json build/npm/.npmrc $(NODE_TOOLS)
	@PATH="$(abspath $(VENV))/bin:$$PATH" npm ci --prefix $(NODE_TOOLS) --loglevel=error
	@touch $(NODE_READY)
