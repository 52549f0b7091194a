# The three words: demo, test, bench. Each sets up what it needs, from nothing.
PYTHON ?= python3
VENV ?= .venv
EXTRAS := board,caffe,sim,tflite,dev
BARE ?= .venv-bare
BIN := $(VENV)/bin
BUILT := pyproject.toml setup.py ipudebug/metrics/_runs.c

.PHONY: demo test bench lint clean

demo: $(VENV)/installed
	@$(BIN)/ipudebug demo

# The suite runs twice: with the extras, and in an environment of its own without them.
test: lint $(BARE)/dev
	$(BIN)/python -m pytest -n auto
	$(BARE)/bin/python -m pytest -n auto

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev
	$(BIN)/python -m bench

# A stamp is written last, so an interrupted set-up is done again.
$(VENV)/installed: $(BUILT)
	$(call make_venv,$(VENV),.)
	@touch $@

$(VENV)/dev: $(VENV)/installed
	$(call make_venv,$(VENV),.[$(EXTRAS)])
	@touch $@

$(BARE)/dev: $(BUILT)
	$(call make_venv,$(BARE),.[dev])
	@touch $@

# make_venv FOLDER,REQUIREMENT: an environment with the package, editable.
define make_venv
@$(PYTHON) -c 'import sys; sys.version_info < (3, 10) and sys.exit("ipudebug needs Python 3.10 or later, found " + sys.version)'
@echo "setting up $(1) with $(2) ..."
@test -x $(1)/bin/python || $(PYTHON) -m venv $(1)
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check -e '$(2)'
endef

clean:
	rm -rf build ipudebug/metrics/_runs.*.so $(VENV) $(BARE) .mypy_cache .pytest_cache .ruff_cache .hypothesis
