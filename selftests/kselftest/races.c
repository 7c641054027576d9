// SPDX-License-Identifier: MIT
/* Several threads on one socket, owners that sleep, listeners under fire. */
#include "util.h"

#include <linux/userfaultfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

FIXTURE(tls) {
	struct pair	pair;
	int		out, in;
	char		buf[65536];
};

FIXTURE_SETUP(tls)
{
	tls_pair(AF_INET, &self->pair);
	self->out = self->pair.client;
	self->in = self->pair.server;
}

/* ---- readers of one socket ---- */

struct peeker {
	pthread_t	thread;
	int		fd;
	char		buf[16];
	ssize_t		n;
};

static void *peek_run(void *arg)
{
	struct peeker *peeker = arg;

	peeker->n = recv(peeker->fd, peeker->buf, 10, MSG_PEEK | MSG_WAITALL);
	return NULL;
}

/* What it has seen is freed while it waits for more. */
TEST_F(tls, peek_that_waits_survives_another_reader)
{
	struct peeker peeker = { .fd = self->in };

	ASSERT_EQ(write(self->out, "hello", 5), 5);
	wait_for_events(self->in, POLLIN);
	ASSERT_EQ(pthread_create(&peeker.thread, NULL, peek_run, &peeker), 0);
	sleep_ms(200);
	ASSERT_EQ(read(self->in, self->buf, 100), 5);
	ASSERT_EQ(write(self->out, "world", 5), 5);
	pthread_join(peeker.thread, NULL);
	EXPECT_EQ(peeker.n, 5);
	EXPECT_EQ(memcmp(peeker.buf, "hello", 5), 0);
	EXPECT_EQ(read(self->in, self->buf, 100), 5);
	EXPECT_EQ(memcmp(self->buf, "world", 5), 0);
}

struct churn {
	pthread_t	thread;
	int		fd;
	int		flags;
	size_t		got;
};

static void *churn_run(void *arg)
{
	struct churn *churn = arg;
	char buf[3000];
	ssize_t n;

	while ((n = recv(churn->fd, buf, sizeof(buf), churn->flags)) > 0)
		churn->got += n;
	return NULL;
}

TEST_F(tls, peekers_and_readers_share_a_socket)
{
	struct churn churn[4] = {
		{ .flags = 0 }, { .flags = MSG_PEEK },
		{ .flags = MSG_WAITALL },
		{ .flags = MSG_PEEK | MSG_WAITALL },
	};
	size_t sent = 0;
	int i;

	for (i = 0; i < 4; i++) {
		churn[i].fd = self->in;
		ASSERT_EQ(pthread_create(&churn[i].thread, NULL, churn_run,
					 &churn[i]), 0);
	}
	for (i = 0; i < 500; i++) {
		size_t len = i * 131 % 4000 + 1;

		ASSERT_TRUE(write_all(self->out, self->buf, len));
		sent += len;
		if (i % 50 == 0)
			sleep_ms(5);
	}
	ASSERT_EQ(shutdown(self->out, SHUT_WR), 0);
	for (i = 0; i < 4; i++)
		pthread_join(churn[i].thread, NULL);
	EXPECT_EQ(churn[0].got + churn[2].got, sent);
}

static void *close_late(void *arg)
{
	sleep_ms(50);
	close(*(int *)arg);
	return NULL;
}

/* The descriptor goes, the calls inside keep the connection. */
TEST_F(tls, close_by_another_thread_leaves_calls_inside_alone)
{
	struct peeker peeker = { .fd = dup(self->in) };
	pthread_t closer;

	ASSERT_EQ(write(self->out, "hello", 5), 5);
	ASSERT_EQ(pthread_create(&peeker.thread, NULL, peek_run, &peeker), 0);
	ASSERT_EQ(pthread_create(&closer, NULL, close_late, &peeker.fd), 0);
	pthread_join(closer, NULL);
	sleep_ms(50);
	ASSERT_EQ(write(self->out, "world", 5), 5);
	pthread_join(peeker.thread, NULL);
	EXPECT_EQ(peeker.n, 10);
	EXPECT_EQ(read(self->in, self->buf, 100), 10);
}

static void *shutdown_late(void *arg)
{
	sleep_ms(100);
	shutdown(*(int *)arg, SHUT_RDWR);
	return NULL;
}

TEST_F(tls, shutdown_by_another_thread_ends_a_read_and_a_write)
{
	pthread_t stopper;
	ssize_t n;

	ASSERT_EQ(pthread_create(&stopper, NULL, shutdown_late, &self->in), 0);
	EXPECT_EQ(read(self->in, self->buf, 1), 0);
	pthread_join(stopper, NULL);

	tls_pair(AF_INET, &self->pair);
	ASSERT_EQ(pthread_create(&stopper, NULL, shutdown_late,
				 &self->pair.client), 0);
	signal(SIGPIPE, SIG_IGN);
	while ((n = write(self->pair.client, self->buf, sizeof(self->buf))) > 0)
		;
	EXPECT_EQ(errno, EPIPE);
	EXPECT_EQ(n, -1);
	pthread_join(stopper, NULL);
}

struct writer {
	pthread_t	thread;
	int		fd;
	int		flags;
	unsigned char	tag;
	int		error;
};

#define BLOCK	1200

/* Blocks of one letter each; MSG_MORE joins them with others' in a record. */
static void *writer_run(void *arg)
{
	struct writer *writer = arg;
	char block[BLOCK];
	int i;

	memset(block, writer->tag, sizeof(block));
	for (i = 0; i < 150; i++)
		if (send(writer->fd, block, sizeof(block), writer->flags) !=
		    sizeof(block))
			writer->error = errno ? : -1;
	return NULL;
}

TEST_F(tls, many_writers_with_and_without_more_lose_nothing)
{
	struct writer writers[12];
	unsigned int counts[12] = { 0 }, total = 0, i;

	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		writers[i] = (struct writer){
			.fd = self->out, .tag = 'a' + i,
			.flags = i % 2 ? MSG_MORE : 0,
		};
		ASSERT_EQ(pthread_create(&writers[i].thread, NULL, writer_run,
					 &writers[i]), 0);
	}
	while (total < ARRAY_SIZE(writers) * 150 * BLOCK) {
		ssize_t n = read(self->in, self->buf, sizeof(self->buf)), k;

		ASSERT_GE(n, 1);
		for (k = 0; k < n; k++)
			counts[(self->buf[k] - 'a') % 12]++;
		total += n;
	}
	for (i = 0; i < ARRAY_SIZE(writers); i++) {
		pthread_join(writers[i].thread, NULL);
		EXPECT_EQ(writers[i].error, 0);
		EXPECT_EQ(counts[i], 150 * BLOCK);
	}
}

/* ---- a handshake that cannot start, under a reader ---- */

struct plain_reader {
	pthread_t	thread;
	int		fd;
	size_t		got;
	bool		bad;
};

static void *plain_run(void *arg)
{
	struct plain_reader *reader = arg;
	char buf[512];
	ssize_t n;

	while ((n = read(reader->fd, buf, sizeof(buf))) > 0) {
		if (!pattern_ok(buf, n, reader->got))
			reader->bad = true;
		reader->got += n;
	}
	return NULL;
}

/* No helper: the start fails, or is refused while the reader is inside. */
TEST(starts_that_fail_leave_plain_readers_alone)
{
	struct plain_reader reader;
	struct pair pair;
	char buf[512];
	size_t sent = 0;
	int i;

	netns_new();
	tcp_pair(AF_INET, &pair.client, &pair.server);
	tls_prepare_server(pair.server, "server-ecdsa");
	reader = (struct plain_reader){ .fd = pair.server };
	ASSERT_EQ(pthread_create(&reader.thread, NULL, plain_run, &reader), 0);
	for (i = 0; i < 400; i++) {
		pattern_fill(buf, sizeof(buf), sent);
		ASSERT_EQ(write(pair.client, buf, sizeof(buf)), sizeof(buf));
		sent += sizeof(buf);
		EXPECT_EQ(tls_start(pair.server, SOCKTLS_SERVER, 0), -1);
		EXPECT_TRUE(errno == ESRCH || errno == EBUSY);
	}
	ASSERT_EQ(shutdown(pair.client, SHUT_WR), 0);
	pthread_join(reader.thread, NULL);
	EXPECT_EQ(reader.got, sent);
	EXPECT_FALSE(reader.bad);
}

/* ---- a listener that gets the ULP while connections arrive ---- */

struct caller {
	pthread_t	thread;
	struct sockaddr_in addr;
	atomic_bool	stop;
	atomic_int	made;
};

static void *caller_run(void *arg)
{
	struct caller *caller = arg;

	while (!atomic_load(&caller->stop)) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (connect(fd, (struct sockaddr *)&caller->addr,
			    sizeof(caller->addr)) == 0)
			atomic_fetch_add(&caller->made, 1);
		close(fd);
	}
	return NULL;
}

TEST_TIMEOUT(listener_is_attached_and_closed_while_connections_arrive, 60)
{
	long before = socktls_objects_settle(0);
	struct caller callers[2] = { 0 };
	socklen_t len = sizeof(callers[0].addr);
	int round, i;

	for (round = 0; round < 60; round++) {
		int fd = tcp_listen(AF_INET), child;

		for (i = 0; i < 2; i++) {
			atomic_store(&callers[i].stop, false);
			ASSERT_EQ(getsockname(fd, (struct sockaddr *)
					      &callers[i].addr, &len), 0);
			ASSERT_EQ(pthread_create(&callers[i].thread, NULL,
						 caller_run, &callers[i]), 0);
		}
		sleep_ms(round % 7);
		ASSERT_EQ(tls_attach(fd), 0);
		for (i = 0; i < 3; i++) {
			child = accept(fd, NULL, NULL);
			ASSERT_GE(child, 0);
			EXPECT_ERRNO(tls_attach(child), EEXIST);
			close(child);
		}
		close(fd);
		for (i = 0; i < 2; i++) {
			atomic_store(&callers[i].stop, true);
			pthread_join(callers[i].thread, NULL);
		}
	}
	EXPECT_EQ(socktls_objects_settle(before), before);
}

/* ---- owners that sleep in a page fault ---- */

#define SLEEPERS	560	/* more than a workqueue has workers */

struct sleeper {
	pthread_t	thread;
	int		fd;
	void		*memory;
};

/* Holds the socket's lock for as long as nobody serves the fault. */
static void *sleeper_run(void *arg)
{
	struct sleeper *sleeper = arg;

	setsockopt(sleeper->fd, SOL_TLS, SOCKTLS_EOF, sleeper->memory, 4);
	return NULL;
}

static void *unserved_memory(int *uffd)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (*uffd < 0)
		harness_skip("this kernel has no userfaultfd");
	ASSERT_NE(memory, MAP_FAILED);
	ASSERT_EQ(ioctl(*uffd, UFFDIO_API, &api), 0);
	reg.range.start = (uintptr_t)memory;
	reg.range.len = 4096;
	ASSERT_EQ(ioctl(*uffd, UFFDIO_REGISTER, &reg), 0);
	return memory;
}

TEST_TIMEOUT(owners_that_sleep_do_not_hold_up_other_connections, 90)
{
	static struct sleeper sleepers[SLEEPERS];
	struct rlimit limit = { 4096, 4096 };
	pthread_attr_t attr;
	struct pair pair;
	int uffd, i, peer;
	void *memory = unserved_memory(&uffd);

	ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
	pthread_attr_init(&attr);
	ASSERT_EQ(pthread_attr_setstacksize(&attr, 256 * 1024), 0);
	for (i = 0; i < SLEEPERS; i++) {
		tcp_pair(AF_INET, &sleepers[i].fd, &peer);
		tls_prepare_client(sleepers[i].fd);
		set_nonblocking(sleepers[i].fd, true);
		sleepers[i].memory = memory;
		ASSERT_ERRNO(tls_start(sleepers[i].fd, SOCKTLS_CLIENT, 60000),
			     EINPROGRESS);
		ASSERT_EQ(pthread_create(&sleepers[i].thread, &attr,
					 sleeper_run, &sleepers[i]), 0);
	}
	/* the replies for them have come, or come now */
	tls_pair(AF_INET, &pair);
	expect_ping(pair.client, pair.server);
	/* the end of the process serves the faults */
	close(uffd);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
