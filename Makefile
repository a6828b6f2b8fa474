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

.PHONY: help demo test quick checks
.DELETE_ON_ERROR:

help: ## list these commands
	@sed -n 's/^\([a-z]*\):.*## /make \1: /p' $(MAKEFILE_LIST)

demo: $(INSTALLED) $(DEMO_KEY) ## run the whole service here until Ctrl-C; PORT=8010 PLEX_PORT=32510 choose the ports
	@SECRET_KEY="$$(cat $(DEMO_KEY))" exec $(BIN)/python manage.py demo --port $(PORT) --plex-port $(PLEX_PORT)

# The API and its units. The others need more time, processes, or a browser.
QUICK_TESTS := tests/api tests/plex tests/caching/test_entries.py tests/test_guard.py
WORKERS ?= 4

test: checks ## all checks and all tests; needs node, curl, Chromium and PostgreSQL too
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup

quick: checks ## the checks, and the unit and API tests
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup -m "not slow" $(QUICK_TESTS)

checks: export SECRET_KEY = only-for-the-checks-only-for-the-checks
checks: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(BIN)/python -W error manage.py check --fail-level WARNING
	$(BIN)/python -W error manage.py makemigrations --check --dry-run

# Created once, and again when the requirements change.
$(INSTALLED): requirements.txt requirements-dev.txt constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with its venv module is needed. Set it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Creating the virtual environment in .venv"
	@$(PYTHON) -m venv .venv
	@echo "Installing the packages: a minute or two, only this time"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input -r requirements-dev.txt -c constraints.txt
	@touch $@

$(DEMO_KEY): | $(INSTALLED)
	@umask 077 && mkdir -p $(@D) && $(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(48))' > $@
