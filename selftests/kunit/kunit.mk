# SPDX-License-Identifier: GPL-2.0
#
# KUnit suites of the kernel's pure functions, to be included by the top-level
# Makefile.

BUILD ?= build

.PHONY: check-kunit
check-kunit: ## KUnit suites of the record layer, on the debug kernel
	BUILD=$(BUILD) selftests/kunit/run
