# SPDX-License-Identifier: MIT
.PHONY: demo-client
demo-client: $(BUILD)/selftests/demo/fetch

$(BUILD)/selftests/demo/fetch: selftests/demo/fetch.c \
		include/uapi/linux/socktls.h
	@mkdir -p $(@D)
	$(CC) $(USER_CPPFLAGS) $(USER_CFLAGS) $(CFLAGS) -o $@ $<
