# SPDX-License-Identifier: MIT
# Tests of socktlsd, libsocktls and the command that need no kernel module.
# Included from the top-level Makefile behind the fragments of engine, daemon,
# lib and cli.
#
#   check-daemon   every test, plain and under ASan and UBSan

BUILD		?= build
USER_CFLAGS	?= -std=gnu11 -Wall -Wextra -Werror -O2 -g
USER_CPPFLAGS	?= -Iinclude/uapi -Iinclude -Iuserspace -D_GNU_SOURCE

daemon_test_out	:= $(BUILD)/selftests/daemon
daemon_test_names := $(patsubst selftests/daemon/%.c,%, \
			$(wildcard selftests/daemon/test_*.c))
daemon_tests	:= $(daemon_test_names:%=$(daemon_test_out)/%)
daemon_tests_san := $(daemon_test_names:%=$(daemon_test_out)/san/%)
daemon_test_flags := $(USER_CPPFLAGS) -Iselftests/daemon -Iselftests/engine \
		     $(USER_CFLAGS)
daemon_test_sanitize := -fsanitize=address,undefined \
		     -fno-sanitize-recover=all -fno-omit-frame-pointer -O1
daemon_test_libs := -lcmocka -linih -lcrypto -lpthread

# What the tests are of, and what they share; main functions are left out.
daemon_test_parts := $(daemon_core:%=userspace/daemon/%) \
		     userspace/cli/common userspace/cli/pump \
		     $(patsubst %.c,%,$(wildcard userspace/lib/*.c)) \
		     selftests/daemon/fixture selftests/daemon/kernel \
		     selftests/daemon/workbench selftests/engine/pki

$(daemon_test_out)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(daemon_test_flags) $(CFLAGS) -MMD -MP -c -o $@ $<

$(daemon_test_out)/san/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(daemon_test_flags) $(CFLAGS) $(daemon_test_sanitize) \
		-MMD -MP -c -o $@ $<

# Libraries, so that each test takes only what it uses.
$(daemon_test_out)/libparts.a: $(daemon_test_parts:%=$(daemon_test_out)/obj/%.o)
	rm -f $@
	$(AR) rcs $@ $^

$(daemon_test_out)/san/libparts.a: \
		$(daemon_test_parts:%=$(daemon_test_out)/san/obj/%.o) \
		$(ENGINE_SRCS:%.c=$(daemon_test_out)/san/obj/%.o)
	rm -f $@
	$(AR) rcs $@ $^

$(daemon_tests): $(daemon_test_out)/%: \
		$(daemon_test_out)/obj/selftests/daemon/%.o \
		$(daemon_test_out)/libparts.a $(BUILD)/userspace/libengine.a
	$(CC) $(USER_CFLAGS) $(CFLAGS) -o $@ $^ $(daemon_test_libs)

$(daemon_tests_san): $(daemon_test_out)/san/%: \
		$(daemon_test_out)/san/obj/selftests/daemon/%.o \
		$(daemon_test_out)/san/libparts.a
	$(CC) $(USER_CFLAGS) $(CFLAGS) $(daemon_test_sanitize) -o $@ $^ \
		$(daemon_test_libs)

.PHONY: check-daemon daemon-tests
daemon-tests: $(daemon_tests) $(daemon_tests_san)

check-daemon: daemon-tests
	Documentation/netlink/check-spec
	@selftests/engine/run $(daemon_tests) $(daemon_tests_san)

-include $(wildcard $(daemon_test_out)/obj/*/*/*.d)
-include $(wildcard $(daemon_test_out)/san/obj/*/*/*.d)
