# The same targets on a desk and in CI. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
GO ?= go
BIN := bin/marisma
PY := .cache/venv/bin/python
CORPUS ?= ../shared/corpus/sql
GOLDEN ?= ../shared/golden

.PHONY: help build demo check test race e2e corpus golden interop interop-smoke fuzz crash bench gen docs ui clean

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
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

test: ## unit and end-to-end tests
	$(GO) test -timeout 15m ./...

race: ## the tests under the race detector
	$(GO) test -race -timeout 40m ./...

e2e: ## the binary, driven by scripts
	$(GO) test -count=1 ./e2e/...

clean: ## remove what was built and the demo's data
	rm -rf bin examples/*/.marisma
