PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet -c constraints.txt
PACKAGES := backtest data reports strategies

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help bytecode demo bench bench-env scaling test browser random mutants mutants-again bounds lint types contracts check links wheel lock lowest clean

help:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*##  *\(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gexlab needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing gexlab and its libraries into $(VENV) (about 500 MB, one to three minutes) ..."
	@$(PIP) pip
	@$(PIP) -e .
	@echo "... installed."
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	@echo "Installing the tools for tests and checks (under a minute) ..."
	@$(PIP) --group dev
	@touch $@

# pip leaves a checkout's own modules uncompiled, and where PYTHONDONTWRITEBYTECODE is set nobody else
# compiles them: every start would, for .15 s.
bytecode: $(VENV)/run.stamp
	@$(BIN)/python -m compileall -q $(PACKAGES)

demo: bytecode  ## The whole job on a simulated market
	@echo "Simulating a market and running the whole job (half a minute; two at the first run, which compiles) ..."
	$(BIN)/gexlab demo --out out/demo

test: $(VENV)/dev.stamp bytecode  ## Tests and docstring examples, on all cores
	@echo "Running the tests on all cores (under six minutes on two; the first run compiles, two more) ..."
	$(BIN)/python -m pytest

# Chromium is the machine's own (apt-get install chromium); without one everything is skipped. Pictures lie in out/browser.
browser: $(VENV)/dev.stamp  ## Every page in a real browser: drawn, readable, usable, in pictures (minutes)
	@$(PIP) --group browser
	$(BIN)/python -m pytest -p no:xdist -m slow tests/browser tests/reports/page/test_browser.py -rs $(ARGS)

# ARGS chooses a part: make random ARGS="-k twin"
random: $(VENV)/dev.stamp  ## Every property on 100 times as many examples, new ones each time (hours)
	$(BIN)/python -m pytest -m "hypothesis and not slow" --hypothesis-profile=random $(ARGS)

# What is done stays in out/mutants: called again, it goes on. ARGS="--number 400 --seed 12" draws others.
mutants: $(VENV)/dev.stamp  ## Does a test notice a wrong operator, number or name? 200 mutants (hours)
	@test -f out/mutants/reach || $(BIN)/python tests/mutation/mutants.py reach
	$(BIN)/python tests/mutation/mutants.py run $(ARGS)

mutants-again: $(VENV)/dev.stamp  ## Those that no test noticed, against sources and tests as they are now
	$(BIN)/python tests/mutation/mutants.py again $(ARGS)

# Compiled loops check no index on their own: one that is wrong spoils memory and is noticed elsewhere, or never.
bounds: $(VENV)/dev.stamp  ## Tests of the compiled loops with every array access checked
	NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CURDIR)/out/bounds $(BIN)/python -m pytest tests/data/exposure tests/data/simulate \
		tests/data/lake/test_row_groups.py tests/data/lake/test_chain_columns.py

bench: $(VENV)/dev.stamp bytecode  ## Measure speed as ratios, all in one run (minutes, about 2 GB in out/bench)
	@for script in tests/bench/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# ARGS="--measure" takes the costs from this machine (minutes), ARGS="--contracts 1500000" scales all names.
scaling: $(VENV)/dev.stamp bytecode  ## A whole market of options on 1 to 256 workers, simulated
	@$(BIN)/python tests/bench/market_simulation.py $(ARGS)

# The one thing of `bench` that is optional: its library is no dependency of anything here.
bench-env:  ## Environment in which `bench` also times an event-driven backtester
	$(PYTHON) -m venv .venv-bench
	@PYTHONWARNINGS=ignore .venv-bench/bin/python -m pip install --quiet backtrader==1.9.78.123

lint: $(VENV)/dev.stamp  ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp links  ## Static types
	$(BIN)/mypy

contracts: $(VENV)/dev.stamp  ## Who may import whom
	$(BIN)/lint-imports

check: lint types contracts test bounds  ## All of the above

links:  ## Tree of links that shows path-based tools the import names
	@mkdir -p .links/gexlab
	@for p in $(PACKAGES); do ln -sfn ../../$$p .links/gexlab/$$p; done

wheel: $(VENV)/dev.stamp  ## Build a wheel from a clean tree
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --no-deps -w dist .

lock:  ## Resolve anew and rewrite constraints.txt; review the difference
	rm -rf .venv-lock
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --upgrade pip
	.venv-lock/bin/python -m pip install --quiet -e . --group dev --group browser
	.venv-lock/bin/python -m pip freeze --all --exclude gexlab --exclude setuptools > constraints.txt
	rm -rf .venv-lock

# The bounds of pyproject.toml are what this passes with: raise them until it does.
lowest:  ## The main job with the lowest version of everything declared
	@echo "Installing the lowest declared versions into .venv-lowest (one to three minutes) ..."
	@test -x .venv-lowest/bin/python || $(PYTHON) -m venv .venv-lowest
	@$(PYTHON) tests/bench/lowest_versions.py > .venv-lowest/pins.txt
	@PYTHONWARNINGS=ignore .venv-lowest/bin/python -m pip install --quiet --upgrade pip
	@PYTHONWARNINGS=ignore .venv-lowest/bin/python -m pip install --quiet -r .venv-lowest/pins.txt -e .
	@echo "... installed; now the main job on small markets (about two minutes at the first run, which compiles) ..."
	GEXLAB_CACHE_DIR=$(CURDIR)/.venv-lowest/cache .venv-lowest/bin/gexlab doctor
	GEXLAB_CACHE_DIR=$(CURDIR)/.venv-lowest/cache .venv-lowest/bin/gexlab demo --out out/lowest

clean:  ## Remove everything that can be rebuilt
	rm -rf $(VENV) .venv-lock .venv-lowest .venv-bench .links build dist out *.egg-info
