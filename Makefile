# `make help` lists the targets. Everything is installed into .venv and node_modules of this folder.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
BIN := .venv/bin
TORCH := torch==2.13.0
# Some containers forbid Python to keep what it compiles: then every kernel compiles SciPy and others
# anew, which takes seconds.
unexport PYTHONDONTWRITEBYTECODE
# What tools keep for themselves goes into .venv: HOME may be missing or read-only, and is not ours.
KEPT := $(CURDIR)/.venv/kept
export UV_CACHE_DIR := $(KEPT)/uv
export PIP_CACHE_DIR := $(KEPT)/pip
export npm_config_cache := $(KEPT)/npm
export npm_config_update_notifier := false
export IPYTHONDIR := $(KEPT)/ipython
export MPLCONFIGDIR := $(KEPT)/matplotlib
export JUPYTER_CONFIG_DIR := $(KEPT)/jupyter/config
export JUPYTER_DATA_DIR := $(KEPT)/jupyter/data
export XDG_CACHE_HOME := $(KEPT)/cache

NOTEBOOKS := $(wildcard book/*.ipynb)
BOOK_SOURCES := _config.yml _toc.yml package-lock.json $(shell find book lessons_lib site -type f \
	-not -path '*/.ipynb_checkpoints/*' -not -name '*.pyc' 2>/dev/null | sed 's/ /\\ /g')

.PHONY: help book serve lab test wheel refresh verdicts portable bench torch lock format clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

book: _build/html/.built ## build the book into _build/html, executing what changed; any warning is an error

serve: book ## show the book on http://127.0.0.1:8000 (PORT=… for another port)
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lab: .venv/.installed ## open the notebooks in JupyterLab
	@# Kernels are talked to by files, whose paths must be short.
	JUPYTER_RUNTIME_DIR="$$(mktemp -d)" $(BIN)/jupyter lab --notebook-dir book --KernelManager.transport=ipc

test: .venv/.installed book ## run every test: code, oracles, notebooks, built pages, browser, lint, types
	$(BIN)/pytest --nbval --nbval-current-env --numprocesses $(JOBS) --dist loadscope tests book

wheel: book ## build the wheel with library, notebooks and pages into _build/dist
	$(BIN)/python tools/build_wheel.py

refresh: .venv/.installed ## execute the notebooks and store their text outputs (NOTEBOOKS='book/…' for some)
	$(BIN)/python tools/notebooks.py --jobs $(JOBS) $(NOTEBOOKS)

portable: .venv/.installed ## run notebooks and oracle tests as other processors would, list the cells that move
	$(BIN)/python tools/portable.py $(NOTEBOOKS)

verdicts: .venv/.installed ## compute what is missing of the verdicts' maps (VERDICTS='dropout l1.relaxed' for some)
	$(BIN)/python tools/verdicts.py --jobs $(JOBS) $(VERDICTS)

bench: torch ## time the library as ratios to its peers
	@for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

torch: .venv/.installed ## add PyTorch, the oracle of the network tests
	$(BIN)/python -m pip install --quiet --constraint requirements.lock $(TORCH)

lock: .venv/.installed ## resolve the newest versions that pyproject.toml and package.json allow, into the lock files
	$(BIN)/uv pip compile --quiet --upgrade --universal --fork-strategy fewest --python-version 3.11 --all-extras \
		--no-header --no-annotate --output-file requirements.lock pyproject.toml
	$(BIN)/npm update --silent --omit-lockfile-registry-resolved

format: .venv/.installed ## format and lint-fix the code
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean: ## remove what was built, keep .venv
	rm -rf _build

# The programs in .venv name their folder: if it was moved, or is a copy, they are installed anew.
ifneq ($(wildcard .venv/.installed),)
ifneq ($(shell cat .venv/.installed),$(CURDIR))
.venv/.installed: moved
endif
endif
.PHONY: moved
moved:
	@echo "This folder was elsewhere before: installing anew."
	rm -rf .venv

.venv/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is older. Name another: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "The venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint requirements.lock --editable '.[book,lessons,test]'
	@echo '$(CURDIR)' > $@

node_modules/.package-lock.json: package.json package-lock.json | .venv/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --silent --no-audit --no-fund
	@touch $@

_build/html/.built: .venv/.installed node_modules/.package-lock.json $(BOOK_SOURCES)
	@mkdir -p $(IPYTHONDIR) $(MPLCONFIGDIR)
	$(BIN)/jupyter-book build book --config _config.yml --toc "$(CURDIR)/_toc.yml" --path-output . \
		--warningiserror --keep-going --quiet
	@touch $@
