# Everything a person or CI does here begins with one of these. Nothing has to be set up first except Rust (rustup),
# Node 20, Python 3.11, a C and a C++ compiler; each target installs the rest.
.DEFAULT_GOAL := help
.PHONY: help run test fmt e2e crash fuzz fuzz-smoke bench bench-quick deny

ARGS ?=
ROUNDS ?= 100
FUZZ_SECONDS ?= 600

help: ## what there is
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: ## build and serve: make run ARGS=--demo
	cargo run --release -p tollgate -- serve $(ARGS)

test: ## every check and test, as CI runs them
	scripts/test.sh

fmt: ## format all Rust code
	cargo fmt --all
	cargo fmt --all --manifest-path bench/Cargo.toml
	cargo fmt --all --manifest-path fuzz/Cargo.toml

e2e: ## the binary against published client SDKs
	cargo build --release -p tollgate
	e2e/run.sh

crash: ## kill -9 under load, ROUNDS times (100), and compare the ledger each time
	cargo build --release -p tollgate
	python3 e2e/crash.py --rounds $(ROUNDS)

fuzz-smoke: ## every fuzz target for 5 s, stable toolchain
	scripts/fuzz-smoke.sh

fuzz: ## every fuzz target for FUZZ_SECONDS (600) each, stable toolchain
	scripts/fuzz.sh $(FUZZ_SECONDS)

bench: ## the gateway against nginx and no proxy at all; tables in bench/results/
	bench/run.sh $(ARGS)

bench-quick: ## the same in about two minutes, for finding large mistakes
	bench/run.sh --quick $(ARGS)

deny: ## licences, advisories and sources of the dependencies, if cargo-deny is installed
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --locked check --hide-inclusion-graph; \
	else echo "cargo-deny is not installed, so nothing was checked: cargo install cargo-deny --locked"; fi
