# SPDX-License-Identifier: MIT
# socktlsd, included from the top-level Makefile.

BUILD		?= build
PREFIX		?= /usr/local
USER_CFLAGS	?= -std=gnu11 -Wall -Wextra -Werror -O2 -g
USER_CPPFLAGS	?= -Iinclude/uapi -Iinclude -Iuserspace -D_GNU_SOURCE

daemon_packages	:= libnl-3.0 libnl-genl-3.0 libcrypto
daemon_cflags	:= $(shell pkg-config --cflags $(daemon_packages))
daemon_libs	:= $(shell pkg-config --libs $(daemon_packages)) -linih -lev

# All but main.c, options.c and netlink.c runs without a kernel module: the tests link it.
daemon_core	:= access action config cookiekey file identity keylog log policy \
		   psk sessions stores ticketkeys worker
daemon_core_objects := $(daemon_core:%=$(BUILD)/userspace/daemon/%.o)
daemon_objects	:= $(daemon_core_objects) \
		   $(BUILD)/userspace/daemon/netlink.o \
		   $(BUILD)/userspace/daemon/options.o \
		   $(BUILD)/userspace/daemon/main.o

$(BUILD)/userspace/daemon/%.o: userspace/daemon/%.c
	@mkdir -p $(@D)
	$(CC) $(USER_CPPFLAGS) $(daemon_cflags) $(USER_CFLAGS) $(CFLAGS) \
		-MMD -MP -c -o $@ $<

$(BUILD)/userspace/socktlsd: $(daemon_objects) $(BUILD)/userspace/libengine.a
	$(CC) $(USER_CFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(daemon_libs)

.PHONY: socktlsd install-daemon
socktlsd: $(BUILD)/userspace/socktlsd

install-daemon: $(BUILD)/userspace/socktlsd
	install -D -m 0755 $< $(DESTDIR)$(PREFIX)/sbin/socktlsd
	install -d -m 0755 $(DESTDIR)/etc/socktls/trust
	install -d -m 0700 $(DESTDIR)/etc/socktls/identities
	test -e $(DESTDIR)/etc/socktls/socktlsd.conf || \
		install -m 0644 userspace/daemon/socktlsd.conf \
			$(DESTDIR)/etc/socktls/socktlsd.conf

-include $(daemon_objects:.o=.d)
