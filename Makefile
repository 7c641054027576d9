# SPDX-License-Identifier: MIT
# socktls: module, helper, tests. `make help` lists the targets.

BUILD	?= build
PREFIX	?= /usr/local
export BUILD

.DEFAULT_GOAL := all

include userspace/engine/engine.mk
include userspace/daemon/daemon.mk
include userspace/lib/lib.mk
include userspace/cli/cli.mk
include $(wildcard selftests/*/*.mk)

# The running kernel's headers when there are any, else those of the newest
# Debian kernel installed.
KDIR ?= $(firstword $(wildcard /lib/modules/$(shell uname -r)/build) \
	$(shell ls -dv /lib/modules/*/build 2>/dev/null | tail -n 1))

KRELEASE = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
KBUILD_DIR = $(abspath $(BUILD))/kmod-$(KRELEASE)
MODULE = $(KBUILD_DIR)/socktls.ko

.PHONY: all module build-module userspace install install-module install-ulp-tls clean help deps \
	check check-all demo

all: module userspace		## build the module and the userspace programs

# The sources are linked into a directory of the kernel's own, so that several
# kernels can be built for and the tree stays clean.
module:				## build socktls.ko for KDIR into build/kmod-RELEASE
	@test -n "$(KRELEASE)" || { echo "No kernel headers in '$(KDIR)':" \
		"apt-get install linux-headers-amd64, or give KDIR=" >&2; exit 1; }
	@mkdir -p $(KBUILD_DIR)/kmod
	@flock $(KBUILD_DIR) $(MAKE) --no-print-directory build-module

build-module:
	@find $(KBUILD_DIR) -type l -delete
	@ln -s $(CURDIR)/Kbuild $(CURDIR)/include $(KBUILD_DIR)
	@ln -s $(CURDIR)/kmod/* $(KBUILD_DIR)/kmod
	@$(MAKE) -C $(KDIR) M=$(KBUILD_DIR) modules

userspace: socktlsd socktls libsocktls
userspace:			## build socktlsd, socktls and libsocktls

install: install-module install-daemon install-lib install-cli install-man
install:			## install everything (DESTDIR=, PREFIX=)

install-module: module
	install -D -m 0644 $(MODULE) \
		$(DESTDIR)/lib/modules/$(KRELEASE)/updates/socktls.ko
	test -n "$(DESTDIR)" || depmod $(KRELEASE)

install-ulp-tls:		## have socktls in place of stock kTLS (modprobe.d)
	install -D -m 0644 kmod/socktls-ulp-tls.conf \
		$(DESTDIR)/etc/modprobe.d/socktls-ulp-tls.conf

deps:				## install the Debian packages that all this needs
	@selftests/deps

demo: deps			## show the main job, on real peers, in a VM
	@$(MAKE) --no-print-directory all
	@selftests/demo/run

check: deps			## every test of moderate length
	@selftests/check

check-all: deps			## all tests: every kernel, the demo, long runs
	@selftests/check --all

clean:				## remove what was built (the VM's kernels stay cached)
	rm -rf $(BUILD)

help:				## this
	@sed -nE 's/^([a-z0-9-]+):[^#]*## (.*)/  \1|\2/p' \
		$(MAKEFILE_LIST) | sort | column -t -s '|'
