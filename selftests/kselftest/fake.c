// SPDX-License-Identifier: MIT
/* A helper that installs the test's keys; see fake.h. Netlink by hand. */
#include "fake.h"

#include <linux/genetlink.h>
#include <linux/tls.h>

#define ATTRS_AT	(NLMSG_HDRLEN + GENL_HDRLEN)

static void put(uint8_t *msg, size_t *len, uint16_t type, const void *data,
		size_t n)
{
	struct nlattr *attr = (struct nlattr *)(msg + *len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + n;
	if (n)
		memcpy(msg + *len + NLA_HDRLEN, data, n);
	memset(msg + *len + NLA_HDRLEN + n, 0, NLA_ALIGN(n) - n);
	*len += NLA_HDRLEN + NLA_ALIGN(n);
}

static struct nlattr *attr_next(uint8_t *start, size_t len, struct nlattr *at)
{
	at = at ? (void *)((uint8_t *)at + NLA_ALIGN(at->nla_len)) :
		  (void *)start;
	return (uint8_t *)at + NLA_HDRLEN <= start + len ? at : NULL;
}

/* The words of an acknowledgement. */
static int take_error(struct fake *fake, struct nlmsghdr *head)
{
	struct nlmsgerr *err = NLMSG_DATA(head);
	uint8_t *start = (uint8_t *)(err + 1);
	struct nlattr *at = NULL;

	if (!(head->nlmsg_flags & NLM_F_ACK_TLVS))
		return err->error;
	if (!(head->nlmsg_flags & NLM_F_CAPPED))
		start += err->msg.nlmsg_len - NLMSG_HDRLEN;
	while ((at = attr_next(start, (uint8_t *)head + head->nlmsg_len - start,
			       at)))
		if (at->nla_type == NLMSGERR_ATTR_MSG)
			snprintf(fake->said, sizeof(fake->said), "%s",
				 (char *)at + NLA_HDRLEN);
	return err->error;
}

static void send_request(struct fake *fake, uint16_t family, uint8_t cmd,
			 uint16_t flags, uint8_t *msg, size_t len)
{
	struct nlmsghdr *head = (struct nlmsghdr *)msg;
	struct genlmsghdr *genl = NLMSG_DATA(head);

	*head = (struct nlmsghdr){
		.nlmsg_len = len, .nlmsg_type = family,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = ++fake->seq,
	};
	*genl = (struct genlmsghdr){ .cmd = cmd, .version = 1 };
	ASSERT_EQ(send(fake->fd, msg, len, 0), len);
}

/* Sends a request; what comes back until the ack goes to @answer. */
static int transact(struct fake *fake, uint16_t family, uint8_t cmd,
		    uint8_t *msg, size_t len, uint8_t *answer, size_t *size)
{
	static uint8_t buf[1 << 20];
	struct nlmsghdr *head;

	send_request(fake, family, cmd, NLM_F_ACK, msg, len);
	fake->said[0] = '\0';
	for (;;) {
		ssize_t n = recv(fake->fd, buf, sizeof(buf), 0);

		ASSERT_GE(n, (ssize_t)NLMSG_HDRLEN);
		head = (struct nlmsghdr *)buf;
		if (head->nlmsg_seq != fake->seq)
			continue;	/* a doorbell */
		if (head->nlmsg_type == NLMSG_ERROR)
			return take_error(fake, head);
		if (answer) {
			ASSERT_LE((size_t)n, *size);
			memcpy(answer, buf, n);
			*size = n;
		}
	}
}

static uint16_t resolve(struct fake *fake)
{
	static uint8_t msg[1024], answer[16384];
	size_t len = ATTRS_AT, size = sizeof(answer);
	struct nlattr *at = NULL;

	put(msg, &len, CTRL_ATTR_FAMILY_NAME, SOCKTLS_GENL_NAME,
	    sizeof(SOCKTLS_GENL_NAME));
	ASSERT_EQ(transact(fake, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, msg, len,
			   answer, &size), 0);
	while ((at = attr_next(answer + ATTRS_AT, size - ATTRS_AT, at)))
		if (at->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)((uint8_t *)at + NLA_HDRLEN);
	ASSERT_TRUE(false);
	return 0;
}

void fake_connect(struct fake *fake)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int one = 1, size = 4 << 20;

	fake->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	ASSERT_GE(fake->fd, 0);
	ASSERT_EQ(connect(fake->fd, (struct sockaddr *)&kernel,
			  sizeof(kernel)), 0);
	setsockopt(fake->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fake->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fake->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fake->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	fake->seq = 0;
	fake->buffer = SOCKTLS_BUFFER_MIN;
	fake->family = resolve(fake);
}

void fake_open(struct fake *fake)
{
	uint8_t msg[64];

	fake_connect(fake);
	ASSERT_EQ(transact(fake, fake->family, SOCKTLS_CMD_REGISTER, msg,
			   ATTRS_AT, NULL, NULL), 0);
}

void fake_close(struct fake *fake)
{
	close(fake->fd);
}

static size_t take(const struct nlattr *at, void *to, size_t size)
{
	size_t n = at->nla_len - NLA_HDRLEN;

	ASSERT_LE(n, size);
	memcpy(to, (const uint8_t *)at + NLA_HDRLEN, n);
	return n;
}

static uint32_t take_u32(const struct nlattr *at)
{
	uint32_t value = 0;

	take(at, &value, sizeof(value));
	return value;
}

static void decode(struct nlattr *nest, struct fake_item *item)
{
	uint8_t *start = (uint8_t *)nest + NLA_HDRLEN;
	struct nlattr *at = NULL;

	memset(item, 0, sizeof(*item));
	item->alert = item->role = -1;
	while ((at = attr_next(start, nest->nla_len - NLA_HDRLEN, at))) {
		switch (at->nla_type) {
		case SOCKTLS_A_ITEM_KIND: item->kind = take_u32(at); break;
		case SOCKTLS_A_ITEM_ID: take(at, &item->id, 8); break;
		case SOCKTLS_A_ITEM_UID: item->uid = take_u32(at); break;
		case SOCKTLS_A_ITEM_GID: item->gid = take_u32(at); break;
		case SOCKTLS_A_ITEM_ROLE: item->role = take_u32(at); break;
		case SOCKTLS_A_ITEM_LEVEL: item->level = take_u32(at); break;
		case SOCKTLS_A_ITEM_CONTENT_TYPE:
			item->content_type = take_u32(at);
			break;
		case SOCKTLS_A_ITEM_REASON: item->reason = take_u32(at); break;
		case SOCKTLS_A_ITEM_ALERT: item->alert = take_u32(at); break;
		case SOCKTLS_A_ITEM_LENGTH: item->length = take_u32(at); break;
		case SOCKTLS_A_ITEM_CONNECTION:
			take(at, &item->connection, 8);
			break;
		case SOCKTLS_A_ITEM_LABEL:
			take(at, item->label, sizeof(item->label));
			break;
		case SOCKTLS_A_ITEM_POLICY:
			take(at, item->policy, sizeof(item->policy));
			break;
		case SOCKTLS_A_ITEM_ALPN:
			item->alpn_len = take(at, item->alpn,
					      sizeof(item->alpn));
			break;
		case SOCKTLS_A_ITEM_CONTEXT:
			item->has_context = true;
			item->context_len = take(at, item->context,
						 sizeof(item->context));
			break;
		case SOCKTLS_A_ITEM_COOKIE:
			item->cookie_len = take(at, item->cookie,
						sizeof(item->cookie));
			break;
		case SOCKTLS_A_ITEM_BYTES:
			item->len = take(at, item->bytes, sizeof(item->bytes));
			break;
		}
	}
}

/* What the last NEXT brought. */
static struct fake_item queue[64];
static unsigned int queue_first, queue_count;

int fake_fetch(struct fake *fake)
{
	static uint8_t answer[1 << 20];
	size_t len = ATTRS_AT, size = sizeof(answer);
	struct nlattr *at = NULL;
	uint8_t msg[64];
	int err;

	queue_first = queue_count = 0;
	put(msg, &len, SOCKTLS_A_BUFFER_SIZE, &fake->buffer,
	    sizeof(fake->buffer));
	err = transact(fake, fake->family, SOCKTLS_CMD_NEXT, msg, len, answer,
		       &size);
	if (err)
		return err;
	while ((at = attr_next(answer + ATTRS_AT, size - ATTRS_AT, at))) {
		if ((at->nla_type & NLA_TYPE_MASK) != SOCKTLS_A_ITEM)
			continue;
		ASSERT_LE(queue_count + 1, ARRAY_SIZE(queue));
		decode(at, &queue[queue_count++]);
	}
	return 0;
}

/* One at a time: what does not fit in the buffer comes later. */
static bool next_one(struct fake *fake, struct fake_item *item)
{
	if (queue_first == queue_count)
		ASSERT_EQ(fake_fetch(fake), 0);
	if (queue_first == queue_count)
		return false;
	*item = queue[queue_first++];
	return true;
}

bool fake_is_rung(struct fake *fake, int ms)
{
	struct nlmsghdr head;

	return poll_for(fake->fd, POLLIN, ms) &&
	       recv(fake->fd, &head, sizeof(head), MSG_TRUNC) > 0;
}

uint32_t fake_conn_uid(struct fake *fake)
{
	uint8_t msg[64], buf[32768];
	struct nlattr *nest, *at = NULL;
	ssize_t n;

	send_request(fake, fake->family, SOCKTLS_CMD_CONN_GET, NLM_F_DUMP, msg,
		     ATTRS_AT);
	n = recv(fake->fd, buf, sizeof(buf), 0);
	ASSERT_GE(n, (ssize_t)ATTRS_AT + NLA_HDRLEN);
	ASSERT_EQ(((struct nlmsghdr *)buf)->nlmsg_type, fake->family);
	nest = (struct nlattr *)(buf + ATTRS_AT);
	while ((at = attr_next((uint8_t *)nest + NLA_HDRLEN,
			       nest->nla_len - NLA_HDRLEN, at)))
		if (at->nla_type == SOCKTLS_A_CONN_UID)
			return take_u32(at);
	ASSERT_TRUE(false);
	return 0;
}

bool fake_next(struct fake *fake, struct fake_item *item, int ms)
{
	long long end = now_ms() + ms;

	while (!next_one(fake, item)) {
		if (now_ms() >= end)
			return false;
		sleep_ms(5);
	}
	return true;
}

void fake_expect(struct fake *fake, struct fake_item *item, uint32_t kind)
{
	ASSERT_TRUE(fake_next(fake, item, 10000));
	ASSERT_EQ(item->kind, kind);
}

/* ---- replies ---- */

void reply_init(struct reply *reply, uint64_t id)
{
	reply->id = id;
	reply->len = ATTRS_AT;
	reply->nest = 0;
}

static void reply_close(struct reply *reply)
{
	if (reply->nest)
		((struct nlattr *)(reply->bytes + reply->nest))->nla_len =
			reply->len - reply->nest;
	reply->nest = 0;
}

void reply_bytes(struct reply *reply, uint16_t attr, const void *bytes,
		 size_t len)
{
	put(reply->bytes, &reply->len, attr, bytes, len);
}

void reply_u32(struct reply *reply, uint16_t attr, uint32_t value)
{
	reply_bytes(reply, attr, &value, sizeof(value));
}

void reply_action(struct reply *reply, uint32_t kind)
{
	reply_close(reply);
	reply->nest = reply->len;
	put(reply->bytes, &reply->len, SOCKTLS_A_ACTION | NLA_F_NESTED, NULL,
	    0);
	reply_bytes(reply, SOCKTLS_A_ACTION_ID, &reply->id, sizeof(reply->id));
	reply_u32(reply, SOCKTLS_A_ACTION_KIND, kind);
}

void reply_send(struct reply *reply, uint8_t type, const void *bytes,
		size_t len, bool lazy)
{
	reply_action(reply, SOCKTLS_ACTION_SEND);
	reply_u32(reply, SOCKTLS_A_ACTION_CONTENT_TYPE, type);
	reply_bytes(reply, SOCKTLS_A_ACTION_BYTES, bytes, len);
	if (lazy)
		reply_bytes(reply, SOCKTLS_A_ACTION_LAZY, NULL, 0);
}

void reply_version(struct reply *reply, uint16_t version)
{
	reply_action(reply, SOCKTLS_ACTION_VERSION);
	reply_u32(reply, SOCKTLS_A_ACTION_VERSION, version);
}

void reply_key(struct reply *reply, enum socktls_direction direction,
	       enum socktls_level level, const struct wire *wire)
{
	bool is_12 = wire->version == 0x0303;

	reply_action(reply, SOCKTLS_ACTION_KEY);
	reply_u32(reply, SOCKTLS_A_ACTION_DIRECTION, direction);
	reply_u32(reply, SOCKTLS_A_ACTION_LEVEL, level);
	reply_u32(reply, SOCKTLS_A_ACTION_CIPHER, TLS_CIPHER_AES_GCM_128);
	reply_bytes(reply, SOCKTLS_A_ACTION_KEY, wire->key, sizeof(wire->key));
	reply_bytes(reply, SOCKTLS_A_ACTION_IV, wire->iv, is_12 ? 4 : 12);
	if (wire->seq)
		reply_bytes(reply, SOCKTLS_A_ACTION_SEQUENCE, &wire->seq,
			    sizeof(wire->seq));
	if (!is_12 && level == SOCKTLS_LEVEL_APPLICATION)
		reply_bytes(reply, SOCKTLS_A_ACTION_TRAFFIC_SECRET,
			    wire->secret, sizeof(wire->secret));
}

void reply_limit(struct reply *reply, enum socktls_direction direction,
		 uint32_t limit)
{
	reply_action(reply, SOCKTLS_ACTION_LIMIT);
	reply_u32(reply, SOCKTLS_A_ACTION_DIRECTION, direction);
	reply_u32(reply, SOCKTLS_A_ACTION_LIMIT, limit);
}

void reply_skip(struct reply *reply, uint32_t mode, uint32_t limit)
{
	reply_action(reply, SOCKTLS_ACTION_SKIP_EARLY);
	reply_u32(reply, SOCKTLS_A_ACTION_MODE, mode);
	reply_u32(reply, SOCKTLS_A_ACTION_LIMIT, limit);
}

void reply_done(struct reply *reply, uint16_t version, uint32_t flags,
		const void *cookie, size_t cookie_len)
{
	reply_action(reply, SOCKTLS_ACTION_DONE);
	reply_u32(reply, SOCKTLS_A_ACTION_VERSION, version);
	reply_u32(reply, SOCKTLS_A_ACTION_SUITE,
		  version == 0x0304 ? 0x1301 : 0xc02b);
	reply_u32(reply, SOCKTLS_A_ACTION_FLAGS, flags);
	if (cookie_len)
		reply_bytes(reply, SOCKTLS_A_ACTION_COOKIE, cookie, cookie_len);
}

int fake_reply(struct fake *fake, struct reply *reply)
{
	reply_close(reply);
	return transact(fake, fake->family, SOCKTLS_CMD_REPLY, reply->bytes,
			reply->len, NULL, NULL);
}

/* ---- a connection ---- */

void rig_begin(struct rig *rig, uint32_t role, struct fake_item *item)
{
	netns_new();
	fake_open(&rig->helper);
	tcp_pair(AF_INET, &rig->fd, &rig->raw);
	rig->out = rig->in = (struct wire){ .fd = rig->raw };
	ASSERT_EQ(tls_attach(rig->fd), 0);
	set_nonblocking(rig->fd, true);
	ASSERT_ERRNO(tls_start(rig->fd, role, 0), EINPROGRESS);
	set_nonblocking(rig->fd, false);
	if (role == SOCKTLS_SERVER)
		wire_write(&rig->out, TYPE_HANDSHAKE, "\1\0\0\1x", 5);
	fake_expect(&rig->helper, item, SOCKTLS_ITEM_HANDSHAKE);
	EXPECT_EQ(item->role, role);
	rig->id = item->id;
	reply_init(&rig->reply, rig->id);
}

/* Only the reply to it may bring the key (CVE-2014-0224). */
static void rig_change_cipher_spec(struct rig *rig)
{
	static struct fake_item item;
	struct wire plain = { .fd = rig->raw };

	ASSERT_EQ(fake_reply(&rig->helper, &rig->reply), 0);
	wire_write(&plain, TYPE_CCS, "\1", 1);
	fake_expect(&rig->helper, &item, SOCKTLS_ITEM_HANDSHAKE);
	EXPECT_EQ(item.content_type, TYPE_CCS);
	reply_init(&rig->reply, rig->id);
}

void rig_finish(struct rig *rig, uint16_t version, uint32_t flags,
		const void *cookie, size_t cookie_len)
{
	wire_key(&rig->out, version, 1);
	wire_key(&rig->in, version, 2);
	rig->out.seq = rig->in.seq = rig->first_seq;
	reply_version(&rig->reply, version);
	if (version == 0x0303)
		rig_change_cipher_spec(rig);
	reply_key(&rig->reply, SOCKTLS_DIRECTION_TX, SOCKTLS_LEVEL_APPLICATION,
		  &rig->in);
	reply_key(&rig->reply, SOCKTLS_DIRECTION_RX, SOCKTLS_LEVEL_APPLICATION,
		  &rig->out);
	reply_done(&rig->reply, version, flags, cookie, cookie_len);
	ASSERT_EQ(fake_reply(&rig->helper, &rig->reply), 0);
	wait_for_events(rig->fd, POLLOUT);
	ASSERT_EQ(tls_state(rig->fd), SOCKTLS_STATE_ESTABLISHED);
}

void rig_up(struct rig *rig, uint32_t role, uint16_t version)
{
	static struct fake_item item;

	rig_begin(rig, role, &item);
	rig_finish(rig, version, 0, "cookie", 6);
}

void rig_expect_alive(struct rig *rig)
{
	char buf[8] = "";

	wire_write(&rig->out, TYPE_DATA, "ping", 4);
	ASSERT_EQ(read(rig->fd, buf, sizeof(buf)), 4);
	EXPECT_EQ(memcmp(buf, "ping", 4), 0);
	ASSERT_EQ(write(rig->fd, "pong", 4), 4);
	wire_expect_data(&rig->in, "pong", 4);
}

void rig_expect_failed(struct rig *rig, int error, uint8_t alert)
{
	struct socktls_error told;
	char c;

	wire_expect_alert(&rig->in, alert);
	EXPECT_EQ(read(rig->fd, &c, 1), -1);
	EXPECT_EQ(errno, error);
	EXPECT_EQ(tls_state(rig->fd), SOCKTLS_STATE_FAILED);
	tls_error(rig->fd, &told);
	EXPECT_EQ(told.error, error);
	EXPECT_EQ(told.alert_from, SOCKTLS_ALERT_SENT);
	EXPECT_EQ(told.alert, alert);
}

void sysctl_set(const char *name, unsigned int value)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/socktls/%s", name);
	file = fopen(path, "w");
	ASSERT_NE(file, NULL);
	fprintf(file, "%u\n", value);
	ASSERT_EQ(fclose(file), 0);
}

unsigned long stat_value(const char *name)
{
	FILE *file = fopen("/proc/self/net/socktls_stat", "r");
	unsigned long value;
	char word[64];

	ASSERT_NE(file, NULL);
	while (fscanf(file, "%63s %lu", word, &value) == 2)
		if (!strcmp(word, name)) {
			fclose(file);
			return value;
		}
	ASSERT_TRUE(false);
	return 0;
}
