# Every target sets up what it needs; the second time that takes no time.
#
#   PYTHON       the Python, 3.11 or later, to make the environment from
#   VENV         where the environment goes
#   TORCH        what pip is asked for: by default a build for the CPU, without CUDA packages
#   TORCH_INDEX  where pip finds that build, unless pip is set up to find it (see README.md)
#   ARGS         more arguments for pytest: make test ARGS="tests/text -x"

PYTHON ?= python3
VENV ?= .venv
TORCH_VERSION := $(shell sed -n 's/^torch==//p' constraints.txt)
TORCH ?= torch==$(TORCH_VERSION)$(if $(filter Linux,$(shell uname -s)),+cpu)
TORCH_INDEX ?=
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO_WAV ?= recipes/demo/speech.wav
DEMO_TEXT ?= recipes/demo/speech.txt
SCRIPTS := $(wildcard .ci/run recipes/*.sh recipes/*/*.sh)

.DELETE_ON_ERROR:
.PHONY: help demo test check fix bench

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 10

demo: $(VENV)/.installed  ## transcribe a recording with the shipped model, its reference beside it
	@printf 'reference:   ' && cat $(DEMO_TEXT)
	@printf 'transcript:  ' && $(BIN)/asr transcribe $(DEMO_WAV)

test: $(VENV)/.develops  ## run the plain tests
	$(BIN)/pytest $(ARGS)

check: $(VENV)/.develops  ## check style, types and shell scripts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/shellcheck --external-sources --source-path=SCRIPTDIR $(SCRIPTS)

fix: $(VENV)/.develops  ## format the code and mend what can be mended
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/.develops  ## measure speed, paired with the reference libraries
	@for name in features training transcription; do $(BIN)/python -m benchmarks.$$name || exit; done

# Torch goes first and alone: asked for by the package, pip would take the build with CUDA.
$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	@echo 'setting up $(VENV): a minute or two, and 1 GB of disk (1.7 GB with what tests need)'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet $(TORCH) $(addprefix --extra-index-url ,$(TORCH_INDEX)) || { \
	  echo 'make: pip found no $(TORCH); "make TORCH_INDEX=..." says where it is (see README.md),' >&2; \
	  echo 'make: and "make TORCH=torch==$(TORCH_VERSION)" takes the large build with CUDA' >&2; \
	  exit 1; }
	@$(PIP) install --quiet -c constraints.txt -e .
	@touch $@

$(VENV)/.develops: $(VENV)/.installed
	@echo 'adding what tests and checks need to $(VENV)'
	@$(PIP) install --quiet -c constraints.txt -e '.[train,test,check]'
	@touch $@
