/* SPDX-License-Identifier: MIT */
/* A store of sessions for tests, small, shared by a process and its children. */
#ifndef SOCKTLS_SELFTESTS_SESSIONS_H
#define SOCKTLS_SELFTESTS_SESSIONS_H

#include "engine/engine.h"

/* Takes no argument. */
extern const struct engine_sessions sessions_ops;

/* Before the first use, and before any fork(). 0 or -1. */
int sessions_init(void);

#endif /* SOCKTLS_SELFTESTS_SESSIONS_H */
