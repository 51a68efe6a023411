# `make` lists what there is to run.

CARGO ?= cargo

# PostgreSQL's client library: the system's where it can be linked, because that builds faster; else one that is
# compiled in, with TLS, and needs nothing installed. LIBPQ=bundled or LIBPQ=system decides.
LIBPQ ?= $(shell scripts/libpq)
ifeq ($(LIBPQ),system)
features = --no-default-features
else ifneq ($(LIBPQ),bundled)
$(error LIBPQ is "$(LIBPQ)"; it is bundled or system)
endif

# Everything that tests or lints uses one profile and one choice of packages and features, so that each
# dependency compiles once.
everything = --workspace $(features) --profile ci

target = $(abspath $(or $(CARGO_TARGET_DIR),target))

.DEFAULT_GOAL := help

.PHONY: help
help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ## builds the release binary and starts it on 127.0.0.1:8080
	$(CARGO) build --release --locked --package api $(features)
	$(target)/release/doorbell serve

.PHONY: build
build: ## builds the release binary
	$(CARGO) build --release --locked --package api $(features)

.PHONY: test
test: ## runs every test, on SQLite and on PostgreSQL (ARGS="-- name" picks some)
	$(CARGO) build $(everything) --all-targets
	DOORBELL_BIN=$(target)/ci/doorbell scripts/with-postgres $(CARGO) test $(everything) --no-fail-fast $(ARGS)

.PHONY: bench-quick
bench-quick: build ## measures starts, memory and request rates of the release binary (COLD=1 times a cold build too)
	FEATURES="$(features)" bench/quick

.PHONY: fmt
fmt: ## formats the code
	$(CARGO) fmt --all

.PHONY: lint
lint: ## checks the format, then clippy with warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(everything) --all-targets -- -D warnings

.PHONY: arch
arch: ## checks that the crates' arrows are the architecture's
	$(CARGO) test $(everything) --test architecture

.PHONY: deny
deny: ## checks licences, bans and sources (needs cargo-deny)
	$(CARGO) deny --workspace check bans licenses sources

.PHONY: clean
clean: ## removes what was built and what was fetched for the tests
	$(CARGO) clean
	rm -rf .postgres
