# SPDX-License-Identifier: MIT
# The command socktls, included from the top-level Makefile.

BUILD		?= build
PREFIX		?= /usr/local
USER_CFLAGS	?= -std=gnu11 -Wall -Wextra -Werror -O2 -g
USER_CPPFLAGS	?= -Iinclude/uapi -Iinclude -Iuserspace -D_GNU_SOURCE

cli_packages	:= libnl-3.0 libnl-genl-3.0
cli_cflags	:= $(shell pkg-config --cflags $(cli_packages))
cli_libs	:= $(shell pkg-config --libs $(cli_packages))
cli_objects	:= $(addprefix $(BUILD)/userspace/cli/, \
		   main.o common.o connect.o pump.o serve.o status.o)

$(BUILD)/userspace/cli/%.o: userspace/cli/%.c
	@mkdir -p $(@D)
	$(CC) $(USER_CPPFLAGS) $(cli_cflags) $(USER_CFLAGS) $(CFLAGS) \
		-MMD -MP -c -o $@ $<

# Linked to the static library: it has to run from the build tree as it is.
$(BUILD)/userspace/socktls: $(cli_objects) $(BUILD)/userspace/libsocktls.a
	$(CC) $(USER_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(cli_libs)

.PHONY: socktls install-cli install-man
socktls: $(BUILD)/userspace/socktls

install-cli: $(BUILD)/userspace/socktls
	install -D -m 0755 $< $(DESTDIR)$(PREFIX)/bin/socktls

install-man:
	for page in Documentation/man/*.[1-8]; do \
		install -D -m 0644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} \
			|| exit 1; \
	done

-include $(cli_objects:.o=.d)
