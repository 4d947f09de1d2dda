# SPDX-License-Identifier: MIT
# make fuzz: what reads a stranger's bytes, for FUZZ_SECONDS each, with AddressSanitizer and UBSan.
# libFuzzer comes with clang. A target is tests/fuzz/fuzz_NAME.c; it names what it is linked with:
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

.PHONY: fuzz $(FUZZ_NAMES:%=fuzz-%)
fuzz: $(FUZZ_NAMES:%=fuzz-%)

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard shim/*.[ch]) $(wildcard shim/cli/*.[ch])
	@mkdir -p $(@D)
	$(call say,FUZZCC,$@)$(FUZZ_CC) $(FUZZ_FLAGS) -o $@ $< $(FUZZ_SOURCES_$*) $(FUZZ_LIBS_$*)

# The seeds are copied, since libFuzzer adds to its first folder.
$(FUZZ_NAMES:%=fuzz-%): fuzz-%: $(BUILD)/fuzz/fuzz_% $(LIBRARY) $(COMMAND)
	@mkdir -p $(BUILD)/fuzz/corpus-$* $(BUILD)/fuzz/seeds-$*
	@for seed in $(FUZZ_SEEDS_$*); do \
		[ ! -r "$$seed" ] || cp "$$seed" $(BUILD)/fuzz/seeds-$*/; \
	done
	$(Q)$< -max_total_time=$(FUZZ_SECONDS) -timeout=20 -artifact_prefix=$(BUILD)/fuzz/$*- \
		-print_final_stats=1 $(FUZZ_OPTIONS_$*) $(BUILD)/fuzz/corpus-$* \
		$(BUILD)/fuzz/seeds-$*
