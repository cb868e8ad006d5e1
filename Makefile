# Every target sets up what it needs; the second time, that takes no time.
#
#   PYTHON       the Python, 3.11 or later, that makes the environment
#   VENV         where the environment goes
#   TORCH        builds of torch to ask pip for, in this order: the first that pip finds is taken
#   TORCH_INDEX  one more index to look for torch in, such as PyTorch's own index of CPU builds
#   ARGS         more arguments for pytest: make test ARGS="tests/text -x"

PYTHON ?= python3
VENV ?= .venv
TORCH_VERSION := $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH ?= torch==$(TORCH_VERSION)+cpu torch==$(TORCH_VERSION)
TORCH_INDEX ?=
ARGS ?=

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
DEMO_WAV ?= recipes/demo/speech.wav
DEMO_TEXT ?= recipes/demo/speech.txt
SCRIPTS := $(wildcard .ci/run recipes/*.sh recipes/*/*.sh)

.DELETE_ON_ERROR:
.PHONY: help demo test check fix bench

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

demo: $(VENV)/.recogniser  ## install the recogniser and transcribe a recording
	@printf 'reference:   ' && cat $(DEMO_TEXT)
	@printf 'transcript:  ' && $(BIN)/asr transcribe $(DEMO_WAV)

test: $(VENV)/.everything  ## install everything and run the plain tests
	$(BIN)/pytest --numprocesses auto $(ARGS)

check: $(VENV)/.everything  ## check style, types and shell scripts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/shellcheck --external-sources --source-path=SCRIPTDIR $(SCRIPTS)

fix: $(VENV)/.everything  ## format the code and fix what can be fixed automatically
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.everything  ## measure speed, paired with the reference libraries
	@for name in features training transcription; do $(BIN)/python -m benchmarks.$$name || exit; done

$(VENV)/.recogniser: setup.cfg pyproject.toml constraints.txt
	@echo 'installing the recogniser into $(VENV) (440 MB, without torch)'
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) -e .
	@touch $@

# Torch goes first and alone, since the package itself takes any build of it.
$(VENV)/.everything: $(VENV)/.recogniser
	@echo 'adding torch, and what tests and checks need, to $(VENV)'
	@for torch in $(TORCH); do \
	  if $(INSTALL) $$torch $(addprefix --extra-index-url ,$(TORCH_INDEX)) 2>$(VENV)/torch.log; \
	  then echo "took $$torch"; exit; \
	  else echo "pip found no $$torch"; fi; \
	done; cat $(VENV)/torch.log >&2; exit 1
	@$(INSTALL) -e '.[train,test,check]'
	@touch $@
