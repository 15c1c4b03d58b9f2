# One command a job; continuous integration calls the same ones. `make help` lists them.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV ?= .venv
PROFILE ?= $(or $(HISTOLAB_PROFILE),smoke)
FROM ?= md
TAG ?=
REMOTE ?= origin
PORT ?= 8000
SLOW ?=
export PROFILE TAG REMOTE

BIN := $(VENV)/bin
READY := $(VENV)/.ready
REPORT := _build/reports/tests.xml
EXTRAS := data,train,export,book,dev

# A torch file on disk where PIP_FIND_LINKS names one, else PyTorch's own index: the CPU build where there is no driver.
TORCH_FILE := $(firstword $(wildcard $(addsuffix /torch-[0-9]*.whl,$(PIP_FIND_LINKS))))
ifeq ($(TORCH_FILE),)
TORCH_FROM := --torch-backend auto
else
TORCH_FROM := $(addprefix --find-links ,$(PIP_FIND_LINKS))
endif

.PHONY: help install book test quick lint bench serve pairs references publish-check device-check editions push-editions clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | expand -t 16

install: $(READY) ## create .venv and install the package with the exact pins

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
	  echo "error: the pins are for Python 3.11 and '$(PYTHON)' is not; name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "error: $(VENV) was made by another Python; remove it and run this again" >&2; exit 1; }
	$(BIN)/python -m pip install -q "$$(grep '^uv==' constraints.txt)"
	$(BIN)/uv pip install -q --python $(BIN)/python --compile-bytecode $(TORCH_FROM) -c constraints.txt -b constraints.txt -e ".[$(EXTRAS)]"
	@touch $@

book: $(READY) ## execute every chapter (PROFILE=smoke, colab or paper), check it and build the book
	$(BIN)/histolab book build

test: book ## run all checks: tests, doctests, notebooks, the book in a browser (SLOW=1: the slow ones too)
	$(BIN)/histolab book check
	$(BIN)/python -m pytest -n 2 --dist loadfile $(if $(SLOW),,-m "not slow") --junit-xml $(REPORT)

quick: $(READY) ## ruff, layers and the fast tests, in under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/histolab book pairs --check
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow and not thorough and not notebook and not browser and not real"

lint: $(READY) ## ruff, layers, types, pairs and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy
	$(BIN)/histolab book pairs --check
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --no-progress .github/workflows

bench: $(READY) ## measure the figures that we quote
	$(BIN)/python -m pytest -q -s -o python_files="bench_*.py" tests/benchmarks

serve: $(READY) ## show the built book on this machine (PORT=8000)
	$(BIN)/histolab book serve --port $(PORT)

pairs: $(READY) ## write each chapter's .ipynb from its .md (FROM=ipynb: the other way)
	$(BIN)/histolab book pairs --from $(FROM)

references: $(READY) ## run the smoke profile and renew the committed outputs
	$(BIN)/histolab book references

publish-check: $(READY) ## everything that must hold before publishing, in the order of the workflow
	$(MAKE) lint
	$(MAKE) book
	$(MAKE) test
	@echo "ready to publish: _build/html"

publish-check: export HISTOLAB_PUBLISH = 1 # no picture whose licence does not let us

device-check: $(READY) ## fail unless a GPU is there that torch can use
	$(BIN)/python -c 'import torch, sys; print(torch.cuda.get_device_name() if torch.cuda.is_available() else sys.exit("error: torch finds no GPU on this machine"))'

editions: $(READY) ## write the Colab editions to _build/colab (TAG=v0.1.0 where none is checked out)
	$(BIN)/histolab book colab --out _build/colab $${TAG:+--tag "$$TAG"}

push-editions: ## push what lies in _build/colab to the branch `notebooks` (REMOTE=origin); the workflow does this
	.ci/push-editions _build/colab "$$(git remote get-url "$$REMOTE" 2>/dev/null || echo "$$REMOTE")" "Editions of $${TAG:-the working tree}"

clean: ## remove what can be made again (not .venv, not runs)
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis dist
