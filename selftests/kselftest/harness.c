// SPDX-License-Identifier: MIT
/* See harness.h. */
#include "harness.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_PASS = 0, STATUS_FAIL = 1, STATUS_SKIP = 4 };

static struct harness_test *tests, **tests_end = &tests;
static volatile bool failed;

void harness_add_test(struct harness_test *test)
{
	*tests_end = test;
	tests_end = &test->next;
}

void harness_add_variant(struct harness_variant **list,
			 struct harness_variant *variant)
{
	while (*list)
		list = &(*list)->next;
	*list = variant;
}

/* One write, so that lines of threads and processes do not mix. */
static void print_line(const char *prefix, const char *fmt, va_list args)
{
	char line[1024];
	size_t n = snprintf(line, sizeof(line), "# %s", prefix);

	n += vsnprintf(line + n, sizeof(line) - n - 1, fmt, args);
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDOUT_FILENO, line, n) < 0)
		_exit(STATUS_FAIL);
}

void harness_fail(bool fatal, const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	char prefix[256];
	va_list args;

	snprintf(prefix, sizeof(prefix), "%s:%d: ", base ? base + 1 : file,
		 line);
	va_start(args, fmt);
	print_line(prefix, fmt, args);
	va_end(args);
	failed = true;
	if (fatal)
		_exit(STATUS_FAIL);
}

void harness_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("skipped: ", fmt, args);
	va_end(args);
	_exit(failed ? STATUS_FAIL : STATUS_SKIP);
}

void harness_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("", fmt, args);
	va_end(args);
}

unsigned int harness_slowness(void)
{
	const char *text = getenv("SOCKTLS_TEST_SLOWNESS");

	return text && atoi(text) > 0 ? atoi(text) : 1;
}

/* Waits for the child of a test; its whole process group ends with it. */
static int wait_for(pid_t pid, unsigned int seconds)
{
	struct timespec timeout = { .tv_sec = seconds };
	int status = 0;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	while (!waitpid(pid, &status, WNOHANG)) {
		if (sigtimedwait(&set, NULL, &timeout) >= 0 || errno == EINTR)
			continue;
		harness_note("not done after %u s", seconds);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		break;
	}
	kill(-pid, SIGKILL);
	return status;
}

static int run_test(const struct harness_test *test,
		    const struct harness_variant *variant)
{
	pid_t pid = fork();
	sigset_t set;
	int status;

	if (pid < 0)
		return STATUS_FAIL;
	if (!pid) {
		setpgid(0, 0);
		sigemptyset(&set);
		sigprocmask(SIG_SETMASK, &set, NULL);
		test->run(variant ? variant->value : NULL);
		_exit(failed ? STATUS_FAIL : STATUS_PASS);
	}
	setpgid(pid, pid);
	status = wait_for(pid, test->timeout * harness_slowness());
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	harness_note("ended by signal %d", WTERMSIG(status));
	return STATUS_FAIL;
}

static void full_name(char *name, size_t size, const struct harness_test *test,
		      const struct harness_variant *variant)
{
	snprintf(name, size, "%s%s%s", test->name, variant ? "." : "",
		 variant ? variant->name : "");
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strstr(name, argv[i]))
			return true;
	return argc < 2;
}

struct tally {
	unsigned int count, passed, failed;
};

static void report(struct tally *tally, const char *name, int status,
		   const struct timespec *start)
{
	struct timespec end;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &end);
	seconds = end.tv_sec - start->tv_sec +
		  (end.tv_nsec - start->tv_nsec) / 1e9;
	tally->count++;
	if (status == STATUS_PASS || status == STATUS_SKIP)
		tally->passed++;
	else
		tally->failed++;
	printf("%sok %u %s", status == STATUS_PASS || status == STATUS_SKIP ?
	       "" : "not ", tally->count, name);
	if (status == STATUS_SKIP)
		printf(" # SKIP");
	else if (seconds >= 5)
		printf(" # %.1f s", seconds);
	printf("\n");
	fflush(stdout);
}

/* For each wanted test and variant; without @tally only counts. */
static unsigned int for_each_wanted(int argc, char **argv, struct tally *tally)
{
	const struct harness_variant *variant;
	const struct harness_test *test;
	unsigned int count = 0;
	struct timespec start;
	char name[256];

	for (test = tests; test; test = test->next) {
		variant = test->variants ? *test->variants : NULL;
		do {
			full_name(name, sizeof(name), test, variant);
			if (is_wanted(name, argc, argv)) {
				count++;
				clock_gettime(CLOCK_MONOTONIC, &start);
				if (tally)
					report(tally, name,
					       run_test(test, variant),
					       &start);
			}
			variant = variant ? variant->next : NULL;
		} while (variant);
	}
	return count;
}

/* PROGRAM [TEXT...]: the tests whose names contain one of the texts, or all. */
int harness_main(int argc, char **argv)
{
	struct tally tally = { 0 };
	sigset_t set;

	setlinebuf(stdout);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("TAP version 13\n1..%u\n", for_each_wanted(argc, argv, NULL));
	fflush(stdout);
	for_each_wanted(argc, argv, &tally);
	printf("%u passed, %u failed\n", tally.passed, tally.failed);
	return tally.failed ? 1 : 0;
}
