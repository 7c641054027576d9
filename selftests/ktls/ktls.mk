# SPDX-License-Identifier: MIT
# Programs that know only stock kTLS.

.PHONY: check-ktls

check-ktls: deps		## OpenSSL, nginx, GnuTLS with ulp=tls (KERNEL=6.1|6.12|7.2)
	@selftests/ktls/run --kernel $(or $(KERNEL),6.1) --all
