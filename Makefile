# The main commands: `make run` starts the server (`make run PORT=8001` on another port), `make test` runs all checks.
.PHONY: run test lint format docs bench setup setup-dev lock wheel clean

# Some machines forbid Python to keep what it has compiled: every start would then compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

ARGS ?=
PORT ?=
PYTEST ?=

run: setup
	@exec env STARTED_BY=make .venv/bin/realtime serve $(if $(PORT),--port $(PORT)) $(ARGS)

test: setup-dev $(if $(PYTEST),lint)
	@tools/test.sh $(PYTEST)

lint: setup-dev
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@PYTHONPATH=clients:. .venv/bin/python tools/docs.py --check

docs: setup-dev
	@PYTHONPATH=clients:. .venv/bin/python tools/docs.py

format: setup-dev
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

bench: setup-dev
	@.venv/bin/python -m bench.report --short

setup:
	@tools/setup.sh run

setup-dev:
	@tools/setup.sh dev

lock: setup-dev
	@.venv/bin/python -m pip install --quiet uv && PATH="$$PWD/.venv/bin:$$PATH" tools/lock.sh

wheel: setup-dev
	@.venv/bin/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

clean:
	@rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
