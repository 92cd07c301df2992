# Few words, each a whole job. They need only make and Python 3.10+ with venv.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ONCE   ?=
SECONDS ?=
EVERYTHING ?=
ARGS    ?=

.PHONY: help run demo test long check format lint types real clients bench templates conformance growth fuzz faults attack stores browser load soak audit dist package clean
.NOTPARALLEL:

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

# The environment grows: a target installs what it needs when it first needs it, and again when the list has changed.
# Python's own pip fills it if it can (since pip 22.3). A pip inside would cost five seconds and 27 MB.
define install
	@if [ -x $(BIN)/pip ]; then set -- $(BIN)/python -m pip; \
		elif $(PYTHON) -m pip --version >/dev/null 2>&1; then set -- $(PYTHON) -m pip --python $(BIN)/python; \
		else $(BIN)/python -m ensurepip >/dev/null && set -- $(BIN)/python -m pip; fi; \
		"$$@" install --quiet --no-compile --disable-pip-version-check $(1)
	@touch $@
endef

$(BIN)/python:
	@$(PYTHON) version.py
	@$(PYTHON) -c 'import pip, sys; sys.exit([int(part) for part in pip.__version__.split(".")[:2]] < [22, 3])' \
		2>/dev/null && set -- --without-pip; $(PYTHON) -m venv "$$@" $(VENV)

$(VENV)/.run: requirements.txt | $(BIN)/python
	$(call install,-r requirements.txt)

$(VENV)/.demo: requirements.txt requirements/demo.txt | $(BIN)/python
	$(call install,-r requirements.txt -r requirements/demo.txt)

$(VENV)/.dev: requirements.txt requirements/demo.txt requirements/dev.txt requirements/bench.txt requirements/fuzz.txt requirements/records.txt requirements/tracing.txt requirements/browser.txt | $(BIN)/python
	$(call install,-r requirements.txt -r requirements/demo.txt -r requirements/dev.txt)

$(VENV)/.audit $(VENV)/.bench $(VENV)/.browser $(VENV)/.conformance $(VENV)/.dist $(VENV)/.fuzz $(VENV)/.records $(VENV)/.tracing: $(VENV)/.%: requirements/%.txt $(VENV)/.dev
	$(call install,-r $<)

run: $(VENV)/.run ## serve on PROXY_HOST:PROXY_PORT (python app.py)
	$(BIN)/python app.py

demo: $(VENV)/.demo ## the main job on the built-in demo backend (ONCE=1 ends after the loop)
	ONCE=$(ONCE) $(BIN)/python -m demo

# Bytecode is kept in build/, even where the environment says that none is written: hundreds of processes import all of it.
test long: export PYTHONDONTWRITEBYTECODE :=
test long: export PYTHONPYCACHEPREFIX := $(CURDIR)/build/bytecode
test long: export EVERYTHING := $(EVERYTHING)
test: $(VENV)/.dev build/bytecode ## the tests, in five to ten minutes on two processors; EVERYTHING=1: the longest of them in full
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not long"

long: $(VENV)/.dev build/bytecode ## the tests that start services, measure time and memory, or drive a browser (five to ten minutes)
	$(BIN)/python -m pytest -n auto --dist worksteal -m long

build/bytecode: | $(VENV)/.dev
	$(BIN)/python -m tests.compiled

format: $(VENV)/.dev ## rewrite the code in the house style
	$(BIN)/ruff format . && $(BIN)/ruff check --fix --quiet .

lint: $(VENV)/.dev ## style and spelling
	$(BIN)/ruff format --check . && $(BIN)/ruff check . && $(BIN)/codespell

types: $(VENV)/.dev ## mypy strict on the product and the tests
	$(BIN)/mypy

check: lint types package long test ## all of lint, types, package, long and test: what a commit must pass

real: $(VENV)/.dev ## the SDK through the proxy against a real llama-server, against ones that refuse, and the doctor on it (6 minutes)
	$(BIN)/python -m tests.real

clients: $(VENV)/.dev ## the real agents and SDKs, each in a tool loop through the proxy, each in an environment of its own (ARGS="codex claude": some)
	$(BIN)/python -m tests.clients $(ARGS)

bench: $(VENV)/.bench ## beside nginx and LiteLLM, and each syntax alone (half an hour; ARGS=paired: beside the commit before, 12 minutes)
	$(BIN)/python -m benchmarks $(ARGS)

templates: $(VENV)/.dev ## rows learned from every public chat template, beside the table; writes docs/TEMPLATES.md (five minutes)
	$(BIN)/python -m tests.templates

conformance: $(VENV)/.conformance ## the public CanIToolCall corpus through the running proxy
	$(BIN)/python -m tests.conformance

growth: $(VENV)/.dev ## that time grows with the size of hostile texts and streams as a line does (one to three hours; ARGS="--every 20": ten minutes)
	$(BIN)/python -m tests.growth $(ARGS)

fuzz: $(VENV)/.fuzz ## made-up answers in every way of cutting them, calls with slips, made-up arguments, hostile exchanges, requests nobody would send
	$(BIN)/python -m tests.fuzz
	$(BIN)/python -m tests.fuzz_mutations
	$(BIN)/python -m tests.fuzz_contexts
	$(BIN)/python -m tests.fuzz_arguments
	$(BIN)/python -m tests.fuzz_hostile
	$(BIN)/python -m tests.http_fuzz

faults: $(VENV)/.dev ## backends that fail in every way and phase, a reset at every byte, and a service in trouble; both ways of serving
	$(BIN)/python -m tests.faults $(ARGS)

attack: $(VENV)/.dev ## hostile clients and broken backends, with a victim beside them (ARGS="--quick", ARGS="--only C4")
	$(BIN)/python -m tests.attack $(ARGS)

stores: $(VENV)/.records ## records in a real PostgreSQL, metrics in a real Prometheus, from Debian's packages
	$(BIN)/python -m tests.stores $(ARGS)

browser: $(VENV)/.browser ## the page of the inspector in a headless Chromium from Debian's packages, also beside 1,000 streams
	$(BIN)/python -m tests.browser $(ARGS)

load: $(VENV)/.dev ## 256 and 1,000 streams at once through gunicorn, each checked byte for byte
	$(BIN)/python -m tests.load

soak: $(VENV)/.dev ## twenty minutes of mixed traffic, and that nothing is left of it (SECONDS=60 for less; ARGS=--mixed: 1,000 clients, a tenth hostile)
	$(BIN)/python -m tests.load.soak $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

audit: $(VENV)/.audit ## known vulnerabilities of what we depend on
	$(BIN)/pip-audit --strict --progress-spinner off -r requirements.txt

dist: $(VENV)/.dist ## the wheel and the source distribution, in dist/
	rm -rf dist build/lib build/bdist.* dragoman.egg-info
	$(BIN)/python -m build --quiet

package: dist ## the wheel in an empty environment: the demo, the command and .env from another folder
	$(BIN)/python -m tests.package dist/*.whl

clean: ## forget the environment and every cache
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist dragoman.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
