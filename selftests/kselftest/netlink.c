// SPDX-License-Identifier: MIT
/* What helpers are given and how they are woken: credentials, NEXT, doorbells. */
#include "fake.h"
#include "inject.h"

#include <linux/genetlink.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define CONTAINER_ROOT	100000	/* as the host knows it */
#define OVERFLOW_ID	65534

static struct fake helper, second;
static struct fake_item item;

/* ---- whose uid ---- */

/* A process that is root of a user namespace and a network of its own. */
struct container {
	pid_t	pid;
	int	up[2];		/* from the container */
	int	down[2];	/* to it */
};

static void say(int fd)
{
	ASSERT_EQ(write(fd, "x", 1), 1);
}

static void hear(int fd)
{
	char c;

	ASSERT_EQ(read(fd, &c, 1), 1);
}

static void put_map(pid_t pid, const char *name)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "w");
	ASSERT_NE(file, NULL);
	fprintf(file, "0 %d 1000\n", CONTAINER_ROOT);
	ASSERT_EQ(fclose(file), 0);
}

/* Forks; returns true in the container, its network up. */
static bool container_start(struct container *c)
{
	ASSERT_EQ(pipe(c->up) | pipe(c->down), 0);
	c->pid = fork();
	ASSERT_GE(c->pid, 0);
	if (!c->pid) {
		ASSERT_EQ(unshare(CLONE_NEWUSER), 0);
		say(c->up[1]);
		hear(c->down[0]);
		ASSERT_EQ(setresgid(0, 0, 0) | setresuid(0, 0, 0), 0);
		netns_new();
		say(c->up[1]);
		return true;
	}
	hear(c->up[0]);
	put_map(c->pid, "uid_map");
	put_map(c->pid, "gid_map");
	say(c->down[1]);
	hear(c->up[0]);
	return false;
}

static void container_enter(const struct container *c)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", c->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_EQ(setns(fd, CLONE_NEWNET), 0);
	close(fd);
}

/* A client whose handshake waits for a helper. */
static int start_client(void)
{
	int fd, raw;

	tcp_pair(AF_INET, &fd, &raw);
	ASSERT_EQ(tls_attach(fd), 0);
	set_nonblocking(fd, true);
	ASSERT_ERRNO(tls_start(fd, SOCKTLS_CLIENT, 0), EINPROGRESS);
	return fd;
}

TEST(helper_of_the_host_knows_a_containers_root_as_the_host_does)
{
	struct container c;

	if (container_start(&c)) {
		hear(c.down[0]);
		start_client();
		say(c.up[1]);
		hear(c.down[0]);
		exit(0);
	}
	container_enter(&c);
	fake_open(&helper);
	say(c.down[1]);
	hear(c.up[0]);
	fake_expect(&helper, &item, SOCKTLS_ITEM_HANDSHAKE);
	EXPECT_EQ(item.uid, CONTAINER_ROOT);
	EXPECT_EQ(item.gid, CONTAINER_ROOT);
	EXPECT_EQ(fake_conn_uid(&helper), CONTAINER_ROOT);
	say(c.down[1]);
}

TEST(helper_of_a_container_knows_its_root_as_root)
{
	struct container c;
	int status;

	if (container_start(&c)) {
		fake_open(&helper);
		start_client();
		fake_expect(&helper, &item, SOCKTLS_ITEM_HANDSHAKE);
		EXPECT_EQ(item.uid, 0);
		EXPECT_EQ(item.gid, 0);
		EXPECT_EQ(fake_conn_uid(&helper), 0);
		exit(item.uid || item.gid);
	}
	ASSERT_EQ(waitpid(c.pid, &status, 0), c.pid);
	EXPECT_EQ(status, 0);
}

TEST(helper_of_a_container_has_no_name_for_the_host)
{
	struct container c;
	int status;

	if (container_start(&c)) {
		fake_open(&helper);
		say(c.up[1]);
		fake_expect(&helper, &item, SOCKTLS_ITEM_HANDSHAKE);
		exit(item.uid != OVERFLOW_ID || item.gid != OVERFLOW_ID ||
		     fake_conn_uid(&helper) != OVERFLOW_ID);
	}
	container_enter(&c);
	hear(c.up[0]);
	start_client();
	ASSERT_EQ(waitpid(c.pid, &status, 0), c.pid);
	EXPECT_EQ(status, 0);
}

/* ---- NEXT ---- */

TEST(next_checks_what_it_is_told)
{
	netns_new();
	fake_connect(&helper);
	/* not registered */
	EXPECT_EQ(fake_fetch(&helper), -EPERM);
	EXPECT_NE(helper.said[0], 0);
	fake_open(&second);
	second.buffer = SOCKTLS_BUFFER_MIN - 1;
	EXPECT_EQ(fake_fetch(&second), -EINVAL);
	EXPECT_NE(second.said[0], 0);
	second.buffer = UINT32_MAX;
	EXPECT_EQ(fake_fetch(&second), 0);
}

#define CLIENTS	20
#define PIN	"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

/* Clients of 30,000 bytes each for the helper. */
static void start_long_clients(void)
{
	static char pins[30000];
	size_t len = 0;
	int fd, raw, i;

	while (len + sizeof(PIN) <= sizeof(pins))
		len += sprintf(pins + len, PIN);
	for (i = 0; i < CLIENTS; i++) {
		tcp_pair(AF_INET, &fd, &raw);
		ASSERT_EQ(tls_attach(fd), 0);
		ASSERT_EQ(tls_set(fd, SOCKTLS_TRUST, pins, len), 0);
		set_nonblocking(fd, true);
		ASSERT_ERRNO(tls_start(fd, SOCKTLS_CLIENT, 0), EINPROGRESS);
	}
}

static void expect_clients(void)
{
	uint64_t last = 0;
	int i;

	for (i = 0; i < CLIENTS; i++) {
		fake_expect(&helper, &item, SOCKTLS_ITEM_HANDSHAKE);
		/* each of them, once, in the order in which they came */
		EXPECT_GE(item.id, last + 1);
		EXPECT_EQ(item.role, SOCKTLS_CLIENT);
		last = item.id;
	}
	EXPECT_FALSE(fake_next(&helper, &item, 200));
}

/* In this task no allocation of 2^@order pages and more succeeds. */
static void pages_fail(const char *order)
{
	int fd = open("/proc/self/make-it-fail", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		harness_skip("this kernel has no fault injection");
	ASSERT_EQ(write(fd, "1", 1), 1);
	close(fd);
	inject_knob("fail_page_alloc", "verbose", "0");
	inject_knob("fail_page_alloc", "task-filter", "Y");
	inject_knob("fail_page_alloc", "ignore-gfp-wait", "N");
	inject_knob("fail_page_alloc", "min-order", order);
	inject_knob("fail_page_alloc", "times", "-1");
	inject_knob("fail_page_alloc", "probability", "100");
}

static void pages_are_back(void)
{
	inject_knob("fail_page_alloc", "probability", "0");
	inject_knob("fail_page_alloc", "task-filter", "N");
	inject_knob("fail_page_alloc", "min-order", "0");
}

TEST(next_without_memory_in_one_piece_brings_less_at_a_time)
{
	netns_new();
	fake_open(&helper);
	start_long_clients();
	helper.buffer = 1 << 20;
	/* 64 KiB are to be had */
	pages_fail("5");
	expect_clients();
	pages_are_back();
}

TEST(next_without_memory_for_one_item_loses_nothing)
{
	int i;

	netns_new();
	fake_open(&helper);
	start_long_clients();
	helper.buffer = 1 << 20;
	pages_fail("2");
	for (i = 0; i < 10; i++)
		EXPECT_EQ(fake_fetch(&helper), -ENOMEM);
	pages_are_back();
	expect_clients();
}

/* Unread messages, until the socket takes no more. */
static void fill_up(struct fake *fake)
{
	uint8_t msg[NLMSG_HDRLEN + GENL_HDRLEN + 8] = "";
	struct nlmsghdr *head = (struct nlmsghdr *)msg;
	int size = 4096, i;

	set_int(fake->fd, SOL_SOCKET, SO_RCVBUF, size);
	*head = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN,
		.nlmsg_type = fake->family,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
	};
	for (i = 0; i < 100; i++)
		ASSERT_EQ(send(fake->fd, msg, head->nlmsg_len, 0),
			  head->nlmsg_len);
}

static void send_next(struct fake *fake)
{
	struct {
		struct nlmsghdr head;
		struct genlmsghdr genl;
		struct nlattr attr;
		uint32_t size;
	} msg = {
		.head = {
			.nlmsg_len = sizeof(msg), .nlmsg_type = fake->family,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.genl = { .cmd = SOCKTLS_CMD_NEXT, .version = 1 },
		.attr = { .nla_type = SOCKTLS_A_BUFFER_SIZE, .nla_len = 8 },
		.size = SOCKTLS_BUFFER_MIN,
	};

	ASSERT_EQ(send(fake->fd, &msg, sizeof(msg), 0), sizeof(msg));
}

/* Doorbells, so many perhaps that some were lost: recv() says so once. */
static void drain(struct fake *fake)
{
	char byte;

	while (poll_for(fake->fd, POLLIN, 0))
		recv(fake->fd, &byte, sizeof(byte), MSG_TRUNC);
}

/*
 * One helper asks and asks, and does not take in what it gets; whenever the
 * doorbell is about to ring there is nothing unclaimed.
 */
TEST(next_that_could_not_be_delivered_wakes_another_helper)
{
	long long end;

	netns_new();
	fake_open(&helper);
	fake_open(&second);
	fill_up(&helper);
	start_client();
	end = now_ms() + 3000;
	while (now_ms() < end)
		send_next(&helper);
	drain(&second);
	EXPECT_TRUE(fake_is_rung(&second, 2000));
	fake_expect(&second, &item, SOCKTLS_ITEM_HANDSHAKE);
	EXPECT_EQ(item.role, SOCKTLS_CLIENT);
}

/* ---- who pays ---- */

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

#define CGROUPS	"/run/socktls-cgroups"

/* A cgroup of this process alone, that counts its memory. */
static void cgroup_enter(void)
{
	ASSERT_EQ(unshare(CLONE_NEWNS), 0);
	ASSERT_EQ(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	mkdir(CGROUPS, 0700);
	if (mount("none", CGROUPS, "cgroup2", 0, NULL))
		harness_skip("this kernel has no cgroups");
	if (access(CGROUPS "/cgroup.subtree_control", W_OK))
		harness_skip("no cgroup of one's own");
	put_text(CGROUPS "/cgroup.subtree_control", "+memory");
	mkdir(CGROUPS "/test", 0700);
	put_text(CGROUPS "/test/cgroup.procs", "0");
}

static unsigned long cgroup_kernel_memory(void)
{
	FILE *file = fopen(CGROUPS "/test/memory.stat", "r");
	unsigned long value;
	char word[64];

	ASSERT_NE(file, NULL);
	while (fscanf(file, "%63s %lu", word, &value) == 2)
		if (!strcmp(word, "kernel")) {
			fclose(file);
			return value;
		}
	ASSERT_TRUE(false);
	return 0;
}

TEST(handshakes_are_charged_to_whoever_starts_them)
{
	unsigned long before;
	int fds[100], raw, i;

	netns_new();
	fake_open(&helper);
	for (i = 0; i < 100; i++)
		tcp_pair(AF_INET, &fds[i], &raw);
	cgroup_enter();
	before = cgroup_kernel_memory();
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(tls_attach(fds[i]), 0);
		set_nonblocking(fds[i], true);
		ASSERT_ERRNO(tls_start(fds[i], SOCKTLS_CLIENT, 0), EINPROGRESS);
	}
	/* 16 KiB for the peer's bytes, and the connection */
	EXPECT_GE(cgroup_kernel_memory(), before + 100 * 17000);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
