# SPDX-License-Identifier: MIT
# Upstream's test program of the ULP "tls", and the kernels.

.PHONY: check-upstream check-matrix

check-upstream: deps		## Linux' own tests of kTLS, on every kernel
	@selftests/upstream/run

check-matrix: deps		## the socket API on 6.1, 6.12 and 7.2
	@selftests/kselftest/matrix
