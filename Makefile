# `make` prints this list.
SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
DIST    := dist
TOOL    := $(GO) tool -modfile=tools/go.mod

# One static file, the same bytes from whichever folder it is built in. The
# commit's time, before which the program trusts no clock, comes from git.
LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=auto -ldflags '$(LDFLAGS)'

# The budget of the program (docs/reference/dependencies.md), in bytes.
MAX_SIZE  := 40000000
PLATFORMS := linux/amd64 linux/arm64 linux/arm windows/amd64
FUZZTIME  ?= 60s

.PHONY: screenshots bench-pages help build test check fmt vet lint arch tidy race cross size reproducible conformance soak fuzz bench vuln clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## the program for this machine, in dist/koprik
	$(BUILD) -o $(DIST)/koprik .

test: ## all tests, as the README runs them
	$(GO) test ./...

check: fmt vet tidy arch lint race cross size reproducible ## everything a commit must pass; ten minutes on two warm cores
	@echo "check: all is well"

fmt: ## no file that gofumpt would change
	@out=$$($(TOOL) gofumpt -l .); if [ -n "$$out" ]; then echo "gofumpt would change:"; echo "$$out"; exit 1; fi

vet: ## go vet
	$(GO) vet ./...

tidy: ## go.mod names what is used and nothing else
	$(GO) mod tidy -diff

arch: ## the law of the house: imports, clock, SQL, lengths, a line for each dependency
	$(GO) test ./internal/arch

lint: ## golangci-lint with the linters that .golangci.yml names
	$(TOOL) golangci-lint run --allow-serial-runners ./...

# Migrations are unchanged, docs name every command, flag and address, and the
# samples of the long tests run: all of that is tests. Skipped tests are listed.
race: ## all tests under the race detector, with samples of the long ones
	@mkdir -p $(DIST)
	@echo "$(GO) test -race -short -timeout 25m -v ./...   (all of it in $(DIST)/race.log)"
	@if ! $(GO) test -race -short -timeout 25m -v ./... > $(DIST)/race.log 2>&1; then \
	  grep -vE '^ *(=== |--- PASS)' $(DIST)/race.log; exit 1; fi
	@grep -E '^(ok|\?) ' $(DIST)/race.log
	@echo "seeds:"; grep -hE 'seed' $(DIST)/race.log | sort -u | head -20 || true
	@echo "skipped:"; grep -B1 -E '^ *--- SKIP' $(DIST)/race.log | grep -vE '^(--|=== )' || echo "  nothing"

cross: ## builds for every platform we give out, in dist/
	@for p in $(PLATFORMS); do \
	  os=$${p%/*}; arch=$${p#*/}; ext=; [ $$os = windows ] && ext=.exe; \
	  echo "build $$p"; \
	  GOOS=$$os GOARCH=$$arch $(BUILD) -o $(DIST)/koprik-$$os-$$arch$$ext .; \
	done

size: ## the builds of cross are within the budget
	@for f in $(DIST)/koprik-*; do \
	  n=$$(wc -c < $$f); printf '%-32s %9d of $(MAX_SIZE) bytes\n' $$f $$n; \
	  [ $$n -le $(MAX_SIZE) ] || { echo "$$f is over the budget"; exit 1; }; \
	done

# The commit is cloned into two folders of different names and built in each.
# Both builds use this machine's build cache (-trimpath keeps folders out of its
# keys), so this shows that neither folder nor moment gets into the program; it
# does not show that the compiler repeats itself. `make soak` builds the second
# with an empty cache.
reproducible: ## two builds of the commit in two folders have one digest
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	git clone -q . "$$tmp/one"; git clone -q . "$$tmp/another/folder"; \
	for d in "$$tmp/one" "$$tmp/another/folder"; do \
	  ( cd "$$d"; [ -z "$${COLD:-}" ] || [ "$$d" = "$$tmp/one" ] || export GOCACHE="$$tmp/cache"; \
	    CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=auto -ldflags '$(LDFLAGS)' -o "$$d.bin" . ); \
	done; \
	a=$$(sha256sum < "$$tmp/one.bin"); b=$$(sha256sum < "$$tmp/another/folder.bin"); \
	[ "$$a" = "$$b" ] || { echo "two builds, two digests: $$a $$b"; exit 1; }; \
	echo "reproducible: $${a%% *}"

# The suite's own pins of what it needs, in an environment of its own; nothing is
# written into the checkout. It starts the client under the program faketime.
conformance: ## tuf-conformance against sync/tuf; SUITE=<a checkout of it>
	@[ -f "$(SUITE)/CLIENT-CLI.md" ] || { echo "SUITE=<a checkout of theupdateframework/tuf-conformance>"; exit 2; }
	@command -v faketime >/dev/null || { echo "the suite needs the program faketime"; exit 2; }
	@mkdir -p $(DIST)/conformance
	CGO_ENABLED=0 $(GO) build -o $(DIST)/conformance/client ./sync/tuf/conformance
	@[ -x $(DIST)/conformance/python/bin/pip ] || python3 -m venv $(DIST)/conformance/python
	@$(DIST)/conformance/python/bin/python -c 'import sys, tomllib; print(*tomllib.load(open(sys.argv[1], "rb"))["project"]["dependencies"], sep="\n")' \
	  "$(SUITE)/pyproject.toml" > $(DIST)/conformance/needs.txt
	@$(DIST)/conformance/python/bin/pip install -q --disable-pip-version-check -r $(DIST)/conformance/needs.txt
	PYTHONDONTWRITEBYTECODE=1 $(DIST)/conformance/python/bin/python -m pytest -q -p no:cacheprovider --rootdir "$(SUITE)" \
	  "$(SUITE)/tuf_conformance" --entrypoint "$(CURDIR)/$(DIST)/conformance/client"

# Ten million differential mutations run once without the race detector, which
# would make half an hour of them a night.
soak: ## the full counts of the long tests, fuzzing, a second build without a cache; hours
	KOPRIK_SOAK=1 $(GO) test -count=1 -timeout 8h -v -run '^TestWhatWeAcceptGoTufAccepts$$' ./sync/tuf
	KOPRIK_SOAK=1 $(GO) test -race -count=1 -timeout 8h ./...
	$(MAKE) fuzz
	COLD=1 $(MAKE) reproducible

fuzz: ## every fuzz target for FUZZTIME (60s)
	@for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -hoE '^func Fuzz\w+' $$dir/*_test.go | cut -c6-); do \
	    echo "$$dir $$target"; $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$dir; \
	  done; \
	done

bench: ## all benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

vuln: ## known vulnerabilities in what the program calls; needs the network
	$(TOOL) govulncheck ./...

clean: ## removes dist/
	rm -rf $(DIST)

.PHONY: bench-delta
bench-delta: ## bytes of patches by codec beside rsync -z and C zstd; DATA= a folder of folders of v1.EXT, v2.EXT, ...
	@[ -n "$(DATA)" ] || { echo "make bench-delta DATA=../shared/data/versions"; exit 2; }
	KOPRIK_VERSIONS='$(abspath $(DATA))' $(GO) test -count=1 -v -timeout 2h -run '^(TestMeasureVersions|TestApplyingTakesLessThan64MB|TestTheWorstTableTakesLessThan64MB)$$' ./sync/delta

.PHONY: bench-sync
bench-sync: build ## a round through 64 kbit/s beside rsync, zsync, casync, desync; DATA= as for bench-delta
	@[ -n "$(DATA)" ] || { echo "make bench-sync DATA=../shared/data/versions"; exit 2; }
	@rm -f $(DIST)/targets.txt
	KOPRIK_TARGETS='$(abspath $(DIST)/targets.txt)' $(MAKE) bench-delta || echo "a target of the patches is missed: the table below says which"
	@KOPRIK_BENCH_SYNC='$(abspath $(DIST)/koprik)' KOPRIK_VERSIONS='$(abspath $(DATA))' KOPRIK_TARGETS='$(abspath $(DIST)/targets.txt)' \
	  $(GO) test -count=1 -v -timeout 1h -run '^(TestBenchMetadata|TestBenchSync)$$' ./internal/faults/straw | grep -v '^=== '

.PHONY: bench-mirrors
bench-mirrors: build ## 1,000 mirrors at 40 snapshots of a folder that nginx serves: bytes and requests
	@KOPRIK_BENCH_SYNC='$(abspath $(DIST)/koprik)' $(GO) test -count=1 -v -timeout 1h -run '^TestBenchMirrors$$' ./internal/faults/straw | grep -v '^=== '

screenshots: build ## the pictures of docs/screenshots, taken from a demonstration; needs Chromium
	@tmp=$$(mktemp -d); $(DIST)/koprik demo --dir "$$tmp/demo" --listen 127.0.0.1:18090 --mirror-listen 127.0.0.1:18091 --kiosk-listen 127.0.0.1:18092 > "$$tmp/log" & pid=$$!; \
	trap 'kill $$pid; wait $$pid || true; rm -rf "$$tmp"' EXIT; \
	until grep -q Ctrl-C "$$tmp/log"; do kill -0 $$pid; sleep 0.2; done; \
	KOPRIK_REQUIRE_BROWSER=1 KOPRIK_SHOTS=http://127.0.0.1:18090,http://127.0.0.1:18092,$(abspath $(DIST)/koprik),$$tmp/demo/central $(GO) test -count=1 -run '^TestScreenshots$$' -v ./ui/site

bench-pages: build ## pages per second against nginx, start and memory; KOPRIK_BENCH_DATASETS=600
	KOPRIK_BENCH_PAGES=$(abspath $(DIST)/koprik) $(GO) test -count=1 -timeout 8h -run '^TestPagesPerSecond$$' -v ./ui/site

.PHONY: bench-scale
bench-scale: build ## publishing, syncing, start and memory with many datasets; SIZES= numbers of datasets (600,10000)
	@for n in $$(tr , ' ' <<< '$(or $(SIZES),600,10000)'); do \
	  made=; if [ $$n -gt 10000 ]; then made=$$(mktemp -d); \
	    KOPRIK_SCALE_DIR=$$made KOPRIK_SCALE_DATASETS=$$n $(GO) test -count=1 -timeout 8h -run '^TestMakeScale$$' ./internal/node; fi; \
	  KOPRIK_BENCH_PROGRAM='$(abspath $(DIST)/koprik)' KOPRIK_BENCH_SCALE=$$n KOPRIK_BENCH_MADE=$$made $(GO) test -count=1 -v -timeout 8h -run '^TestScale$$' ./internal/cli | grep -v '^=== '; \
	  [ -z "$$made" ] || rm -rf "$$made"; \
	done

.PHONY: eval-text eval-search bench-search soak-search
eval-text: ## folding, stemming and round trips on gold data; DATA= a folder laid out as ../shared/data
	@[ -n "$(DATA)" ] || { echo "make eval-text DATA=../shared/data"; exit 2; }
	@KOPRIK_EVAL_DATA='$(abspath $(DATA))' $(GO) test -count=1 -v -run '^TestEvalText$$' ./portal/lang | grep -v '^=== '

eval-search: ## success@1 of the relevance set in four spellings; DATA= a folder laid out as ../shared/data
	@[ -n "$(DATA)" ] || { echo "make eval-search DATA=../shared/data"; exit 2; }
	@KOPRIK_EVAL_DATA='$(abspath $(DATA))' $(GO) test -count=1 -v -run '^TestEvalSearch$$' ./embed/index | grep -v '^=== '

bench-search: ## the index beside SQLite's FTS5; SIZES= numbers of datasets (600,100000)
	@KOPRIK_BENCH_SEARCH='$(or $(SIZES),600,100000)' $(GO) test -count=1 -v -timeout 4h -run '^TestBenchSearch$$' ./embed/index | grep -v '^=== '

soak: soak-search
soak-search:
	$(MAKE) bench-search SIZES=600,100000,1000000

.PHONY: font
font: ## the fonts of kiosks and pictures anew; FONT= NotoSans[wdth,wght].ttf (ui/assets/VENDOR.md); needs fonttools and brotli for Python
	@[ -f "$(FONT)" ] || { echo "make font FONT='NotoSans[wdth,wght].ttf'"; exit 2; }
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	fonttools varLib.instancer -q --no-recalc-timestamp "$(FONT)" wdth=100 wght=400:700 -o "$$tmp/vf.ttf"; \
	pyftsubset "$$tmp/vf.ttf" --unicodes="$$(cat ui/assets/font.txt)" --no-ignore-missing-unicodes --layout-features=kern,mark,locl,ccmp,tnum \
	  --no-hinting --desubroutinize --flavor=woff2 --output-file=ui/assets/kiosk.woff2
	@tmp=$$(mktemp -d); trap 'rm -rf "$$tmp"' EXIT; \
	for weight in 400 600; do \
	  fonttools varLib.instancer -q --no-recalc-timestamp "$(FONT)" wdth=100 wght=$$weight -o "$$tmp/$$weight.ttf"; \
	  pyftsubset "$$tmp/$$weight.ttf" --unicodes="$$(cat ui/assets/font.txt)" --no-ignore-missing-unicodes --layout-features= \
	    --no-hinting --desubroutinize --output-file=ui/chart/figure-$$weight.ttf; \
	done
	@sha256sum ui/assets/kiosk.woff2 ui/chart/figure-*.ttf

.PHONY: eval-tables
eval-tables: ## real tables, workbooks and encodings as their collectors say; DATA= a folder laid out as ../shared/data
	@[ -n "$(DATA)" ] || { echo "make eval-tables DATA=../shared/data"; exit 2; }
	@KOPRIK_EVAL_DATA='$(abspath $(DATA))' $(GO) test -count=1 -v -run '^TestEvalTables$$' ./embed/table/read | grep -v '^=== '

.PHONY: bench-tables
bench-tables: ## a million rows imported and asked beside the sqlite3 shell; needs the program sqlite3; ROWS=1000000
	@KOPRIK_BENCH_TABLES='$(or $(ROWS),1000000)' $(GO) test -count=1 -v -timeout 1h -run '^(TestBenchImport|TestBenchQueries|TestBenchFigure)$$' ./embed/table ./internal/node | grep -v '^=== '
