# SPDX-License-Identifier: MIT
# The engine on ordinary sockets, for interoperability tests and fuzzers.
# Included by the top Makefile, behind userspace/engine/engine.mk and
# selftests/engine/engine-tests.mk; stands alone as well.
#
#   native         engine-server and engine-client
#   check-interop  both against openssl and gnutls, on loopback

ifndef PKI_TOOL
include selftests/engine/engine-tests.mk
endif

NATIVE_OUT	:= $(BUILD)/selftests/native
NATIVE		:= $(NATIVE_OUT)/engine-server $(NATIVE_OUT)/engine-client
NATIVE_COMMON	:= $(addprefix selftests/native/, record.c conn.c options.c sessions.c)

$(NATIVE_OUT)/engine-%: selftests/native/engine-%.c $(NATIVE_COMMON) \
		$(wildcard selftests/native/*.h userspace/engine/*.h) \
		$(ENGINE_LIB)
	@mkdir -p $(@D)
	$(CC) $(ENGINE_CFLAGS) $(CFLAGS) -Iselftests/native -o $@ $< \
		$(NATIVE_COMMON) $(ENGINE_LIB) $(ENGINE_LIBS)

.PHONY: native check-interop
native: $(NATIVE)
check-interop: $(NATIVE) $(PKI_TOOL)
	BUILD=$(BUILD) selftests/native/interop-core

# Every peer; a tree of a newer Debian is made in the cache first.
.PHONY: interop
interop: $(NATIVE) $(PKI_TOOL)	## the engine against other TLS stacks: writes Documentation/interop.md
	BUILD=$(BUILD) selftests/interop/run --write Documentation/interop.md
