# SPDX-License-Identifier: MIT
"""Resumption by session ID."""

TESTS = {}
