# SPDX-License-Identifier: MIT
# Tests of the socket API. Included from the top-level Makefile.
#
#   check-kselftest   in a VM of kernel KERNEL (6.1)

KSELFTEST_OUT	:= $(BUILD)/selftests/kselftest
KSELFTEST_COMMON := $(addprefix selftests/kselftest/, harness.c util.c tap.c \
			world.c peer.c fake.c wire.c keys.c inject.c)
KSELFTEST_NAMES	:= $(filter-out $(KSELFTEST_COMMON:selftests/kselftest/%.c=%), \
			$(patsubst selftests/kselftest/%.c,%, \
			$(wildcard selftests/kselftest/*.c)))
KSELFTESTS	:= $(KSELFTEST_NAMES:%=$(KSELFTEST_OUT)/%)

$(KSELFTEST_OUT)/obj/%.o: selftests/kselftest/%.c \
		$(wildcard selftests/kselftest/*.h) \
		$(wildcard include/uapi/linux/socktls*.h)
	@mkdir -p $(@D)
	$(CC) $(USER_CPPFLAGS) $(USER_CFLAGS) $(CFLAGS) -c -o $@ $<

$(KSELFTESTS): $(KSELFTEST_OUT)/%: $(KSELFTEST_OUT)/obj/%.o \
		$(KSELFTEST_COMMON:selftests/kselftest/%.c=$(KSELFTEST_OUT)/obj/%.o)
	$(CC) $(USER_CFLAGS) $(CFLAGS) -o $@ $^ -lssl -lcrypto -luring -lpthread \
		$(KSELFTEST_LIBS)

$(KSELFTEST_OUT)/rekey_peers: KSELFTEST_LIBS := -lgnutls
$(KSELFTEST_OUT)/binding: $(BUILD)/userspace/libsocktls.a

.SECONDARY: $(KSELFTEST_NAMES:%=$(KSELFTEST_OUT)/obj/%.o)

.PHONY: kselftest-programs check-kselftest
kselftest-programs: $(KSELFTESTS)
check-kselftest:		## the socket API in a VM (KERNEL=6.1|6.12|7.2|debug)
	selftests/kselftest/run --kernel $(or $(KERNEL),6.1)
