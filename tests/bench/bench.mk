# SPDX-License-Identifier: MIT
# Benchmarks and soak. Results lie in $(BUILD)/bench.

SOAK_SECONDS ?= 60

BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(sort $(wildcard tests/bench/*.c)))

.PHONY: bench soak

$(BENCH_PROGRAMS): $(BUILD)/bench/%: tests/bench/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(BASE_FLAGS) $(BENCH_FLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lpthread

# The program under the library; its clients are to be quick.
$(BUILD)/bench/soaker: BENCH_FLAGS := $(SAN_FLAGS)

bench: $(LIBRARY) $(BENCH_PROGRAMS)
	$(Q)tests/bench/run $(BUILD)

soak: $(LIBRARY) $(BENCH_PROGRAMS)
	$(Q)tests/bench/soak $(BUILD) $(SOAK_SECONDS) $(SAN_LIBRARY)
