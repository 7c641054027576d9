// SPDX-License-Identifier: MIT
/* The kernel's fault injection; see Documentation/fault-injection of the kernel. */
#include "inject.h"

#include <sys/syscall.h>

#include "util.h"

#define SHORT_SWEEP	6
#define SWEEP_MAX	20000	/* more means that a sweep does not end */

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		harness_skip("this kernel has no %s", path);
	ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void inject_knob(const char *fault, const char *knob, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", fault, knob);
	put_text(path, text);
}

/* From the lowest to the highest function of the module. */
static void module_range(char *start, char *end, size_t size)
{
	unsigned long long at, low = ~0ULL, high = 0;
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[256], type;

	ASSERT_NE(file, NULL);
	while (fgets(line, sizeof(line), file)) {
		if (!strstr(line, "[socktls]") ||
		    sscanf(line, "%llx %c", &at, &type) != 2 ||
		    (type != 't' && type != 'T'))
			continue;
		low = at < low ? at : low;
		high = at > high ? at : high;
	}
	fclose(file);
	ASSERT_NE(high, 0);
	snprintf(start, size, "%#llx", low);
	snprintf(end, size, "%#llx", high + 4096);
}

void faults_setup(void)
{
	static const char * const faults[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char start[32], end[32];
	unsigned int i;

	module_range(start, end, sizeof(start));
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		inject_knob(faults[i], "verbose", "0");
		inject_knob(faults[i], "require-start", start);
		inject_knob(faults[i], "require-end", end);
	}
	inject_knob("failslab", "ignore-gfp-wait", "N");
	inject_knob("fail_page_alloc", "ignore-gfp-wait", "N");
	inject_knob("fail_page_alloc", "min-order", "0");
}

bool nth_set(pid_t tid, int n)
{
	char path[64], text[16];
	int fd, len;

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", tid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;	/* a kernel thread that is gone */
	len = snprintf(text, sizeof(text), "%d", n);
	n = write(fd, text, len);
	close(fd);
	return n == len;
}

/* Whether the fault has struck; it is taken back if not. */
bool nth_struck(pid_t tid)
{
	char path[64], text[16] = "";
	int fd, n;

	snprintf(path, sizeof(path), "/proc/%d/fail-nth", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return false;
	nth_set(tid, 0);
	return atoi(text) == 0;
}

pid_t self_tid(void)
{
	return syscall(SYS_gettid);
}

bool sweep_goes_on(int n, bool struck)
{
	const char *all = getenv("SOCKTLS_TEST_FAULTS");

	ASSERT_LE(n, SWEEP_MAX);
	return struck && ((all && !strcmp(all, "all")) || n < SHORT_SWEEP);
}
