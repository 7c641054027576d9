# SPDX-License-Identifier: MIT
# Unit tests of the handshake engine (cmocka). Included by the top Makefile,
# behind userspace/engine/engine.mk; stands alone as well. Paths are relative to
# the top.
#
#   check-engine   every test, plain and under ASan and UBSan
#   check-engine-newer  every test with a libcrypto that has ML-KEM
#   check-premaster-time  RSA key exchange: faults are not told by time
#   pki-tool       keys and certificates for other tests

ifndef ENGINE_LIB
include userspace/engine/engine.mk
endif

ENGINE_TEST_NAMES := $(patsubst selftests/engine/test_%.c,test_%, \
			$(wildcard selftests/engine/test_*.c))
ENGINE_TEST_OUT	:= $(BUILD)/selftests/engine
ENGINE_TESTS	:= $(ENGINE_TEST_NAMES:%=$(ENGINE_TEST_OUT)/%)
ENGINE_TESTS_SAN := $(ENGINE_TEST_NAMES:%=$(ENGINE_TEST_OUT)/san/%)
ENGINE_TEST_COMMON := selftests/engine/pair.c selftests/engine/pki.c \
		      selftests/engine/hex.c selftests/engine/world.c \
		      selftests/engine/resume.c \
		      selftests/native/record.c \
		      userspace/daemon/sessions.c userspace/daemon/ticketkeys.c
ENGINE_TEST_HEADERS := $(wildcard selftests/engine/*.h userspace/engine/*.h) \
		       userspace/daemon/sessions.h userspace/daemon/ticketkeys.h \
		       kmod/cipher_table.h include/uapi/linux/socktls.h
ENGINE_SANITIZE	:= -fsanitize=address,undefined -fno-sanitize-recover=all \
		   -fno-omit-frame-pointer -O1

PKI_TOOL	:= $(ENGINE_TEST_OUT)/pki-tool

$(ENGINE_TEST_OUT)/test_%: selftests/engine/test_%.c $(ENGINE_TEST_COMMON) \
		$(ENGINE_TEST_HEADERS) $(ENGINE_LIB)
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) -Iselftests -Iselftests/engine -o $@ $< \
		$(ENGINE_TEST_COMMON) $(ENGINE_LIB) -lcmocka -lssl $(ENGINE_LIBS)

# The engine once more, instrumented.
$(ENGINE_TEST_OUT)/san/%.o: %.c $(ENGINE_TEST_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) $(ENGINE_SANITIZE) \
		-Iselftests -Iselftests/engine -c -o $@ $<

$(ENGINE_TEST_OUT)/san/libengine.a: \
		$(ENGINE_SRCS:%.c=$(ENGINE_TEST_OUT)/san/%.o) \
		$(ENGINE_TEST_COMMON:%.c=$(ENGINE_TEST_OUT)/san/%.o)
	$(AR) rcs $@ $^

$(ENGINE_TEST_OUT)/san/test_%: selftests/engine/test_%.c \
		$(ENGINE_TEST_HEADERS) $(ENGINE_TEST_OUT)/san/libengine.a
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) $(ENGINE_SANITIZE) \
		-Iselftests -Iselftests/engine -o $@ $< \
		$(ENGINE_TEST_OUT)/san/libengine.a -lcmocka -lssl $(ENGINE_LIBS)

$(PKI_TOOL): selftests/engine/pki-tool.c selftests/engine/pki.c \
		selftests/engine/pki.h
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) -o $@ $(filter %.c,$^) $(ENGINE_LIBS)

.PHONY: check-engine check-engine-newer check-premaster-time pki-tool engine-tests
pki-tool: $(PKI_TOOL)
engine-tests: $(ENGINE_TESTS) $(ENGINE_TESTS_SAN) $(ENGINE_TEST_OUT)/faults

check-engine: engine-tests
	@selftests/engine/run $(ENGINE_TESTS) $(ENGINE_TEST_OUT)/faults \
		$(ENGINE_TESTS_SAN)

check-engine-newer: $(ENGINE_TESTS)
	@selftests/engine/run-newer $(ENGINE_TESTS)

$(ENGINE_TEST_OUT)/time_premaster: selftests/engine/time_premaster.c \
		selftests/engine/pki.c $(ENGINE_TEST_HEADERS) $(ENGINE_LIB)
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) -Iselftests/engine -o $@ \
		$(filter %.c,$^) $(ENGINE_LIB) $(ENGINE_LIBS) -lm

check-premaster-time: $(ENGINE_TEST_OUT)/time_premaster
	@$<

# The engine with its calls renamed, so that they can fail: faults.c.
$(ENGINE_TEST_OUT)/faults.o: selftests/engine/faults.c $(ENGINE_TEST_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) -Iselftests/engine -c -o $@ $<

$(ENGINE_TEST_OUT)/libfaults.a: $(ENGINE_LIB) $(ENGINE_TEST_OUT)/faults.o
	nm $(ENGINE_TEST_OUT)/faults.o | \
		sed -n 's/.* T fault_\(.*\)/\1 fault_\1/p' > $@.syms
	objcopy --redefine-syms=$@.syms $< $@

$(ENGINE_TEST_OUT)/faults: $(ENGINE_TEST_OUT)/faults.o $(ENGINE_TEST_COMMON) \
		$(ENGINE_TEST_OUT)/libfaults.a
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) -Iselftests/engine -o $@ \
		$(ENGINE_TEST_OUT)/faults.o $(ENGINE_TEST_COMMON) \
		$(ENGINE_TEST_OUT)/libfaults.a -lcmocka $(ENGINE_LIBS)

# Line coverage of userspace/engine by the tests of the host: selftests/coverage
.PHONY: coverage engine-tests-plain daemon-tests-plain coverage-engine \
	coverage-daemon coverage-interop

coverage:			## line coverage of the handshake engine
	@BUILD=$(BUILD) selftests/coverage

engine-tests-plain: $(ENGINE_TESTS) $(ENGINE_TEST_OUT)/faults
daemon-tests-plain: $(daemon_tests)

coverage-engine:
	@selftests/engine/run $(ENGINE_TESTS) $(ENGINE_TEST_OUT)/faults

coverage-daemon:
	@selftests/engine/run $(daemon_tests)

coverage-interop: check-interop
