# SPDX-License-Identifier: MIT
# libsocktls, included from the top-level Makefile.

BUILD		?= build
PREFIX		?= /usr/local
USER_CFLAGS	?= -std=gnu11 -Wall -Wextra -Werror -O2 -g
USER_CPPFLAGS	?= -Iinclude/uapi -Iinclude -Iuserspace -D_GNU_SOURCE

lib_version	:= 0.1
lib_soname	:= libsocktls.so.0
lib_objects	:= $(addprefix $(BUILD)/userspace/lib/, \
		   binding.o connect.o names.o options.o sha2.o text.o)
lib_outputs	:= $(addprefix $(BUILD)/userspace/, \
		   libsocktls.a libsocktls.so socktls.pc)

$(BUILD)/userspace/lib/%.o: userspace/lib/%.c
	@mkdir -p $(@D)
	$(CC) $(USER_CPPFLAGS) $(USER_CFLAGS) $(CFLAGS) -fPIC -MMD -MP \
		-c -o $@ $<

$(BUILD)/userspace/libsocktls.a: $(lib_objects)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/userspace/$(lib_soname): $(lib_objects) userspace/lib/libsocktls.map
	$(CC) $(USER_CFLAGS) $(CFLAGS) $(LDFLAGS) -shared -Wl,-z,defs \
		-Wl,-soname,$(lib_soname) \
		-Wl,--version-script=userspace/lib/libsocktls.map \
		-o $@ $(lib_objects)

$(BUILD)/userspace/libsocktls.so: $(BUILD)/userspace/$(lib_soname)
	ln -sf $(lib_soname) $@

# Phony in effect: PREFIX may differ from run to run.
$(BUILD)/userspace/socktls.pc: userspace/lib/socktls.pc.in FORCE
	@mkdir -p $(@D)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(lib_version)|' $< > $@

.PHONY: libsocktls install-lib FORCE
FORCE:
libsocktls: $(lib_outputs)

install-lib: $(lib_outputs)
	install -D -m 0644 include/socktls.h \
		$(DESTDIR)$(PREFIX)/include/socktls.h
	install -D -m 0644 include/uapi/linux/socktls.h \
		$(DESTDIR)$(PREFIX)/include/linux/socktls.h
	install -D -m 0644 $(BUILD)/userspace/libsocktls.a \
		$(DESTDIR)$(PREFIX)/lib/libsocktls.a
	install -D -m 0755 $(BUILD)/userspace/$(lib_soname) \
		$(DESTDIR)$(PREFIX)/lib/$(lib_soname)
	ln -sf $(lib_soname) $(DESTDIR)$(PREFIX)/lib/libsocktls.so
	install -D -m 0644 $(BUILD)/userspace/socktls.pc \
		$(DESTDIR)$(PREFIX)/lib/pkgconfig/socktls.pc

-include $(lib_objects:.o=.d)
