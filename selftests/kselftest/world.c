// SPDX-License-Identifier: MIT
/* Network namespaces, socktlsd, certificates, the module's counters. */
#include "util.h"

#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>

const char *pki_path(const char *name)
{
	static _Thread_local char path[4096];
	const char *dir = getenv("SOCKTLS_TEST_CONFIG");

	ASSERT_NE(dir, NULL);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

size_t pki_read(const char *name, char *buf, size_t size)
{
	FILE *file = fopen(pki_path(name), "r");
	size_t n;

	ASSERT_NE(file, NULL);
	n = fread(buf, 1, size, file);
	fclose(file);
	return n;
}

void netns_new(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	ASSERT_EQ(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ASSERT_EQ(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
	close(fd);
}

void file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_TRUE(write_all(fd, text, strlen(text)));
	close(fd);
}

pid_t helper_start(void)
{
	const char *program = getenv("SOCKTLS_TEST_HELPER");
	char pidfile[64], option[96];
	struct stat st;
	pid_t pid;

	ASSERT_NE(program, NULL);
	snprintf(pidfile, sizeof(pidfile), "/run/socktlsd-%d.pid", getpid());
	snprintf(option, sizeof(option), "--pidfile=%s", pidfile);
	unlink(pidfile);
	pid = fork();
	ASSERT_GE(pid, 0);
	if (!pid) {
		execl(program, program, "--config", pki_path(""),
		      "--log-level", "error", option, NULL);
		_exit(127);
	}
	/* written once it is registered */
	while (stat(pidfile, &st) || !st.st_size) {
		ASSERT_EQ(waitpid(pid, NULL, WNOHANG), 0);
		sleep_ms(20);
	}
	unlink(pidfile);
	return pid;
}

void helper_kill(pid_t pid)
{
	ASSERT_EQ(kill(pid, SIGKILL), 0);
	ASSERT_EQ(waitpid(pid, NULL, 0), pid);
}

long socktls_objects(void)
{
	FILE *file = fopen("/proc/net/socktls_stat", "r");
	long value, sum = 0;
	char name[64];

	ASSERT_NE(file, NULL);
	while (fscanf(file, "%63s %ld", name, &value) == 2)
		if (!strncmp(name, "Curr", 4))
			sum += value;
	fclose(file);
	return sum;
}

long socktls_objects_settle(long want)
{
	long sum = 0;
	int i;

	for (i = 0; i < 300; i++) {
		sum = socktls_objects();
		if (sum <= want)
			break;
		sleep_ms(100);
	}
	return sum;
}

/* A value of /proc/net/netstat or snmp: "Group: names", "Group: values". */
static bool snmp_find(const char *path, const char *group, const char *name,
		      unsigned long long *value)
{
	char names[8192], values[8192], *n, *v, *save_n, *save_v;
	FILE *file = fopen(path, "r");
	bool found = false;

	ASSERT_NE(file, NULL);
	while (!found && fgets(names, sizeof(names), file) &&
	       fgets(values, sizeof(values), file)) {
		if (strncmp(names, group, strlen(group)))
			continue;
		n = strtok_r(names, " \n", &save_n);
		v = strtok_r(values, " \n", &save_v);
		while (n && v && strcmp(n, name)) {
			n = strtok_r(NULL, " \n", &save_n);
			v = strtok_r(NULL, " \n", &save_v);
		}
		found = n && v;
		if (found)
			*value = strtoull(v, NULL, 10);
	}
	fclose(file);
	return found;
}

unsigned long long snmp_value(const char *group, const char *name)
{
	unsigned long long value = 0;

	ASSERT_TRUE(snmp_find("/proc/self/net/netstat", group, name, &value) ||
		    snmp_find("/proc/self/net/snmp", group, name, &value));
	return value;
}
