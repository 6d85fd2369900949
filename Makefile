# Everything one does with this source. `make help` lists it; CONTRIBUTING.md tells when.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory
.DEFAULT_GOAL := help

GO ?= go

# What the programs call their version. Empty outside a git clone: then they ask what Go recorded.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
LDFLAGS := -X github.com/clusterfleet/clusterfleet/internal/version.version=$(VERSION)

# The tools are pinned in modules of their own; the first use compiles them into Go's build cache.
BUF      := $(GO) tool -modfile=$(CURDIR)/tools/buf/go.mod buf
GOLANGCI := $(GO) tool -modfile=$(CURDIR)/tools/golangci-lint/go.mod golangci-lint
VULN     := $(GO) tool -modfile=$(CURDIR)/tools/go.mod govulncheck

# Our modules: the product, the one that builds and starts real API servers for its tests, the peers of the benchmarks, and
# the one that draws plots.
MODULES := . test/apiserver bench/peers bench/plot

# Modules without source of ours, which pin programs of others.
PINS := tools tools/golangci-lint bench/peers/blackbox bench/peers/cloudprober

##@ Build

.PHONY: build
build: ## build bin/aggregator, bin/fleetctl and bin/fleetsim
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/aggregator ./cmd/fleetctl ./cmd/fleetsim

.PHONY: generate
generate: ## write gen/ anew from proto/, and the table of internal/lifecycle from client-go
	@$(BUF) generate
	$(GO) generate ./internal/lifecycle

.PHONY: fmt
fmt: ## format Go and proto files
	@for module in $(MODULES); do (cd $$module && $(GOLANGCI) fmt); done
	@$(BUF) format --write proto

##@ Check

.PHONY: test
test: apiserver ## run all tests with the race detector, also those against real API servers
	@for module in $(filter-out .,$(MODULES)); do $(GO) test -C $$module -race ./...; done
	$(GO) test -race $$($(GO) list ./... | grep -v /test/faults)
	$(GO) test -race -p 1 ./test/faults/... # these hold what is told to the time it took: they have the machine to themselves

.PHONY: faults
faults: ## show a fleet all faults for ten minutes and check what is told of them; FAULTS='-seed N' plays a run again
	@$(GO) test -race -timeout 30m ./test/faults -run TestWhatIsTold -v -clusters 150 -duration 10m $(FAULTS)

.PHONY: apiserver
apiserver: ## build kube-apiserver and etcd for the tests; minutes at first, cached then
	@$(GO) run -C test/apiserver . build

.PHONY: lint
lint: lint-go lint-proto lint-modules ## run all of the static checks

.PHONY: lint-go
lint-go: ## check Go: style, mistakes, import direction (.golangci.yml)
	@for module in $(MODULES); do (cd $$module && $(GOLANGCI) run --show-stats=false); done

.PHONY: lint-proto
lint-proto: breaking ## check proto/: style, comments, format, and breaking changes (buf.yaml)
	@$(BUF) lint
	@$(BUF) format --diff --exit-code proto

# The API as branch main has it; a clone may know that branch from its origin only.
MAIN := $(shell git for-each-ref --count=1 --format='%(refname)' refs/heads/main refs/remotes/origin/main 2>/dev/null)

.PHONY: breaking
breaking: ## compare proto/ with branch main: nothing a caller relies on may go
	@if [[ -z '$(MAIN)' ]] || ! git cat-file -e '$(MAIN):proto' 2>/dev/null; then
		echo 'breaking: no proto/ on a branch main here, nothing to compare with'
	else
		rm -rf .cache/main && mkdir -p .cache/main
		git archive '$(MAIN)' buf.yaml proto third_party/proto | tar -x -C .cache/main
		$(BUF) breaking --against .cache/main
	fi

# Not tools/buf: the test dependencies of buf's dependencies, which tidying asks for, are not needed and not fetched.
.PHONY: lint-modules
lint-modules: ## check that each go.mod names what is imported, no more and no less
	@for module in $(MODULES) $(PINS); do $(GO) mod -C $$module tidy -diff; done

.PHONY: check-generated
check-generated: ## check that what is generated is what would be
	@rm -rf .cache/generated
	$(BUF) generate --output .cache/generated
	diff -ruN gen .cache/generated/gen || { echo 'gen/ is not what proto/ generates: make generate' >&2; exit 1; }
	$(GO) run ./internal/lifecycle/internal/generate .cache/generated/kubernetes.txt
	diff -u internal/lifecycle/kubernetes.txt .cache/generated/kubernetes.txt || { echo 'kubernetes.txt is not what client-go generates: make generate' >&2; exit 1; }

.PHONY: vuln
vuln: ## look for known vulnerabilities in what the programs call
	@report=$$($(VULN) ./... 2>&1) && status=0 || status=$$?
	if [[ $$status != 0 && $$report == *'fetching vulnerabilities: Get '* ]]; then
		echo 'vuln: the vulnerability database cannot be reached from here, nothing was checked'
	else
		echo "$$report"; exit $$status
	fi

.PHONY: mutants
mutants: ## show that the tests notice the classic faults (test/mutants)
	@$(GO) run ./test/mutants

.PHONY: demo
demo: build ## show the product on a simulated fleet of 200 clusters
	@test/demo/demo.sh

.PHONY: bench
bench: ## measure the product against its own numbers, in some twenty minutes
	@$(GO) run ./bench

.PHONY: bench-quick
bench-quick: build ## see in some two minutes that every benchmark works; its figures say little
	@$(GO) run ./bench -short -programs bin

# Not by way of $(MAKE): a recipe with that runs even where make is asked what it would do (-n).
DRAW = $(GO) run -C bench/plot . bench $(CURDIR)/docs/plots/bench.json $(CURDIR)/docs/plots

.PHONY: bench-docs
bench-docs: build ## measure, and bring the table and the plots of docs/benchmarks.md up to date; wants an idle machine
	@$(GO) run ./bench -programs bin -markdown docs/benchmarks.md -json docs/plots/bench.json
	$(DRAW)

.PHONY: plots
plots: ## draw the plots of docs/benchmarks.md anew from docs/plots/bench.json
	@$(DRAW)

# What bench-micro runs, and how often: BENCH=Quick COUNT=10 make bench-micro
BENCH     ?= .
BENCHTIME ?= 100ms
COUNT     ?= 6

.PHONY: bench-micro
bench-micro: ## run the Go benchmarks into bin/bench.txt; benchstat compares two such files
	@mkdir -p bin
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -count $(COUNT) ./pkg/... ./internal/... ./cmd/... | grep -v '^?\|no test files' | tee bin/bench.txt

DURATION ?= 30m

.PHONY: soak
soak: ## run the product on a failing fleet for DURATION and judge whether it leaks (docs/soak.md)
	@mkdir -p .cache
	$(GO) run ./bench/soak -duration $(DURATION) -csv .cache/soak.csv

.PHONY: soak-plot
soak-plot: ## draw the plot of docs/soak.md from what the last soak has measured
	@test -f .cache/soak.csv || { echo 'there is no .cache/soak.csv to draw: run make soak first' >&2; exit 1; }
	@$(GO) run -C bench/plot . soak $(CURDIR)/.cache/soak.csv $(CURDIR)/docs/plots/soak.svg

# How long each target is fuzzed, which (a regular expression of their names), and how many at once. With GOFLAGS=-tags=purego, the portable scanner.
FUZZTIME ?= 1m
FUZZ     ?=
FUZZJOBS ?= 2

.PHONY: fuzz
fuzz: ## fuzz what parses a stranger's input; FUZZTIME=10m FUZZ=Redact for longer and only some
	@$(GO) run ./test/fuzz -time '$(FUZZTIME)' -only '$(FUZZ)' -jobs '$(FUZZJOBS)' $(MODULES)

##@ Other

.PHONY: clean
clean: ## remove what was built here
	@rm -rf bin dist .cache

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " }
		/^##@/ { print "\n" substr($$0, 5) }
		/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# One shell runs a whole recipe: a line sees what the one before it set, and the first failure ends it.
.ONESHELL:
