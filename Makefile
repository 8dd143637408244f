# The same targets on a desk and in CI. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
GO ?= go
BIN := bin/marisma
VENV := .cache/venv
PY := $(VENV)/bin/python
CORPUS ?= ../shared/corpus/sql
GOLDEN ?= ../shared/golden
EXPECTED ?= ../shared/corpus/delta/expected
FUZZTIME ?= 20s
RECORDED := internal/query/corpus/testdata/recorded

.PHONY: help build demo check test race e2e corpus golden interop interop-smoke spark-record interop-spark-fuzz fuzz crash bench gen docs ui clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

build: ## build bin/marisma
	@mkdir -p bin
	$(GO) build -o $(BIN) ./cmd/marisma

demo: build ## run the example plant with simulated machines (Ctrl-C stops it)
	@exec $(BIN) up -C examples/plant --simulate --history 2h

check: ## vet, lint, layers, formatting
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt -w'; exit 1; }
	$(GO) vet ./...
	$(GO) test -count=1 ./internal/lint/...
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

test: ## unit and end-to-end tests
	$(GO) test -timeout 18m ./...

race: ## the tests under the race detector
	$(GO) test -race -timeout 40m ./...

e2e: ## the binary, driven by scripts
	$(GO) test -count=1 -timeout 15m ./e2e/...

corpus: ## what Spark answered: make corpus CORPUS=<folder>
	@mkdir -p .cache
	@CORPUS=$(abspath $(CORPUS)) CORPUS_OUT=$${CORPUS_OUT:-$(abspath .cache/corpus-failures.txt)} CORPUS_TABLE=$(abspath .cache/corpus-table.txt) \
	  $(GO) test -count=1 -timeout 30m -run 'TestCorpus$$' -v ./internal/query/corpus > .cache/corpus.log 2>&1; status=$$?; \
	  grep -E 'SKIP|failures are in|corpus_test.go' .cache/corpus.log; \
	  if [ -s .cache/corpus-table.txt ]; then cat .cache/corpus-table.txt; else tail -n 40 .cache/corpus.log; fi; exit $$status

golden: ## Delta tables of other writers: make golden GOLDEN=<folder> EXPECTED=<folder>
	@mkdir -p .cache
	@GOLDEN=$(abspath $(GOLDEN)) EXPECTED=$(abspath $(EXPECTED)) GOLDEN_TABLE=$(abspath .cache/golden-table.txt) \
	  $(GO) test -count=1 -timeout 30m -run 'TestForeignTables$$' ./delta > .cache/golden.log 2>&1; status=$$?; \
	  if [ -s .cache/golden-table.txt ]; then cat .cache/golden-table.txt; else tail -n 40 .cache/golden.log; fi; exit $$status

# What the foreign clients need; see interop/README.md.
$(VENV)/.smoke: interop/requirements-smoke.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install -q --disable-pip-version-check -r interop/requirements-smoke.txt
	@touch $@

$(VENV)/.full: $(VENV)/.smoke interop/requirements.txt
	$(VENV)/bin/pip install -q --disable-pip-version-check -r interop/requirements.txt
	@touch $@

.cache/node/.done: interop/package.json interop/package-lock.json
	@mkdir -p .cache/node
	cp interop/package.json interop/package-lock.json .cache/node/
	cd .cache/node && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.cache/azurite/.done: interop/azurite/package.json interop/azurite/package-lock.json
	@mkdir -p .cache/azurite
	cp interop/azurite/package.json interop/azurite/package-lock.json .cache/azurite/
	cd .cache/azurite && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

interop-smoke: build $(VENV)/.smoke .cache/node/.done ## the quick share of the foreign clients
	cd interop && ../$(PY) -m pytest -q -m smoke

interop: build $(VENV)/.full .cache/node/.done .cache/azurite/.done ## real device SDKs, Spark, delta-rs and object stores against ours
	cd interop && ../$(PY) -m pytest -v

spark-record: $(VENV)/.full ## ask Spark anew for the answers to our own statements
	cd interop && ../$(PY) -m spark_record ../$(RECORDED) ../$(RECORDED)

interop-spark-fuzz: $(VENV)/.full ## random statements, Spark's answers beside ours: FUZZFLAGS="-seed 7 -exprs 2000"
	$(GO) run ./interop/sparkfuzz -python $(PY) -setup $(RECORDED) -out .cache/spark-fuzz $(FUZZFLAGS)

fuzz: ## each fuzz target for FUZZTIME
	@set -e; for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $$p; \
	  done; done

crash: build $(VENV)/.smoke ## kill -9 at random moments under load, then count every reading
	$(GO) run ./crash -bin $(BIN) -python $(PY) $(CRASHFLAGS)

bench: build $(VENV)/.full ## ratios against the peers, in one run
	bench/run $(BENCHFLAGS)

gen: ## regenerate what is generated
	$(GO) generate ./...

docs: ## check that the documents' commands and links hold
	$(GO) test -count=1 -run 'Doc|Readme' ./internal/lint/...

ui: ## build the page from ui/ into internal/web/dist (needs Node)
	cd ui && npm ci --no-audit --no-fund && npm run build

clean: ## remove what was built and the examples' data
	rm -rf bin .cache examples/*/.marisma
