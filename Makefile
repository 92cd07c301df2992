# Few words, each a whole job. `make demo` and `make test` need only make and Python 3.10+ with venv.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ONCE   ?=
SECONDS ?= 1200
ARGS    ?=

.PHONY: help run demo test check format lint types real bench conformance fuzz faults load soak audit clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# One stamp for the environment: it is made again when a requirements file changes.
$(VENV)/.ready: requirements.txt requirements-dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(VENV)/.ready ## serve on PROXY_HOST:PROXY_PORT (python app.py)
	$(BIN)/python app.py

demo: $(VENV)/.ready ## the main job on the built-in demo backend (ONCE=1 ends after the loop)
	ONCE=$(ONCE) $(BIN)/python -m demo

test: $(VENV)/.ready ## every test that runs in under five minutes
	$(BIN)/python -m pytest -n auto --dist worksteal

format: $(VENV)/.ready ## rewrite the code in the house style
	$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

lint: $(VENV)/.ready ## style and spelling
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/codespell

types: $(VENV)/.ready ## mypy strict on the product and the tests
	$(BIN)/mypy

check: lint types test ## all of the above: what a commit must pass

real: $(VENV)/.ready ## the SDK through the proxy against a real llama-server
	$(BIN)/python -m tests.real

bench: $(VENV)/.ready ## beside nginx and LiteLLM, and each syntax alone (half an hour; ARGS="proxies --quick" for less)
	$(BIN)/python -m benchmarks $(ARGS)

conformance: $(VENV)/.ready ## the public CanIToolCall corpus through the running proxy
	$(BIN)/python -m tests.conformance

fuzz: $(VENV)/.ready ## made-up answers in every way of cutting them, made-up arguments, requests nobody would send
	$(BIN)/python -m tests.fuzz
	$(BIN)/python -m tests.fuzz_arguments
	$(BIN)/python -m tests.http_fuzz

faults: $(VENV)/.ready ## backends that fail in every way and phase, and a reset at every byte of an answer
	$(BIN)/python -m tests.faults

load: $(VENV)/.ready ## 256 and 1,000 streams at once through gunicorn, each checked byte for byte
	$(BIN)/python -m tests.load

soak: $(VENV)/.ready ## twenty minutes of mixed traffic, and that nothing is left of it (SECONDS=60 for less)
	$(BIN)/python -m tests.load.soak --seconds $(SECONDS)

audit: $(VENV)/.ready ## known vulnerabilities of what we depend on
	$(BIN)/pip-audit --strict --progress-spinner off -r requirements.txt

clean: ## forget the environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
