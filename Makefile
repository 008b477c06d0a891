# make demo · make test · make check · make bench · make lab
.DEFAULT_GOAL := help
VENV ?= .venv
BIN := $(VENV)/bin
ENVIRONMENT := sh binder/make-environment.sh $(VENV)
PYTEST := $(BIN)/python -m pytest

.PHONY: help environment demo lab test test-full test-torch check check-types-front bench wheel docs clean

help:
	@echo "make demo       walk a real notebook from Design to Production"
	@echo "make lab        open JupyterLab on the tutorial (127.0.0.1)"
	@echo "make test       install what the tests need and pass them, without root, in 10 minutes at most"
	@echo "make test-full  what needs root, Chromium or minutes"
	@echo "make test-torch what needs PyTorch, which it installs too"
	@echo "make check      lint, types, import contracts, size limits, TypeScript"
	@echo "make bench      measurements against peers, as ratios"
	@echo "make wheel      build the wheel, front end included"

environment:
	@$(ENVIRONMENT) dev

demo: environment
	@$(BIN)/python binder/demo.py

lab: environment
	$(BIN)/jupyter lab $$([ "$$(id -u)" = 0 ] && echo --allow-root) --ServerApp.ip=127.0.0.1 binder/tutorial.ipynb

test: environment
	$(PYTEST) -m "not full and not lab and not gpu and not torch" -n 2 --dist loadgroup --durations 20
	$(PYTEST) -p pytest_jupyter.jupyter_server tests/lab/server

test-full: environment
	$(PYTEST) -m "(full or lab) and not gpu and not torch" --ignore tests/lab/server --durations 20

test-torch:
	@$(ENVIRONMENT) dev torch
	$(PYTEST) -m "torch and not gpu" --durations 20

check: environment check-types-front
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	$(PYTEST) -q tests/architecture

check-types-front: environment
	cd extension && PATH="$(abspath $(BIN)):$$PATH" sh check.sh

bench: environment
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

wheel: environment
	NBSHIP_PANEL=required $(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	@ls dist

docs: environment
	$(BIN)/python -m pip install --quiet --group docs
	$(BIN)/sphinx-build -q -W docs site

clean:
	rm -rf $(VENV) build dist site demo extension/labextension extension/node_modules
