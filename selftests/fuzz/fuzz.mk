# SPDX-License-Identifier: MIT
# Fuzzers (libFuzzer of clang, with ASan and UBSan). Included by the top
# Makefile, behind the fragments of engine and daemon.
#
#   fuzz          each fuzzer for its share of SECONDS, JOBS at a time
#   fuzz-afl      AFL++ on the state machines, for SECONDS
#   check-fuzz    the same for half a minute, as a test suite
#   fuzz-corpus   record handshakes with real peers into selftests/fuzz/corpus

FUZZ_CC		?= clang
FUZZ_OUT	:= $(BUILD)/selftests/fuzz
FUZZERS		:= client server messages tickets config
SECONDS		?= 60

FUZZ_CFLAGS	:= -std=gnu11 -g -O1 -D_GNU_SOURCE -Iinclude/uapi -Iuserspace \
		   -Iselftests/engine -fno-omit-frame-pointer \
		   -fsanitize=address,undefined \
		   -fno-sanitize-recover=undefined -Wall -Wextra
FUZZ_PARTS	:= $(ENGINE_SRCS) selftests/engine/pki.c \
		   $(addprefix userspace/daemon/, access.c config.c file.c \
		   log.c policy.c)
FUZZ_OBJS	:= $(FUZZ_PARTS:%.c=$(FUZZ_OUT)/%.o)
FUZZ_WRAP	:= CRYPTO_memcmp EVP_DigestVerify RAND_bytes X509_verify_cert

fuzz_source_client	:= selftests/fuzz/fuzz_engine.c selftests/fuzz/chunks.c
fuzz_source_server	:= $(fuzz_source_client)
fuzz_source_messages	:= selftests/fuzz/fuzz_messages.c
fuzz_source_tickets	:= selftests/fuzz/fuzz_tickets.c
fuzz_source_config	:= selftests/fuzz/fuzz_config.c
fuzz_flags_client	:= -DROLE=SOCKTLS_CLIENT $(FUZZ_WRAP:%=-Wl,--wrap=%)
fuzz_flags_server	:= -DROLE=SOCKTLS_SERVER $(FUZZ_WRAP:%=-Wl,--wrap=%)

$(FUZZ_OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP \
		-c -o $@ $<

$(FUZZ_OUT)/libfuzzed.a: $(FUZZ_OBJS)
	rm -f $@
	$(AR) rcs $@ $^

$(FUZZERS:%=$(FUZZ_OUT)/%): $(FUZZ_OUT)/%: $(FUZZ_OUT)/libfuzzed.a \
		$(wildcard selftests/fuzz/*.[ch])
	$(FUZZ_CC) $(FUZZ_CFLAGS) $(CFLAGS) -fsanitize=fuzzer \
		$(fuzz_flags_$*) -o $@ $(fuzz_source_$*) $< -linih $(ENGINE_LIBS)

# Built once more with the instrumentation of AFL++, whose driver makes the same
# harness persistent.
$(FUZZ_OUT)/afl/mutator.so: $(addprefix selftests/fuzz/, afl_mutator.c chunks.c \
		chunks.h)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -fPIC -shared -Wall -Wextra -o $@ \
		$(filter %.c,$^)

.PHONY: fuzz fuzz-afl check-fuzz fuzzers fuzzers-afl fuzz-corpus
fuzzers: $(FUZZERS:%=$(FUZZ_OUT)/%)

fuzzers-afl: $(FUZZ_OUT)/afl/mutator.so
	AFL_QUIET=1 $(MAKE) FUZZ_CC=afl-clang-fast FUZZ_OUT=$(FUZZ_OUT)/afl \
		$(FUZZ_OUT)/afl/client $(FUZZ_OUT)/afl/server

fuzz: fuzzers			## fuzz for SECONDS= in total, JOBS= at a time
	@BUILD=$(BUILD) selftests/fuzz/run $(JOBS:%=--jobs %) $(SECONDS) \
		$(FUZZERS)

fuzz-afl:			## AFL++ on the handshakes for SECONDS=
	@BUILD=$(BUILD) selftests/fuzz/afl $(SECONDS)

# One at a time, as there are other suites beside it.
check-fuzz: fuzzers
	@BUILD=$(BUILD) selftests/fuzz/run --jobs 1 40 $(FUZZERS)

fuzz-corpus: native pki-tool fuzzers
	@BUILD=$(BUILD) selftests/fuzz/record

-include $(wildcard $(FUZZ_OUT)/*/*/*.d)
