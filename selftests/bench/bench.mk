# SPDX-License-Identifier: MIT
# What a record costs. Included from the top-level Makefile.

$(BUILD)/bench/bench: selftests/bench/bench.c
	@mkdir -p $(@D)
	$(CC) $(USER_CPPFLAGS) $(USER_CFLAGS) $(CFLAGS) -o $@ $<

.PHONY: bench-program bench
bench-program: $(BUILD)/bench/bench
bench: deps			## what a record costs in instructions, and in stock kTLS
	@selftests/bench/run
