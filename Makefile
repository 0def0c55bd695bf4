# Every target makes what it needs first. On a new machine only Python 3.11+ and make have to be there.
.DEFAULT_GOAL := help
BIN := .venv/bin
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
export CHROMIUM

.PHONY: help
help: ## Show this list
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-14s %s\n", $$1, $$2 }'

.PHONY: run
run: .venv/runtime ## Start everything: database, broker, gateway, demo model, web, workers
	@exec $(BIN)/python -m deploy.embedded up

.PHONY: reset
reset: .venv/runtime ## Throw away the data of `make run` and start over at the next one
	@$(BIN)/python -m deploy.embedded reset

.PHONY: test
test: .venv/development browser ## Run the tests (ARGS="tests/enforcement -x" for some of them)
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

.PHONY: check
check: .venv/development ## Run every linter and type check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -W ignore manage.py makemigrations --check --dry-run

.PHONY: tour
tour: .venv/development browser ## Walk the main path in a browser and take the pictures of the README
	IRAPP_TOUR=1 $(BIN)/pytest tests/e2e/test_main_path.py

.PHONY: litellm
litellm: .venv/runtime ## Install LiteLLM into .venv-litellm, for the tests and figures of its callback
	@test -x .venv-litellm/bin/python || $(BIN)/python -m venv .venv-litellm
	@.venv-litellm/bin/pip install --quiet --disable-pip-version-check -r enforcement/adapters/litellm/requirements.txt

.PHONY: bench
bench: .venv/development ## Measure; the figures of docs/benchmarks.md
	@set -e; for file in $$(grep -l __main__ bench/*.py); do echo "== $$file"; PYTHONPATH=. $(BIN)/python "$$file"; done

.PHONY: browser
browser:
	@test -n "$(CHROMIUM)" || \
	  { echo "The browser tests need Chromium: apt-get install chromium, or set CHROMIUM=/path/to/it" >&2; exit 1; }

.PHONY: .venv
.venv: .venv/runtime

.venv/runtime: requirements.txt
	@PYTHON="$(PYTHON)" sh deploy/make_venv requirements.txt
	@touch $@

.venv/development: requirements.txt requirements-dev.txt
	@PYTHON="$(PYTHON)" sh deploy/make_venv requirements-dev.txt
	@touch $@ .venv/runtime
