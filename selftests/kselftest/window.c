// SPDX-License-Identifier: MIT
/*
 * Receive windows: two namespaces joined by a pair of veth devices, with segments
 * as a wire has them. A whole record always gets through.
 */
#include "util.h"

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>

FIXTURE(wire) {
	struct pair	pair;
};

FIXTURE_VARIANT(wire) {
	bool	no_sg;		/* no scatter-gather, so no GSO either */
	bool	no_gso;
	int	maxseg;
	int	rcvbuf, sndbuf;
	bool	late;		/* buffers are set when established */
};

FIXTURE_VARIANT_ADD(wire, no_gso) { .no_gso = true };
FIXTURE_VARIANT_ADD(wire, no_sg_small_buffers) {
	.no_sg = true, .rcvbuf = 4096, .sndbuf = 4096,
};
FIXTURE_VARIANT_ADD(wire, smallest_buffers) { .rcvbuf = 1, .sndbuf = 1 };
FIXTURE_VARIANT_ADD(wire, smallest_rcvbuf_late) { .rcvbuf = 1, .late = true };
FIXTURE_VARIANT_ADD(wire, tiny_segments_small_rcvbuf) {
	.no_gso = true, .maxseg = 88, .rcvbuf = 8192,
};

static void offload(const char *device, int command)
{
	struct ethtool_value value = { .cmd = command };
	struct ifreq ifr = { .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", device);
	ASSERT_EQ(ioctl(fd, SIOCETHTOOL, &ifr), 0);
	close(fd);
}

static void run(const char *format, ...)
{
	char command[256];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	ASSERT_EQ(system(command), 0);
}

static void device_up(const char *device, const char *address,
		      const FIXTURE_VARIANT(wire) *variant)
{
	run("ip addr add %s/24 dev %s && ip link set %s up mtu 1500", address,
	    device, device);
	offload(device, ETHTOOL_SGRO);
	if (variant->no_sg)
		offload(device, ETHTOOL_SSG);
	if (variant->no_gso || variant->no_sg) {
		offload(device, ETHTOOL_STSO);
		offload(device, ETHTOOL_SGSO);
	}
}

static int wire_socket(const FIXTURE_VARIANT(wire) *variant)
{
	int fd = tcp_socket(AF_INET);

	if (variant->maxseg)
		set_int(fd, IPPROTO_TCP, TCP_MAXSEG, variant->maxseg);
	if (variant->rcvbuf && !variant->late)
		set_int(fd, SOL_SOCKET, SO_RCVBUF, variant->rcvbuf);
	if (variant->sndbuf)
		set_int(fd, SOL_SOCKET, SO_SNDBUF, variant->sndbuf);
	return fd;
}

static struct sockaddr_in address(const char *text)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(4433),
	};

	inet_pton(AF_INET, text, &addr.sin_addr);
	return addr;
}

FIXTURE_SETUP(wire)
{
	struct sockaddr_in near = address("10.9.8.1");
	int here, listener;

	netns_new();
	here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	run("ip link add v0 type veth peer name v1");
	helper_start();
	device_up("v0", "10.9.8.1", variant);
	listener = wire_socket(variant);
	ASSERT_EQ(bind(listener, (struct sockaddr *)&near, sizeof(near)), 0);
	ASSERT_EQ(listen(listener, 1), 0);

	netns_new();
	run("nsenter --net=/proc/%d/fd/%d ip link set v1 netns %d", getpid(),
	    here, getpid());
	device_up("v1", "10.9.8.2", variant);
	helper_start();
	self->pair.client = wire_socket(variant);
	ASSERT_EQ(connect(self->pair.client, (struct sockaddr *)&near,
			  sizeof(near)), 0);
	self->pair.server = accept(listener, NULL, NULL);
	ASSERT_GE(self->pair.server, 0);
	tls_prepare_client(self->pair.client);
	tls_prepare_server(self->pair.server, "server-rsa");
	tls_handshake(&self->pair);
	if (variant->late) {
		set_int(self->pair.client, SOL_SOCKET, SO_RCVBUF,
			variant->rcvbuf);
		set_int(self->pair.server, SOL_SOCKET, SO_RCVBUF,
			variant->rcvbuf);
	}
}

/* The reader asks for nothing before the whole record can be there. */
static void late_reader(const struct pair *pair)
{
	struct flow out = {
		.fd = pair->client, .len = 3 * 16384, .chunk = 16384,
		.writing = true,
	};
	char buf[16384];
	int i;

	flow_start(&out);
	for (i = 0; i < 3; i++) {
		sleep_ms(30);
		ASSERT_EQ(poll_for(pair->server, POLLIN, 15000), POLLIN);
		ASSERT_EQ(recv(pair->server, buf, sizeof(buf), MSG_WAITALL),
			  sizeof(buf));
		ASSERT_TRUE(pattern_ok(buf, sizeof(buf), i * 16384));
	}
	EXPECT_TRUE(flow_join(&out));
}

static void both_directions(const struct pair *pair, size_t len)
{
	struct flow flows[4] = {
		{ .fd = pair->client, .writing = true },
		{ .fd = pair->server },
		{ .fd = pair->server, .writing = true },
		{ .fd = pair->client },
	};
	int i;

	for (i = 0; i < 4; i++) {
		flows[i].len = len;
		flow_start(&flows[i]);
	}
	for (i = 0; i < 4; i++)
		EXPECT_TRUE(flow_join(&flows[i]));
}

TEST_F_TIMEOUT(wire, whole_records_get_through, 90)
{
	late_reader(&self->pair);
	both_directions(&self->pair, variant->rcvbuf ? 40000 : 1 << 20);
}

int main(int argc, char **argv)
{
	return harness_main(argc, argv);
}
