# Two commands: `make run` starts everything on this machine, `make test` passes the whole suite.
# Everything they need comes from the package registries on their first run; a second run needs no network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix web
WEB_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/test-results/*')
PAGE := services/gateway/static/index.html
WHEEL_SOURCES := $(shell find agent demo schemas services infra requirements/agent.txt -type f -not -path '*/__pycache__/*' \
	-not -path 'services/gateway/static/*') pyproject.toml README.md

.PHONY: run demo test check setup dist bench format clean

run: setup
	exec $(BIN)/sonde up

# A simulated fleet: `make demo ARGS="--hosts 200 --days 7"`.
demo: setup
	exec $(BIN)/sonde demo $(ARGS)

# The wheel is what other machines install from this gateway.
setup: $(VENV)/run.done $(PAGE) dist/wheel.done

dist: setup
	$(BIN)/hatchling build -t sdist

# Tests start hundreds of Python processes: without stored bytecode each would compile everything anew.
test: setup $(VENV)/test.done tests/oidc/node_modules/.done
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest $(ARGS)

check: setup $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(NPM) run check

format: $(VENV)/test.done
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(NPM) run format

bench: setup
	$(BIN)/sonde bench $(NAME)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sonde needs Python 3.11 or later: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.done: $(VENV)/bin/python requirements/run.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/test.done: $(VENV)/run.done requirements/test.txt
	$(PIP) install --require-hashes -r requirements/test.txt
	@touch $@

web/node_modules/.done: web/package.json web/package-lock.json $(VENV)/run.done
	$(NPM) ci --no-audit --no-fund --loglevel=error
	@touch $@

# An identity provider for tests of single sign-on.
tests/oidc/node_modules/.done: tests/oidc/package.json tests/oidc/package-lock.json $(VENV)/run.done
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix tests/oidc ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(PAGE): web/node_modules/.done $(WEB_SOURCES)
	$(NPM) run build
	@touch $@

dist/wheel.done: $(VENV)/run.done $(PAGE) $(WHEEL_SOURCES)
	@rm -f dist/sonde-*
	$(BIN)/hatchling build -t wheel
	@touch $@

clean:
	rm -rf $(VENV) web/node_modules tests/oidc/node_modules services/gateway/static dist
