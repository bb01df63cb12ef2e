# One command per verb; `make help` lists them. Everything is installed into .venv, which is made if missing.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test test-all versions lint format bench bench-scale docs sanitize clean

# Where bytecode is not to be written every process that a test starts compiles all modules again: a third of its time.
export PYTHONDONTWRITEBYTECODE :=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
DEMO := demo

# What decides how the package is built and installed; when one of these changes it is installed again.
BUILD_INPUTS := pyproject.toml constraints.txt $(wildcard CMakeLists.txt) $(shell find native -type f 2>/dev/null)

# The first interpreter of at least 3.11; `make PYTHON=/path/to/python ...` chooses another.
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14 python; do \
    $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

help:  ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)$$/  make \1|\2/' | column -t -s '|'

install: $(VENV)/.installed  ## make .venv and install mixtura into it, with what the tests need

demo: $(VENV)/.installed  ## take the guided tour, then segment the table it wrote
	@rm -rf $(DEMO)
	@mkdir -p $(DEMO)
	@cd $(DEMO) && ../$(BIN)/mixtura demo
	@cd $(DEMO) && ../$(BIN)/mixtura segment customers.csv
	@printf '\nThe results are in %s/customers-segments:\n' "$(DEMO)"
	@cd $(DEMO)/customers-segments && ls -1 | sed 's/^/  /'

PYTEST := OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal

test: $(VENV)/.installed  ## run the fast tests and the examples in docstrings on all cores
	@$(PYTEST) --ignore tests/services

# Tracing coverage doubles the time of a test: it is traced in the fast ones (tests/lanes.py).
test-all: $(VENV)/.installed-engines  ## run every test, with coverage: the fast ones, the slow ones, those in a browser and in databases
	@$(PYTEST) --thorough --cov --cov-report=term-missing:skip-covered

versions: $(VENV)/.installed  ## test with the lowest and with the newest versions of what mixtura builds on
	@$(BIN)/python .ci/versions.py

lint: $(VENV)/.installed  ## check style, formatting, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python .ci/spelling

format: $(VENV)/.installed  ## rewrite the sources in the project's format
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

bench: $(VENV)/.installed-bench  ## time against scikit-learn and oneDAL, answers compared first
	@$(BIN)/python -m benchmarks

bench-scale: $(VENV)/.installed  ## segment and assign 1,000,000 and 10,000,000 rows beside Arrow's own reading and writing
	@$(BIN)/python -m benchmarks.scale

docs: $(VENV)/.installed-docs  ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "The documentation is in site/index.html"

sanitize: $(VENV)/.installed  ## run the kernel's contract tests under address and undefined-behavior sanitizers
	@PYTHON=$(BIN)/python .ci/sanitize

clean:  ## remove .venv and everything built
	rm -rf $(VENV) $(VENV)-lowest $(VENV)-newest build dist site $(DEMO) htmlcov .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python of at least 3.11 was found; install one, or name it: make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BUILD_INPUTS) | $(BIN)/python
	@echo "Installing mixtura and its tools into $(VENV); the first time takes a minute or two."
	@$(PIP) --editable ".[dev]"
	@$(BIN)/python -c 'import mixtura; built = mixtura.build_info(); \
	  print("The compiled core is ready." if built["compiled"] else "Pure Python, slower: " + built["reason"])'
	@touch $@

# Only what the extra names is installed: mixtura itself is there already and need not be built again.
$(VENV)/.installed-%: $(VENV)/.installed
	@$(BIN)/python -c 'import sys, tomllib; \
	  extras = tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]; \
	  print(*extras[sys.argv[1]], sep="\n")' $* | xargs $(PIP)
	@touch $@
