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
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: ## builds the release binary and starts it on 127.0.0.1:8080
	$(CARGO) build --release --locked --package api $(features)
	$(target)/release/doorbell serve

.PHONY: build
build: ## builds the release binary
	$(CARGO) build --release --locked --package api $(features)

.PHONY: compile
compile: ## compiles everything that the tests run
	$(CARGO) build $(everything) --all-targets

.PHONY: test
test: compile ## runs every test, on SQLite and on PostgreSQL (ARGS="-- name" picks some)
	DOORBELL_BIN=$(target)/ci/doorbell scripts/with-postgres $(CARGO) test $(everything) --no-fail-fast $(ARGS)

.PHONY: crash
crash: compile ## kills servers over what they send, 20 times on PostgreSQL and 10 on SQLite (ROUNDS=3 MESSAGES=500 SEED=7)
	DOORBELL_BIN=$(target)/ci/doorbell scripts/with-postgres $(CARGO) test $(everything) --test it -- \
		crashes --ignored --nocapture --test-threads=1

.PHONY: bench-quick
bench-quick: build ## measures starts, memory and request rates of the release binary (COLD=1 times a cold build too)
	FEATURES="$(features)" bench/quick

.PHONY: bench
bench: build ## measures the release binary beside its alternatives, and writes bench/RESULTS.md (about an hour)
	bench/full

.PHONY: bench-push
bench-push: build ## measures messages from acceptance to the push service's answer, and writes its part of bench/RESULTS.md
	bench/full push

.PHONY: bench-micro
bench-micro: ## measures single steps: tokens, phone numbers, plans, rendering
	$(CARGO) bench --locked --package doorbell-micro --features measured --bench steps $(ARGS)

.PHONY: bench-encryption
bench-encryption: ## measures the encryption of messages to browsers, beside the primitives that it takes
	$(CARGO) bench --locked --package doorbell-micro --features measured --bench web_push

.PHONY: openapi
openapi: ## writes openapi/openapi.json anew
	$(CARGO) build $(everything) --bin doorbell
	$(target)/ci/doorbell openapi > openapi/openapi.json

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

# What holds the document to its word needs Node.js 20 and Python 3.10; what else it takes is fetched, pinned.
# Reports and screenshots are left in ci-output/.
beside = DOORBELL_BIN=$(target)/ci/doorbell scripts/with-doorbell
node_tests = node --test --test-reporter=spec

.PHONY: lint-api
lint-api: ## lints openapi/openapi.json, and finds what in it would break clients
	$$(scripts/python-tools)/openapi-spec-validator openapi/openapi.json
	scripts/node-tools tests/openapi
	cd tests/openapi && npx redocly lint --config redocly.yaml ../../openapi/openapi.json
	cd tests/openapi && npx spectral lint --ruleset spectral.yaml --fail-severity hint ../../openapi/openapi.json
	$(node_tests) tests/openapi/changes.test.mjs
	node tests/openapi/breaking.mjs

.PHONY: test-api
test-api: compile ## holds a server to the document, by 100 requests an operation on SQLite and 20 on PostgreSQL
	$(beside) scripts/fuzz-api 100
	PHASES=examples,fuzzing scripts/with-postgres sh -c 'DATABASE_URL=$$DOORBELL_TEST_POSTGRES exec "$$@"' - env $(beside) scripts/fuzz-api 20

.PHONY: fuzz-api
fuzz-api: compile ## the same by 10,000 requests an operation, on SQLite, from where it was stopped (OPERATIONS="getMe sendOtp" for some)
	RESUME=1 SHARES=100 $(beside) scripts/fuzz-api 10000

.PHONY: test-client
test-client: compile ## compiles clients/typescript, and runs it against a server
	scripts/node-tools clients/typescript
	cd clients/typescript && npm run --silent generate && git diff --exit-code src/schema.ts && npm run --silent build
	$(beside) $(node_tests) clients/typescript/dist/test/

.PHONY: test-playground
test-playground: compile ## walks through the playground in Chromium, and keeps its screenshots
	scripts/node-tools tests/playground
	chromium=$$(scripts/chromium) && CHROMIUM=$$chromium DOORBELL_BIN=$(target)/ci/doorbell \
		$(node_tests) --test-concurrency=1 tests/playground/*.test.mjs

.PHONY: test-ece
test-ece: compile ## reads what is encrypted for browsers by another implementation
	scripts/node-tools tests/http-ece
	ENCRYPT=$(target)/ci/examples/encrypt $(node_tests) tests/http-ece/*.test.mjs

.PHONY: test-ringing
test-ringing: compile ## has Firefox subscribe, be rung and unsubscribe by /demo, and keeps its screenshots
	scripts/node-tools tests/ringing
	firefox=$$(scripts/firefox) && FIREFOX=$$firefox DOORBELL_BIN=$(target)/ci/doorbell \
		$(node_tests) --test-concurrency=1 tests/ringing/*.test.mjs

TARGET ?= access_token
TIME ?= 600
.PHONY: fuzz
fuzz: ## looks for bytes that break a parser, for 10 minutes (TARGET=phone TIME=60; needs cargo-fuzz and a nightly compiler)
	cd tests/fuzz && $(CARGO) +nightly fuzz run --fuzz-dir . $(TARGET) -- -max_total_time=$(TIME) -max_len=4096

.PHONY: deny
deny: ## checks licences, bans and sources (needs cargo-deny)
	$(CARGO) deny --workspace check bans licenses sources

.PHONY: clean
clean: ## removes what was built and what was fetched for the tests
	$(CARGO) clean
	rm -rf .postgres .python ci-output tests/http-ece/node_modules tests/openapi/node_modules tests/playground/node_modules tests/ringing/node_modules clients/typescript/node_modules clients/typescript/dist
