// SPDX-License-Identifier: MIT
/*
 * Memory that is not there: the first, second, ... nth allocation, or access to the
 * program's memory, inside the module fails (failslab, fail_page_alloc,
 * fail_usercopy), until a call has none left to fail. Whatever a call returns then,
 * what arrives is a beginning of what was sent, all of it while the connection
 * lives, and nothing is left behind. See Documentation/fault-injection of the kernel.
 */
#include "inject.h"
#include "util.h"

#include <dirent.h>
#include <linux/tls.h>
#include <sys/sendfile.h>

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
	/* memory comes back: no reason to end */
	EXPECT_EQ(self->broken, 0);
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
	sweep_send(self, by_more, 30000);
}

/* From the program's own pages, if all of a record is in a write. */
TEST_F_TIMEOUT(faults, write_of_whole_records, 300)
{
	sweep_send(self, by_write, 16384);
}

/* What an earlier call has left in the open record is not the next one's. */
TEST_F_TIMEOUT(faults, flush_of_an_open_record, 300)
{
	bool struck;
	int n = 0;

	do {
		pattern_fill(self->buf, 6000, self->sent);
		ASSERT_EQ(send(self->pair.client, self->buf, 6000, MSG_MORE),
			  6000);
		self->sent += 6000;
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		send(self->pair.client, "", 0, 0);
		struck = nth_struck(self_tid());
		settle(self);
	} while (sweep_goes_on(n, struck));
	EXPECT_GE(n, 2);
	EXPECT_EQ(self->broken, 0);
	harness_note("%d faults", n);
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
	int n = 0, late = 0;

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
		/* the connection's work may have opened it all before */
		if (!struck && n == 1 && late++ < 20) {
			struck = true;
			n = 0;
		}
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

/* ---- a change of keys: the helper plane ---- */

static void pass_both_ways(struct fixture_faults *self)
{
	pattern_fill(self->buf, 3000, self->sent);
	ASSERT_EQ(write(self->pair.client, self->buf, 3000), 3000);
	self->sent += 3000;
	settle(self);
	expect_ping(self->pair.server, self->pair.client);
}

TEST_F_TIMEOUT(faults, key_update_sent, 300)
{
	bool struck;
	int n = 0;

	do {
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		/* what memory delays is done before the next record */
		if (tls_set_u32(self->pair.client, SOCKTLS_KEY_UPDATE,
				SOCKTLS_KEY_UPDATE_REQUESTED))
			EXPECT_EQ(errno, EFAULT);
		struck = nth_struck(self_tid());
		pass_both_ways(self);
	} while (sweep_goes_on(n, struck));
	EXPECT_GE(n, 2);
	EXPECT_EQ(self->broken, 0);
	harness_note("%d faults", n);
}

/* By whoever writes next: it finds the fault, not the one who asked. */
TEST_F_TIMEOUT(faults, key_update_before_a_write, 300)
{
	bool struck;
	ssize_t ret;
	int n = 0;

	do {
		ASSERT_EQ(tls_set_u32(self->pair.server, SOCKTLS_KEY_UPDATE,
				      SOCKTLS_KEY_UPDATE_REQUESTED), 0);
		/* opens the request; the answer is due before the record */
		recv(self->pair.client, self->buf, 1, MSG_DONTWAIT);
		pattern_fill(self->buf, 3000, self->sent);
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		ret = write(self->pair.client, self->buf, 3000);
		struck = nth_struck(self_tid());
		if (ret > 0)
			self->sent += ret;
		settle(self);
		expect_ping(self->pair.server, self->pair.client);
	} while (sweep_goes_on(n, struck));
	EXPECT_GE(n, 2);
	EXPECT_EQ(self->broken, 0);
	harness_note("%d faults", n);
}

TEST_F_TIMEOUT(faults, key_update_received, 300)
{
	bool struck;
	ssize_t ret;
	int n = 0;

	do {
		ASSERT_EQ(tls_set_u32(self->pair.client, SOCKTLS_KEY_UPDATE,
				      SOCKTLS_KEY_UPDATE_REQUESTED), 0);
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		/* before the connection's work does it */
		ret = recv(self->pair.server, self->buf, 1, MSG_DONTWAIT);
		struck = nth_struck(self_tid());
		EXPECT_EQ(ret, -1);
		pass_both_ways(self);
	} while (sweep_goes_on(n, struck));
	EXPECT_GE(n, 2);
	EXPECT_EQ(self->broken, 0);
	harness_note("%d faults", n);
}

/* ---- and the key plane ---- */

FIXTURE(key) {
	struct pair				pair;
	struct tls12_crypto_info_aes_gcm_128	key;
};

FIXTURE_VARIANT(key) {
	int	opt;	/* whose change of keys has the faults */
};

FIXTURE_VARIANT_ADD(key, tx) { TLS_TX };
FIXTURE_VARIANT_ADD(key, rx) { TLS_RX };

static int set_key(struct fixture_key *self, int opt)
{
	return tls_set(opt == TLS_TX ? self->pair.client : self->pair.server,
		       opt, &self->key, sizeof(self->key));
}

FIXTURE_SETUP(key)
{
	faults_setup();
	tcp_pair(AF_INET, &self->pair.client, &self->pair.server);
	limit_waiting(self->pair.server);
	ASSERT_EQ(tls_attach(self->pair.client), 0);
	ASSERT_EQ(tls_attach(self->pair.server), 0);
	self->key.info.version = TLS_1_3_VERSION;
	self->key.info.cipher_type = TLS_CIPHER_AES_GCM_128;
	ASSERT_EQ(set_key(self, TLS_TX), 0);
	ASSERT_EQ(set_key(self, TLS_RX), 0);
}

/* With faults where the variant says; then it works. Returns whether it struck. */
static bool change_key(struct fixture_key *self, int opt, bool faulty, int n)
{
	bool struck = false;

	if (faulty) {
		int ret;

		ASSERT_TRUE(nth_set(self_tid(), n));
		ret = set_key(self, opt);
		struck = nth_struck(self_tid());
		if (!ret)
			return struck;
		EXPECT_TRUE(struck);
	}
	ASSERT_EQ(set_key(self, opt), 0);
	return struck;
}

/* Under which key a record goes is never in doubt. */
TEST_F_TIMEOUT(key, change, 300)
{
	bool struck;
	char buf[3];
	int n = 0;

	do {
		n++;
		/* a record that is open when the key changes is of the old one */
		ASSERT_EQ(send(self->pair.client, "old", 3, MSG_MORE), 3);
		self->key.key[0]++;
		struck = change_key(self, TLS_TX, variant->opt == TLS_TX, n);
		ASSERT_EQ(write(self->pair.client, "new", 3), 3);
		ASSERT_EQ(read(self->pair.server, buf, 3), 3);
		EXPECT_EQ(memcmp(buf, "old", 3), 0);
		struck |= change_key(self, TLS_RX, variant->opt == TLS_RX, n);
		ASSERT_EQ(read(self->pair.server, buf, 3), 3);
		EXPECT_EQ(memcmp(buf, "new", 3), 0);
	} while (sweep_goes_on(n, struck));
	EXPECT_GE(n, 2);
	harness_note("%d faults", n);
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

/* What was begun arrives, and behind it a close_notify: the end, not a cut. */
static void sweep_end(int (*end)(int fd))
{
	bool struck;
	int n = 0;

	do {
		struct pair pair;
		char buf[8];

		tls_pair(AF_INET, &pair);
		limit_waiting(pair.server);
		ASSERT_EQ(send(pair.client, "open", 4, MSG_MORE), 4);
		ASSERT_TRUE(nth_set(self_tid(), ++n));
		ASSERT_EQ(end(pair.client), 0);
		struck = nth_struck(self_tid());
		EXPECT_EQ(read(pair.server, buf, sizeof(buf)), 4);
		EXPECT_EQ(memcmp(buf, "open", 4), 0);
		EXPECT_EQ(read(pair.server, buf, sizeof(buf)), 0);
		close(pair.client);
		close(pair.server);
	} while (sweep_goes_on(n, struck));
	harness_note("%d faults", n);
	EXPECT_GE(n, 2);
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
