/* SPDX-License-Identifier: MIT */
/*
 * Faults: the nth allocation, or access to a program's memory, inside the module
 * fails (failslab, fail_page_alloc, fail_usercopy). Skips the test on a kernel
 * that has no fault injection.
 *
 * SOCKTLS_TEST_FAULTS=all sweeps to the end, else the first few of each call.
 */
#ifndef SOCKTLS_TEST_INJECT_H
#define SOCKTLS_TEST_INJECT_H

#include <stdbool.h>
#include <sys/types.h>

/* Writes @text to a knob of failslab, fail_page_alloc or fail_usercopy. */
void inject_knob(const char *fault, const char *knob, const char *text);
/* The stack filters of all three on the module. */
void faults_setup(void);
pid_t self_tid(void);
/* The @n th in @tid fails; false: there is no such task. */
bool nth_set(pid_t tid, int n);
/* Whether the fault has struck; it is taken back if not. */
bool nth_struck(pid_t tid);
/* After the @n th, which did strike or not. */
bool sweep_goes_on(int n, bool struck);

#endif /* SOCKTLS_TEST_INJECT_H */
