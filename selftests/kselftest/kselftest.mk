# SPDX-License-Identifier: MIT
.PHONY: kselftest-programs
kselftest-programs: $(BUILD)/selftests/kselftest/socket

$(BUILD)/selftests/kselftest/socket: selftests/kselftest/socket.c \
		include/uapi/linux/socktls.h
	@mkdir -p $(@D)
	$(CC) $(USER_CPPFLAGS) $(USER_CFLAGS) $(CFLAGS) -o $@ $<
