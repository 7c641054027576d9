# SPDX-License-Identifier: MIT
# The handshake engine as a static library. Included by the top Makefile; needs
# libcrypto (OpenSSL >= 3.0). Paths are relative to the top.

BUILD		?= build

ENGINE_CFLAGS	:= -std=gnu11 -Wall -Wextra -Werror -O2 -g -Iinclude/uapi \
		   -Iuserspace -D_GNU_SOURCE
ENGINE_LIBS	:= -lcrypto -lpthread

ENGINE_SRCS	:= $(addprefix userspace/engine/, \
	wire.c extensions.c messages.c \
	suites.c groups.c sigalgs.c policy.c rules.c \
	kdf.c transcript.c schedule.c \
	identity.c external.c trust.c keyops.c x509.c ocsp.c auth.c \
	settings.c states.c core.c limits.c \
	session.c psk.c tickets.c cookie.c \
	tls12.c tls13.c \
	client.c client12.c client13.c \
	server.c server12.c server13.c)

ENGINE_OBJS	:= $(ENGINE_SRCS:%.c=$(BUILD)/%.o)
ENGINE_LIB	:= $(BUILD)/userspace/libengine.a

$(BUILD)/userspace/engine/%.o: userspace/engine/%.c
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(ENGINE_LIB): $(ENGINE_OBJS)
	@mkdir -p $(@D)
	$(AR) rcs $@ $^

-include $(ENGINE_OBJS:.o=.d)
