// SPDX-License-Identifier: MIT
/*
 * Memory that is not there: the first, second, ... nth allocation, or access to the
 * program's memory, inside the module fails (failslab, fail_page_alloc,
 * fail_usercopy), until a call has none left to fail. Whatever a call returns then,
 * what arrives is a beginning of what was sent, all of it while the connection
 * lives, and nothing is left behind. See Documentation/fault-injection of the kernel.
 *
 * SOCKTLS_TEST_FAULTS=all sweeps to the end, else the first few of each call.
 */
#include "util.h"

#include <dirent.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>

#define SHORT_SWEEP	6
#define SWEEP_MAX	20000	/* more means that a sweep does not end */

/* ---- the kernel's fault injection ---- */

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		harness_skip("this kernel has no %s", path);
	ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void put_knob(const char *fault, const char *knob, const char *text)
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

static void faults_setup(void)
{
	static const char * const faults[] = {
		"failslab", "fail_page_alloc", "fail_usercopy",
	};
	char start[32], end[32];
	unsigned int i;

	module_range(start, end, sizeof(start));
	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		put_knob(faults[i], "verbose", "0");
		put_knob(faults[i], "require-start", start);
		put_knob(faults[i], "require-end", end);
	}
	put_knob("failslab", "ignore-gfp-wait", "N");
	put_knob("fail_page_alloc", "ignore-gfp-wait", "N");
	put_knob("fail_page_alloc", "min-order", "0");
}

static bool nth_set(pid_t tid, int n)
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
static bool nth_struck(pid_t tid)
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

static pid_t self_tid(void)
{
	return syscall(SYS_gettid);
}

static bool sweep_goes_on(int n, bool struck)
{
	const char *all = getenv("SOCKTLS_TEST_FAULTS");

	ASSERT_LE(n, SWEEP_MAX);
	return struck && ((all && !strcmp(all, "all")) || n < SHORT_SWEEP);
}

/* ---- a connection and what has passed ---- */

FIXTURE(faults) {
	struct pair	pair;
	size_t		sent, received;
	int		broken;		/* connections that did not survive */
	int		struck;
	FILE		*file;
	int		pipe_in[2], pipe_out[2];
	char		buf[65536];
};

static void limit_waiting(int fd)
{
	struct timeval time = { .tv_sec = 20 };

	ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)),
		  0);
	ASSERT_EQ(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)),
		  0);
}

static void connect_again(struct fixture_faults *self)
{
	tls_pair(AF_INET, &self->pair);
	limit_waiting(self->pair.client);
	limit_waiting(self->pair.server);
	self->sent = 0;
	self->received = 0;
}

FIXTURE_SETUP(faults)
{
	faults_setup();
	signal(SIGPIPE, SIG_IGN);
	ASSERT_EQ(pipe2(self->pipe_in, O_NONBLOCK), 0);
	ASSERT_EQ(pipe2(self->pipe_out, O_NONBLOCK), 0);
	self->file = tmpfile();
	ASSERT_NE(self->file, NULL);
	connect_again(self);
}

static bool is_broken(const struct fixture_faults *self)
{
	return tls_state(self->pair.client) != SOCKTLS_STATE_ESTABLISHED ||
	       tls_state(self->pair.server) != SOCKTLS_STATE_ESTABLISHED;
}

static void took(struct fixture_faults *self, const void *buf, ssize_t n)
{
	if (n <= 0)
		return;
	ASSERT_TRUE(pattern_ok(buf, n, self->received));
	self->received += n;
	ASSERT_LE(self->received, self->sent);
}

/* What was accepted arrives, unless the connection has failed and says so. */
static void settle(struct fixture_faults *self)
{
	while (self->received < self->sent) {
		ssize_t n = read(self->pair.server, self->buf,
				 sizeof(self->buf));

		if (n <= 0) {
			EXPECT_EQ(n, -1);
			EXPECT_NE(errno, EAGAIN);
			break;
		}
		took(self, self->buf, n);
	}
	if (self->received == self->sent && !is_broken(self))
		return;
	EXPECT_TRUE(is_broken(self));
	self->broken++;
	close(self->pair.client);
	close(self->pair.server);
	connect_again(self);
}

/* ---- sending ---- */

typedef ssize_t (*send_fn)(struct fixture_faults *self, size_t len);

static ssize_t by_write(struct fixture_faults *self, size_t len)
{
	return write(self->pair.client, self->buf, len);
}

static ssize_t by_more(struct fixture_faults *self, size_t len)
{
	ssize_t n = send(self->pair.client, self->buf, len / 2, MSG_MORE), m;

	if (n != (ssize_t)(len / 2))
		return n;
	m = send(self->pair.client, self->buf + n, len - n, 0);
	return m < 0 ? n : n + m;
}

static ssize_t by_sendfile(struct fixture_faults *self, size_t len)
{
	off_t at = self->sent;

	return sendfile(self->pair.client, fileno(self->file), &at, len);
}

static ssize_t by_splice(struct fixture_faults *self, size_t len)
{
	return splice(self->pipe_in[0], NULL, self->pair.client, NULL, len, 0);
}

static void prepare_send(struct fixture_faults *self, send_fn fn, size_t len)
{
	pattern_fill(self->buf, len, self->sent);
	if (fn == by_sendfile) {
		ASSERT_EQ(pwrite(fileno(self->file), self->buf, len,
				 self->sent), len);
	} else if (fn == by_splice) {
		char drain[4096];

		while (read(self->pipe_in[0], drain, sizeof(drain)) > 0)
			;
		ASSERT_GE(write(self->pipe_in[1], self->buf, len), 1);
	}
}

static void sweep_send(struct fixture_faults *self, send_fn fn, size_t len)
{
	bool struck;
	int n = 0;

	do {
		ssize_t ret;

		prepare_send(self, fn, len);
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		ret = fn(self, len);
		struck = nth_struck(self_tid());
		if (ret > 0)
			self->sent += ret;
		settle(self);
		self->struck += struck;
	} while (sweep_goes_on(n, struck));
	EXPECT_GE(n, 2);
	harness_note("%zu bytes: %d faults, %d connections broken", len, n,
		     self->broken);
}

TEST_F_TIMEOUT(faults, write, 300)
{
	sweep_send(self, by_write, 100);
	sweep_send(self, by_write, 40000);
}

TEST_F_TIMEOUT(faults, more, 300)
{
	sweep_send(self, by_more, 1000);
}

TEST_F_TIMEOUT(faults, sendfile, 300)
{
	sweep_send(self, by_sendfile, 20000);
}

TEST_F_TIMEOUT(faults, splice_in, 300)
{
	sweep_send(self, by_splice, 20000);
}

/* ---- receiving ---- */

static ssize_t take_read(struct fixture_faults *self)
{
	return read(self->pair.server, self->buf, sizeof(self->buf));
}

static ssize_t take_waitall(struct fixture_faults *self)
{
	return recv(self->pair.server, self->buf, self->sent - self->received,
		    MSG_WAITALL);
}

/* Shows without taking; what it shows must be right. */
static ssize_t take_peek(struct fixture_faults *self)
{
	ssize_t n = recv(self->pair.server, self->buf, sizeof(self->buf),
			 MSG_PEEK);

	if (n > 0)
		EXPECT_TRUE(pattern_ok(self->buf, n, self->received));
	return 0;
}

static ssize_t take_splice(struct fixture_faults *self)
{
	ssize_t n = splice(self->pair.server, NULL, self->pipe_out[1], NULL,
			   sizeof(self->buf), 0);

	return n > 0 ? read(self->pipe_out[0], self->buf, n) : n;
}

/* The module's worker may have opened the first record, but never the second. */
static ssize_t take_poll(struct fixture_faults *self)
{
	int all = self->sent - self->received, n;

	ASSERT_EQ(setsockopt(self->pair.server, SOL_SOCKET, SO_RCVLOWAT, &all,
			     sizeof(all)), 0);
	ioctl(self->pair.server, FIONREAD, &n);
	/* a wake-up that memory delays comes all the same */
	EXPECT_NE(poll_for(self->pair.server, POLLIN, 15000), 0);
	return 0;
}

static void sweep_receive(struct fixture_faults *self,
			  ssize_t (*fn)(struct fixture_faults *self),
			  size_t len)
{
	bool struck;
	int n = 0;

	do {
		ssize_t ret;

		pattern_fill(self->buf, len, self->sent);
		ASSERT_EQ(write(self->pair.client, self->buf, len), len);
		self->sent += len;
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		ret = fn(self);
		struck = nth_struck(self_tid());
		took(self, self->buf, ret);
		settle(self);
	} while (sweep_goes_on(n, struck));
	harness_note("%d faults, %d connections broken", n, self->broken);
	EXPECT_GE(n, 2);
}

TEST_F_TIMEOUT(faults, read, 300)
{
	sweep_receive(self, take_read, 40000);
}

TEST_F_TIMEOUT(faults, read_all_of_it, 300)
{
	sweep_receive(self, take_waitall, 50000);
}

TEST_F_TIMEOUT(faults, peek, 300)
{
	sweep_receive(self, take_peek, 30000);
}

TEST_F_TIMEOUT(faults, splice_out, 300)
{
	sweep_receive(self, take_splice, 20000);
}

TEST_F_TIMEOUT(faults, poll, 300)
{
	sweep_receive(self, take_poll, 20000);
}

/* ---- the beginning and the end of a connection ---- */

/* Returns whether both ends could start; their own ends are waited for. */
static bool handshake_within(const struct pair *pair)
{
	set_nonblocking(pair->server, true);
	set_nonblocking(pair->client, true);
	if (tls_start(pair->server, SOCKTLS_SERVER, 15000) &&
	    errno != EINPROGRESS)
		return false;
	if (tls_start(pair->client, SOCKTLS_CLIENT, 15000) &&
	    errno != EINPROGRESS)
		return false;
	poll_for(pair->client, POLLOUT, 20000);
	poll_for(pair->server, POLLOUT, 20000);
	set_nonblocking(pair->server, false);
	set_nonblocking(pair->client, false);
	return true;
}

/* Established and usable, or failed for a reason other than a deadline. */
static bool came_to_an_end(const struct pair *pair)
{
	struct socktls_error error;
	int fds[2] = { pair->client, pair->server }, i;
	bool good = true;

	for (i = 0; i < 2; i++) {
		int state = tls_state(fds[i]);

		tls_error(fds[i], &error);
		EXPECT_NE(state, SOCKTLS_STATE_HANDSHAKING);
		EXPECT_NE(error.error, ETIMEDOUT);
		good = good && state == SOCKTLS_STATE_ESTABLISHED;
	}
	return good;
}

static void prepare_pair(struct pair *pair)
{
	tcp_pair(AF_INET, &pair->client, &pair->server);
	tls_prepare_client(pair->client);
	tls_prepare_server(pair->server, "server-ecdsa");
}

static void close_pair(const struct pair *pair)
{
	ASSERT_EQ(close(pair->client), 0);
	ASSERT_EQ(close(pair->server), 0);
}

/* Every option, in the task that sets it: tried again, it works. */
TEST_F_TIMEOUT(faults, options_and_start, 300)
{
	long before = socktls_objects_settle(0);
	bool struck;
	int n = 0;

	do {
		struct pair pair;
		bool started = false;
		int errors = 0;

		tcp_pair(AF_INET, &pair.client, &pair.server);
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		errors += tls_attach(pair.client) < 0;
		errors += tls_attach(pair.server) < 0;
		errors += tls_set_text(pair.client, SOCKTLS_SERVER_NAME,
				       "localhost") < 0;
		errors += tls_set_text(pair.client, SOCKTLS_TRUST, "ca") < 0;
		errors += tls_set_text(pair.server, SOCKTLS_IDENTITY,
				       "server-ecdsa") < 0;
		if (!errors)
			started = handshake_within(&pair);
		struck = nth_struck(self_tid());
		if (!started)
			EXPECT_TRUE(struck);
		else if (came_to_an_end(&pair))
			expect_ping(pair.client, pair.server);
		close_pair(&pair);
	} while (sweep_goes_on(n, struck));
	harness_note("%d faults", n);
	EXPECT_EQ(socktls_objects_settle(before), before);
}

#define TASKS_MAX	64

/* The kernel's unbound workers, which do a connection's deferred work. */
static int kworkers(pid_t *tids, int max)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[300], name[32];
	int n = 0;

	ASSERT_NE(proc, NULL);
	while ((entry = readdir(proc)) && n < max) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = atoi(entry->d_name) ? fopen(path, "r") : NULL;
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) &&
		    !strncmp(name, "kworker/", 8))
			tids[n++] = atoi(entry->d_name);
		fclose(file);
	}
	closedir(proc);
	return n;
}

static void sweep_handshake(pid_t helper)
{
	long before = socktls_objects_settle(0);
	int n = 0, good = 0, i, tasks;
	pid_t tids[TASKS_MAX];
	bool struck;

	do {
		struct pair pair;

		prepare_pair(&pair);
		tasks = 1;
		tids[0] = helper;
		if (!helper)
			tasks = kworkers(tids, TASKS_MAX);
		n++;
		for (i = 0; i < tasks; i++)
			nth_set(tids[i], n);
		ASSERT_TRUE(handshake_within(&pair));
		struck = false;
		for (i = 0; i < tasks; i++)
			struck |= nth_struck(tids[i]);
		if (came_to_an_end(&pair)) {
			expect_ping(pair.client, pair.server);
			good++;
		}
		close_pair(&pair);
	} while (sweep_goes_on(n, struck));
	harness_note("%d faults, %d handshakes succeeded", n, good);
	EXPECT_EQ(socktls_objects_settle(before), before);
}

TEST_F_TIMEOUT(faults, deferred_work_of_a_handshake, 600)
{
	sweep_handshake(0);
}

TEST_F_TIMEOUT(faults, helper_of_a_handshake, 600)
{
	pid_t helper;

	netns_new();
	helper = helper_start();
	sweep_handshake(helper);
	/* it has survived all of it */
	EXPECT_EQ(waitpid(helper, NULL, WNOHANG), 0);
}

TEST_F_TIMEOUT(faults, accept, 300)
{
	int listener = tcp_listen(AF_INET), n = 0;
	bool struck;

	tls_prepare_server(listener, "server-ecdsa");
	ASSERT_EQ(tls_start(listener, SOCKTLS_SERVER, 15000), 0);
	do {
		struct pair pair;

		pair.client = tcp_connect(AF_INET, listener);
		tls_prepare_client(pair.client);
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		pair.server = accept(listener, NULL, NULL);
		struck = nth_struck(self_tid());
		if (pair.server >= 0) {
			/* never a plain socket */
			EXPECT_NE(tls_state(pair.server), SOCKTLS_STATE_PLAIN);
			tls_start(pair.client, SOCKTLS_CLIENT, 15000);
			poll_for(pair.server, POLLOUT, 20000);
			if (came_to_an_end(&pair))
				expect_ping(pair.client, pair.server);
			close(pair.server);
		}
		close(pair.client);
	} while (sweep_goes_on(n, struck));
	harness_note("%d faults", n);
}

/* The peer never takes a cut off stream for a whole one. */
static void sweep_end(int (*end)(int fd))
{
	bool struck;
	int n = 0;

	do {
		struct pair pair;
		char buf[8];
		ssize_t got;

		tls_pair(AF_INET, &pair);
		ASSERT_EQ(send(pair.client, "open", 4, MSG_MORE), 4);
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		end(pair.client);
		struck = nth_struck(self_tid());
		got = read(pair.server, buf, sizeof(buf));
		if (got == 4)
			got = read(pair.server, buf, sizeof(buf));
		else
			EXPECT_EQ(got, -1);
		EXPECT_LE(got, 0);
		if (got < 0)
			EXPECT_TRUE(struck);
		close(pair.client);
		close(pair.server);
	} while (sweep_goes_on(n, struck));
	harness_note("%d faults", n);
}

static int end_shutdown(int fd)
{
	return shutdown(fd, SHUT_WR);
}

TEST_F_TIMEOUT(faults, shutdown, 300)
{
	sweep_end(end_shutdown);
}

TEST_F_TIMEOUT(faults, close, 300)
{
	sweep_end(close);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
