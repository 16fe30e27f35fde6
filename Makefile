# Hangar's commands: "make help" lists them. Each runs through ./dev, in the project's toolchain.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
unexport MAKEFLAGS

# How many compilers and tests run at once.
JOBS ?= $(shell nproc)
# How long "make fuzz" lets each fuzzer look.
SECONDS_EACH ?= 60
# Where "make install" puts the program; DESTDIR, as usual, stands before it.
PREFIX ?= /usr/local

version := $(shell sed -n 's/^project.hangar VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
bundle := dist/hangar-$(version)-linux-$(shell uname -m).tar.gz

define configure_and_build
	@./dev cmake --preset $(1) >build/$(1).configure.log 2>&1 || { cat build/$(1).configure.log; exit 1; }
	@./dev cmake --build --preset $(1) --parallel $(JOBS) --target $(2)
endef

.PHONY: help
help: ## lists these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "JOBS=N sets how many compilers and tests run at once (here: $(JOBS))."

.PHONY: build
build: | build/ ## builds the program: build/release/hangar
	$(call configure_and_build,release,hangar)

.PHONY: run
run: build ## starts the server on ./datasets, with a sample dataset if there is none
	@tools/run_server.sh

.PHONY: test
test: build-tests dist ## builds and runs every test
	tests/setup/on_host.sh $(bundle)
	./dev ctest --preset release --parallel $(JOBS)

.PHONY: test-s3
test-s3: build-tests ## runs the tests over a real S3 server, Ceph, which is installed on first use
	./dev tests/s3/ceph.sh install
	./dev tests/s3/ceph.sh run ctest --preset s3 --parallel $(JOBS)

.PHONY: fault
fault: build-tests ## kills the server, fills its disk, changes its files: thousands of times, in an hour or so
	./dev env HANGAR_FAULT=long tools/run_faults.sh build/release fault

.PHONY: load
load: build-tests ## floods the server with connections, readers and uploads, for two hours or so
	./dev env HANGAR_FAULT=long tools/run_faults.sh build/release load

.PHONY: build-tests
build-tests: | build/
	$(call configure_and_build,release,all)

.PHONY: lint
lint: ## checks format, include directions, scripts and documents
	./dev tools/lint.sh

.PHONY: fmt
fmt: ## formats the C++ files
	./dev tools/lint.sh --fix

.PHONY: asan
asan: | build/ ## runs the unit tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call configure_and_build,asan-ubsan,all)
	./dev ctest --preset asan-ubsan --parallel $(JOBS)

.PHONY: tsan
tsan: | build/ ## runs the unit tests under ThreadSanitizer
	$(call configure_and_build,tsan,all)
	./dev ctest --preset tsan --parallel $(JOBS)

.PHONY: fuzz
fuzz: | build/ ## lets each fuzzer look for inputs that do harm, for SECONDS_EACH=60
	$(call configure_and_build,fuzz,hangar_fuzzers)
	./dev fuzz/run.sh build/fuzz $(SECONDS_EACH)

.PHONY: bench
bench: ## runs the benchmarks; CASE="get:trips info" chooses, FLAGS="--rounds 3" is passed on
	./dev tools/bench.sh $(JOBS) $(CASE) -- $(FLAGS)

.PHONY: bench-compare
bench-compare: ## compares with an older Hangar: make bench-compare BASE=REVISION CASE=get:trips
	$(if $(BASE),,$(error BASE names the revision to compare with))BASE=$(BASE) ./dev tools/bench.sh $(JOBS) $(CASE) -- $(FLAGS)

.PHONY: dist
dist: build ## makes dist/hangar-VERSION-linux-ARCH.tar.gz, which runs on any Linux
	./dev python3 tools/make_bundle.py build/release/hangar $(bundle)

.PHONY: deb
deb: build | dist/ ## makes dist/hangar_VERSION_ARCH.deb, for the Debian that ./dev is
	./dev cpack --config build/release/CPackConfig.cmake -B build/release/packages
	mv build/release/packages/*.deb dist/

.PHONY: install
install: dist ## installs below PREFIX (/usr/local), honouring DESTDIR
	tools/install.sh $(bundle) "$(DESTDIR)$(PREFIX)"

.PHONY: clean
clean: ## removes build/ and dist/; datasets and the toolchain stay
	rm -rf build dist

.PHONY: clean-toolchain
clean-toolchain: ## removes toolchain roots that older package lists made
	./dev --prune

build/ dist/:
	mkdir -p $@
