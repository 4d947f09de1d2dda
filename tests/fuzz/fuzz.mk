# SPDX-License-Identifier: MIT
# make fuzz: what reads a stranger's bytes, for FUZZ_SECONDS each, with AddressSanitizer and UBSan; with
# -jN, N at a time. libFuzzer comes with clang. Its output is in $(BUILD)/fuzz/NAME.log, and is shown
# where it failed. A target is tests/fuzz/fuzz_NAME.c; here stands what it is linked with:
#   FUZZ_SOURCES_NAME    sources beside its own
#   FUZZ_LIBS_NAME       libraries
#   FUZZ_SEEDS_NAME      files to begin with
#   FUZZ_OPTIONS_NAME    options of libFuzzer
# What makes one fail is left in $(BUILD)/fuzz/NAME-*.

FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_FLAGS := -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -Ishim -O1 -g -fno-omit-frame-pointer \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all

FUZZ_SOURCES_check := shim/cli/elf.c shim/cli/script.c
FUZZ_SEEDS_check = $(LIBRARY) $(COMMAND) $(BUILD)/shim/line.o /bin/sh /bin/true /usr/bin/ldd \
	/sbin/ldconfig
FUZZ_OPTIONS_check := -max_len=200000 -rss_limit_mb=1024

# It looks for no lines of source: that would start another program for each input.
FUZZ_SOURCES_report := $(filter-out %/report.c %/report_source.c,$(wildcard shim/cli/report_*.c))
FUZZ_LIBS_report := -lyajl -lm
FUZZ_SEEDS_report := $(wildcard tests/fuzz/report/*)
FUZZ_OPTIONS_report := -max_len=8000 -dict=tests/fuzz/report.dict

FUZZ_SOURCES_config := shim/config.c shim/only.c shim/line.c
FUZZ_SEEDS_config := $(wildcard tests/fuzz/config/*)
FUZZ_OPTIONS_config := -max_len=3000 -dict=tests/fuzz/config.dict

FUZZ_SOURCES_only := shim/only.c
FUZZ_SEEDS_only := $(wildcard tests/fuzz/only/*)
FUZZ_OPTIONS_only := -max_len=2000 -dict=tests/fuzz/only.dict

FUZZ_SOURCES_guess := shim/guess.c
FUZZ_SEEDS_guess := $(wildcard tests/fuzz/guess/*)
FUZZ_OPTIONS_guess := -max_len=40

FUZZ_TABLES = $(addprefix $(BUILD)/fuzz/unwind-,library command true)
FUZZ_SOURCES_unwind := shim/cfi.c shim/dwarf.c shim/unwind.c
FUZZ_SEEDS_unwind = $(FUZZ_TABLES) $(wildcard tests/fuzz/unwind/*)
FUZZ_OPTIONS_unwind := -max_len=30000

FUZZ_SOURCES_exec := shim/executable.c shim/line.c shim/sys.c
FUZZ_SEEDS_exec = $(FUZZ_SEEDS_check) $(wildcard tests/fuzz/exec/*)
FUZZ_OPTIONS_exec := -max_len=4096

FUZZ_SOURCES_proc := shim/maps.c shim/procfs.c shim/line.c
FUZZ_OPTIONS_proc := -max_len=2000

.PHONY: fuzz $(FUZZ_NAMES:%=fuzz-%)
fuzz: $(FUZZ_NAMES:%=fuzz-%)

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard shim/*.[ch]) $(wildcard shim/cli/*.[ch])
	@mkdir -p $(@D)
	$(call say,FUZZCC,$@)$(FUZZ_CC) $(FUZZ_FLAGS) -o $@ $< $(FUZZ_SOURCES_$*) $(FUZZ_LIBS_$*)

# The tables alone, as they lie in memory.
$(BUILD)/fuzz/unwind-%:
	@mkdir -p $(@D)
	$(Q)objcopy -O binary -j .eh_frame_hdr -j .eh_frame $< $@
$(BUILD)/fuzz/unwind-library: $(LIBRARY)
$(BUILD)/fuzz/unwind-command: $(COMMAND)
$(BUILD)/fuzz/unwind-true: /bin/true
fuzz-unwind: $(FUZZ_TABLES)

# The seeds are copied, since libFuzzer adds to its first folder.
$(FUZZ_NAMES:%=fuzz-%): fuzz-%: $(BUILD)/fuzz/fuzz_% $(LIBRARY) $(COMMAND)
	@mkdir -p $(BUILD)/fuzz/corpus-$* $(BUILD)/fuzz/seeds-$*
	@for seed in $(FUZZ_SEEDS_$*); do \
		[ ! -r "$$seed" ] || cp "$$seed" $(BUILD)/fuzz/seeds-$*/; \
	done
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -timeout=20 -artifact_prefix=$(BUILD)/fuzz/$*- \
		-print_final_stats=1 $(FUZZ_OPTIONS_$*) $(BUILD)/fuzz/corpus-$* \
		$(BUILD)/fuzz/seeds-$* >$(BUILD)/fuzz/$*.log 2>&1 || { \
		status=$$?; grep -a -v '^#[0-9]' $(BUILD)/fuzz/$*.log; echo 'fuzz-$*: failed' >&2; exit $$status; }
	@printf '  %-8s%-10s%s\n' FUZZ $* \
		"$$(grep -a '^Done ' $(BUILD)/fuzz/$*.log | tail -n 1), $$(grep -a -o 'cov: [0-9]*' \
		$(BUILD)/fuzz/$*.log | tail -n 1)"
