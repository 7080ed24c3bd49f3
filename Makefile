# Two commands do all the set-up: `make demo` runs the main job without a key, `make test` runs the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO_HOME := .sigmaloop
WORKERS ?= 2

.PHONY: demo test check browser coverage lint types docs site perf clean help

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ - /'

demo: $(VENV)/installed  ## three batches on the embedded benchmark with the simulated model, in about a minute
	$(BIN)/sigmaloop run --batches 3 --attempts 4 --certify-trials 1 --upstream simulated --home $(DEMO_HOME)

test: $(VENV)/installed-dev  ## the whole test suite, in two processes: no network, no key
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: lint types test  ## style, types, tests and docs

browser: $(VENV)/installed-dev  ## playwright, axe and a Chromium, for the tests that look at report.html in a browser
	$(INSTALL) --editable '.[browser]'
	command -v chromium || $(BIN)/playwright install chromium

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

coverage: $(VENV)/installed-dev  ## the tests again, and which lines none of them runs
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term

docs: $(VENV)/installed-dev  ## write what docs/ takes from the code: the drawing and the settings; then build the site
	$(BIN)/python perf/draw_graph.py
	$(BIN)/python perf/settings_page.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

site: $(VENV)/installed-dev  ## read the docs in a browser, rebuilt as you write
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve --strict

clean:  ## remove the environment and every run
	rm -rf $(VENV) .sigmaloop build site .coverage *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "SigmaLoop needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(INSTALL) --editable '.[dev]'
	@touch $@
