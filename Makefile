# What people do with this repository. CI runs .ci/run; the targets that check
# something run steps of it, so that both mean the same.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c

GO ?= go

.DEFAULT_GOAL := help
.PHONY: help build test race lint format fuzz bench golden ci clean

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## Build the static binary bin/patchbay.
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/patchbay ./cmd/patchbay

test: ## Run all tests, as the README says.
	$(GO) test ./...

race: ## Run all tests under the race detector.
	$(GO) test -race ./...

lint: ## Check formatting, vet, staticcheck, modules and the architecture.
	.ci/run format vet staticcheck modules
	$(GO) test ./internal/archtest

format: ## Format all Go files.
	git ls-files -z --cached --others --exclude-standard -- '*.go' ':!**/testdata/**' | xargs -0 $(GO) tool -modfile=tools/go.mod gofumpt -l -w

fuzz: ## Run each fuzz target for FUZZ_COUNT executions (3000).
	.ci/run fuzz

# BENCH=quick is shorter. BENCH=PATTERN runs these Go benchmarks only, of BENCH_PKG (all), COUNT times (6, what benchstat wants).
# BENCH_FLAGS are for the comparison.
bench: ## Run the Go benchmarks, then the comparison with peers (docs/performance.md); BENCH=quick: briefly.
	@mkdir -p bin
	$(GO) test -run '^$$' -bench '$(or $(filter-out quick,$(BENCH)),.)' -benchmem $(if $(filter quick,$(BENCH)),-benchtime 20ms -count 1,$(if $(BENCH),,-benchtime 100ms) -count $(or $(COUNT),6)) \
		$(or $(BENCH_PKG),$$(grep -rlE '^func Benchmark' --include='*_test.go' internal capabilities | xargs -n 1 dirname | sort -u | sed 's|^|./|')) | tee bin/bench.txt
	$(if $(filter-out quick,$(BENCH)),,bench/run $(if $(BENCH),-quick) $(BENCH_FLAGS))

golden: ## Rewrite the golden files of all tests that have an -update flag; read the diff before you commit it.
	@grep -rlE --include='*_test.go' 'flag\.Bool\("update"' internal cmd capabilities | xargs -n 1 dirname | sort -u | \
		while read -r dir; do $(GO) test "./$$dir" -update || exit 1; done

ci: ## Run everything that CI runs.
	.ci/run

clean: ## Remove what these targets built.
	rm -rf bin
