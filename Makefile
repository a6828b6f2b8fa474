# Python 3.11 or newer and make are enough. `make` lists the commands.

PORT ?= 8000
PLEX_PORT ?= 32500

# The first of these that is new enough and can create a virtual environment.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$python -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/bin
INSTALLED := .venv/installed
DEMO_KEY := var/demo/secret_key
NODE_TOOLS := tests/clients/node_modules/installed

.PHONY: help demo test quick postgresql bench checks lock wheels
.DELETE_ON_ERROR:

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

demo: $(INSTALLED) $(DEMO_KEY) ## run the whole service here until Ctrl-C; PORT=8010 PLEX_PORT=32510 choose the ports
	@SECRET_KEY="$$(cat $(DEMO_KEY))" exec $(BIN)/python manage.py demo --port $(PORT) --plex-port $(PLEX_PORT)

# The API and its units. The others need more time, processes, or a browser.
QUICK_TESTS := tests/api tests/plex tests/caching/test_entries.py tests/test_guard.py
WORKERS ?= 4

test: checks $(NODE_TOOLS) ## all checks and all tests; needs node, npm, curl, Chromium and PostgreSQL too
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

quick: checks ## the checks, and the unit and API tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m "not slow" $(QUICK_TESTS)

# All tests but those that have no database, or always one of a kind of their own.
WITHOUT_DATABASE := browser clients docs instances simulator benchmarks test_benchmark_report.py test_open_loop.py test_ratios.py test_sqlite.py test_postgresql.py test_backup.py
postgresql: $(INSTALLED) ## the tests once more, on PostgreSQL instead of SQLite
	TEST_DATABASE=postgresql $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup \
		$(addprefix --ignore=tests/,$(WITHOUT_DATABASE))

bench: $(INSTALLED) ## measure everything and write docs/benchmarks.md: 20 minutes; QUICK=1: 3, to var/bench
	$(BIN)/python -W ignore -m tests.benchmarks all $(if $(QUICK),--quick)

checks: export SECRET_KEY = only-for-the-checks-only-for-the-checks
checks: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -W error manage.py check --fail-level WARNING
	$(BIN)/python -W error manage.py makemigrations --check --dry-run

lock: $(INSTALLED) ## pin the packages of the image, with their hashes, in requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--constraints constraints.txt --output-file requirements.lock requirements.txt

wheels: $(INSTALLED) ## check that each package of the image has a wheel for x86-64 and for arm64
	@PATH="$(BIN):$$PATH" scripts/check_wheels

# Created once, and again when the requirements change.
$(INSTALLED): requirements.txt requirements-dev.txt constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed. Set it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Creating the virtual environment in .venv"
	@$(PYTHON) -m venv .venv
	@echo "Installing the packages: a minute or two, only this time"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -r requirements-dev.txt -c constraints.txt
	@touch $@

# What the tests of the clients run. The demo and the service need no Node.js.
$(NODE_TOOLS): tests/clients/package.json tests/clients/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20.19 or newer with npm is needed for the tests of the clients." >&2; exit 1; }
	@echo "Installing the tools of the tests of the clients: only this time"
	@cd tests/clients && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(DEMO_KEY): | $(INSTALLED)
	@umask 077 && mkdir -p $(@D) && $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))' > $@
