# Everything a person does with this folder. Each target prepares what it needs by itself: see packaging/setup.sh.
# PYTHON=/path/to/python3 chooses the interpreter, ARGS="…" is handed on (make test ARGS="tests/engine -x").

.PHONY: help run test lint check bench soak fuzz matrix screenshots build lock clean
.DEFAULT_GOAL := help

help:
	@echo "make run          start Lynkr Desktop from source"
	@echo "make test         all tests"
	@echo "make lint         format, lint, types, imports"
	@echo "make check        lint, then all tests"
	@echo "make bench        measure the proxy against nginx; fails if it got slower than its floors"
	@echo "make soak         mixed traffic while everything breaks, then the books compared (ARGS=\"--minutes 60\")"
	@echo "make fuzz         feed every parser with what atheris makes up, SECONDS=60 each"
	@echo "make matrix       every real client against every scenario, here and through LiteLLM; writes docs/compatibility.md"
	@echo "make screenshots  draw every page of the window into screenshots/"
	@echo "make build        the program as one folder in dist/, and a test of it"
	@echo "make lock         resolve requirements/*.txt anew from pyproject.toml"
	@echo "make clean        remove all that the targets made, .venv too"

run:
	@packaging/setup.sh run
	@packaging/run.sh $(ARGS)

test:
	@packaging/setup.sh test
	@packaging/clients.sh
	@.venv/bin/python -m pytest $(ARGS)

lint:
	@packaging/setup.sh test
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports

check: lint test

bench:
	@packaging/setup.sh bench
	@.venv/bin/python -m tests.bench $(ARGS)
	@.venv/bin/python -m tests.bench.window
	@.venv/bin/python -m tests.bench.rows

soak:
	@packaging/setup.sh soak
	@.venv/bin/python -m tests.soak $(ARGS)

fuzz:
	@packaging/setup.sh test
	@.venv/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements/fuzz.txt
	@.venv/bin/python -m tests.fuzz $(or $(SECONDS),60) $(ARGS)

matrix:
	@packaging/setup.sh test
	@packaging/matrix.sh
	@.venv/bin/python -m tests.matrix $(ARGS)

screenshots:
	@packaging/setup.sh build
	@.venv/bin/python packaging/screenshots.py $(ARGS)

build:
	@packaging/setup.sh build
	@.venv/bin/python packaging/build.py
	@.venv/bin/python packaging/smoke_test.py dist/lynkr-desktop

lock:
	@packaging/setup.sh lock
	@.venv/bin/python packaging/lock.py

clean:
	rm -rf .venv build dist screenshots *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
