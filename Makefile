# SPDX-License-Identifier: GPL-2.0-only
# The pieces have Makefiles of their own; this one knows their order and where their results go.

TOP := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
export BUILD ?= $(TOP)/build
export HOST ?= 6.12
export CROSS_COMPILE ?= aarch64-linux-gnu-
MAKEFLAGS += --no-print-directory
ifeq ($(filter -j%,$(MAKEFLAGS)),)
MAKEFLAGS += -j$(shell nproc)
endif

# What the pieces and the tests are told.
export KDIR := $(BUILD)/kernel/$(HOST)/headers
export LIBFDT := $(BUILD)/sysroot/usr
export HYP_BIN := $(BUILD)/hyp/stockade-hyp.bin
export MODULE := $(BUILD)/module/$(HOST)/stockade.ko
export VMM := $(BUILD)/vmm/stockade
vars = HOST=$(HOST) CROSS_COMPILE=$(CROSS_COMPILE) KDIR=$(KDIR) LIBFDT=$(LIBFDT) \
	HYP_BIN=$(HYP_BIN)

.PHONY: all
all: hyp module vmm

.PHONY: help
help:
	@echo 'make run        everything from nothing to a protected VM on a stock host in QEMU'
	@echo 'make shell      a shell on that host, module loaded'
	@echo 'make test       unit and system tests, some of these on the other host kernels too;'
	@echo '                ends with "N passed, N failed, N skipped"'
	@echo 'make test-all   the same, with the slow ones and on every CPU model'
	@echo 'make soak       what takes hours: SOAK_CALLS=10000000 raw hostcalls, SOAK_MINUTES=60 of VMs'
	@echo '                that come and go on a host in trouble'
	@echo 'make protections  takes each protection out and sees that its test fails (T=WORD: only these)'
	@echo 'make mutation   breaks hyp/mem, hyp/vm, hyp/host in one place after the other and sees that a unit'
	@echo '                test notices (T=WORD: only files and functions with this word)'
	@echo 'make mutation-target  boots what make mutation lets survive, in images with many of them'
	@echo 'make bench      upstream pKVM and Stockade side by side, counted (BENCH_CPU, BENCH_ROWS,'
	@echo '                BENCH_BOOTS=3): docs/performance.md'
	@echo 'make bench-grow  how the costs of memory grow, and for how long locks are held'
	@echo 'make unit       unit tests only (T=NAME: only that)'
	@echo 'make spec       the specification of page ownership against the hypervisor (STEPS=10000000 SEED=1)'
	@echo 'make fuzz       fuzzers only (T=NAME: only that; SECONDS=10: how long each)'
	@echo 'make tsan       CPUs as threads under ThreadSanitizer (SECONDS=12, SEED=N)'
	@echo 'make proof      bounded proofs, all of them; some are in make test (T=FILE/NAME: only that)'
	@echo 'make system     system tests only (T=NAME: only that)'
	@echo 'make check      static checks: format, cppcheck, clang-tidy, sparse, locks, and others'
	@echo 'make coverage   lines and branches of hyp/ that unit tests run; fails if one is missing'
	@echo 'make format     lets clang-format change the sources'
	@echo 'make all        hyp, module, vmm'
	@echo 'make deps       installs what this machine needs'
	@echo 'make fetch      kernel, QEMU, arm64 parts; FORCE=1 looks for newer ones'
	@echo 'make secure-world  TF-A and OP-TEE for QEMU; then make run FIRMWARE=optee boots through them'
	@echo 'make clean      removes what was built; distclean: downloads too'
	@echo 'HOST=6.12       host kernel: 6.1, 6.12 or 7.x'

.PHONY: deps
deps:
	@tools/deps.sh

.PHONY: fetch
fetch: deps
	@tools/fetch.sh

.PHONY: hyp
hyp: deps
	+@$(MAKE) -C hyp O=$(BUILD)/hyp $(vars)

# O by the environment: on the command line kbuild would take it for itself.
.PHONY: module
module: fetch hyp
	+@O=$(BUILD)/module/$(HOST) $(MAKE) -C module $(vars)

.PHONY: vmm
vmm: fetch
	+@$(MAKE) -C vmm O=$(BUILD)/vmm $(vars)

# O as for the module.
.PHONY: demo
demo: fetch
	+@O=$(BUILD)/tests/demo $(MAKE) -C tests/demo $(vars)

.PHONY: run
run: all demo
	@tools/run-demo.sh

.PHONY: shell
shell: all demo
	@tools/shell.sh

# Firmware to boot through: none (QEMU plays it), optee or opteed (tools/secure-world.sh).
export FIRMWARE ?=
ifneq ($(FIRMWARE),)
run shell system: secure-world
endif

.PHONY: secure-world
secure-world: fetch
	@tools/secure-world.sh

.PHONY: unit
unit: fetch
	+@tools/test.sh unit

.PHONY: fuzz
fuzz: deps
	+@tools/test.sh fuzz

# The whole of it: half an hour where the machine is not busy. STEPS=N SEED=N
.PHONY: spec
spec: deps
	+@STEPS=$(or $(STEPS),10000000) tools/test.sh spec

.PHONY: tsan
tsan: deps
	+@tools/test.sh tsan

.PHONY: proof
proof: deps
	+@PROOFS=all tools/test.sh proof

.PHONY: system
system: all
	+@tools/test.sh system

.PHONY: test
test: all
	+@tools/test.sh unit spec mutation fuzz tsan proof system demo smoke secure-world

.PHONY: test-all
test-all: all
	+@TEST_ALL=1 PROOFS=all tools/test.sh unit spec mutation fuzz tsan proof system demo smoke \
		secure-world

.PHONY: soak
soak: all
	+@tools/test.sh soak

# Upstream's KVM beside ours, on the one kernel that has both.
.PHONY: bench bench-grow bench-programs
bench-programs:
	+@$(MAKE) HOST=7.x KDIR=$(BUILD)/kernel/7.x/headers MODULE=$(BUILD)/module/7.x/stockade.ko all
	+@$(MAKE) -C vmm O=$(BUILD)/vmm TEST=1 $(vars)
	+@$(MAKE) -C bench O=$(BUILD)/bench CROSS_COMPILE=$(CROSS_COMPILE)

bench: bench-programs
	@bench/run

bench-grow: bench-programs
	@bench/grow

# Words of a description: only these.
.PHONY: protections
protections: all
	@tests/protections/run.py $(T)

# Words of a file's or function's name: only these.
.PHONY: mutation
mutation: deps
	+@O=$(BUILD)/tests/mutation LOGDIR=$(BUILD)/log/mutation tests/mutation/run.py $(T)

# What that has let survive, in images that are booted.
.PHONY: mutation-target
mutation-target: all
	+@O=$(BUILD)/tests/mutation LOGDIR=$(BUILD)/log/mutation tests/mutation/target.py $(T)

.PHONY: check
check: module
	+@tools/check.sh

.PHONY: coverage
coverage: deps
	+@$(MAKE) -C tests/coverage O=$(BUILD)/tests/coverage

.PHONY: format
format: deps
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r clang-format -i

.PHONY: clean
clean:
	rm -rf $(BUILD)/hyp $(BUILD)/module $(BUILD)/vmm $(BUILD)/tests $(BUILD)/log \
		$(BUILD)/check $(BUILD)/*.cpio

.PHONY: distclean
distclean:
	rm -rf $(BUILD)
