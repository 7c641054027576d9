// SPDX-License-Identifier: MIT
/*
 * The generic netlink family "socktls", seen from the helper. No other file
 * of the helper knows libnl.
 *
 * A request is answered before its sendmsg() returns, so that asking is
 * synchronous and waits for nothing; only doorbells come unasked.
 */
#include "netlink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <openssl/crypto.h>

#include "log.h"

/* What NEXT is told, and room for the headers around it. */
#define NEXT_BUFFER	(256 * 1024)
#define ANSWER_MAX	(NEXT_BUFFER + 4096)
/* Acknowledgements and doorbells. */
#define NOTICE_MAX	(16 * 1024)
/* Several answers, counted as the kernel counts them, with overhead. */
#define SOCKET_BUFFER	(2 * 1024 * 1024)
/* An answer that is not there by then was lost. */
#define ANSWER_WAIT_MS	1000

struct netlink {
	struct nl_sock	*sock;
	struct nl_sock	*notify;	/* of nlctrl: families come and go */
	int		family;
	bool		gone;		/* the family was unregistered */
	bool		doorbell;
	uint32_t	seq;
	uint8_t		*answer;	/* ANSWER_MAX bytes: NEXT's */
	uint8_t		*notice;	/* NOTICE_MAX bytes: all others */
};

/* One request in progress. */
struct request {
	uint32_t	seq;
	bool		acked;
	int		err;		/* valid when @acked */
	netlink_item_fn	serve;		/* NEXT only */
	void		*arg;
	int		n_items;
	size_t		answer_len;	/* NEXT's answer, in netlink->answer */
};

/*
 * Items.
 */

static struct nla_policy item_policy[SOCKTLS_A_ITEM_MAX + 1] = {
	[SOCKTLS_A_ITEM_KIND]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_ID]		= { .type = NLA_U64 },
	[SOCKTLS_A_ITEM_ROLE]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_SERVER_NAME]	= { .type = NLA_STRING },
	[SOCKTLS_A_ITEM_POLICY]		= { .type = NLA_STRING },
	[SOCKTLS_A_ITEM_IDENTITY]	= { .type = NLA_STRING },
	[SOCKTLS_A_ITEM_PEER_AUTH]	= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_UID]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_GID]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_PID]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_NETNS]		= { .type = NLA_U64 },
	[SOCKTLS_A_ITEM_CGROUP]		= { .type = NLA_U64 },
	[SOCKTLS_A_ITEM_LEVEL]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_CONTENT_TYPE]	= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_REASON]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_ALERT]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_LABEL]		= { .type = NLA_STRING },
	[SOCKTLS_A_ITEM_LENGTH]		= { .type = NLA_U32 },
	[SOCKTLS_A_ITEM_CONNECTION]	= { .type = NLA_U64 },
};

static uint32_t item_u32(struct nlattr **attrs, int type, uint32_t absent)
{
	return attrs[type] ? nla_get_u32(attrs[type]) : absent;
}

static const char *item_string(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_string(attrs[type]) : NULL;
}

static struct engine_bytes item_bytes(struct nlattr **attrs, int type)
{
	if (!attrs[type])
		return (struct engine_bytes){ NULL, 0 };
	return (struct engine_bytes){ nla_data(attrs[type]),
				      nla_len(attrs[type]) };
}

/* Credentials that are missing are nobody's, never root's. */
static struct item_parameters item_parameters(struct nlattr **attrs)
{
	return (struct item_parameters){
		.role = item_u32(attrs, SOCKTLS_A_ITEM_ROLE, SOCKTLS_CLIENT),
		.server_name = item_string(attrs, SOCKTLS_A_ITEM_SERVER_NAME),
		.alpn = item_bytes(attrs, SOCKTLS_A_ITEM_ALPN),
		.policy = item_string(attrs, SOCKTLS_A_ITEM_POLICY),
		.identity = item_string(attrs, SOCKTLS_A_ITEM_IDENTITY),
		.trust = item_bytes(attrs, SOCKTLS_A_ITEM_TRUST),
		.peer_auth = item_u32(attrs, SOCKTLS_A_ITEM_PEER_AUTH,
				      SOCKTLS_PEER_AUTH_DEFAULT),
		.uid = item_u32(attrs, SOCKTLS_A_ITEM_UID, (uid_t)-1),
		.gid = item_u32(attrs, SOCKTLS_A_ITEM_GID, (gid_t)-1),
		.pid = item_u32(attrs, SOCKTLS_A_ITEM_PID, 0),
	};
}

static int decode_item(struct nlattr *nest, struct item *item)
{
	struct nlattr *attrs[SOCKTLS_A_ITEM_MAX + 1];

	if (nla_parse_nested(attrs, SOCKTLS_A_ITEM_MAX, nest, item_policy) < 0 ||
	    !attrs[SOCKTLS_A_ITEM_KIND] || !attrs[SOCKTLS_A_ITEM_ID])
		return -EBADMSG;
	*item = (struct item){
		.kind = nla_get_u32(attrs[SOCKTLS_A_ITEM_KIND]),
		.id = nla_get_u64(attrs[SOCKTLS_A_ITEM_ID]),
		.is_first = attrs[SOCKTLS_A_ITEM_ROLE],
		.level = item_u32(attrs, SOCKTLS_A_ITEM_LEVEL,
				  SOCKTLS_LEVEL_PLAINTEXT),
		.content_type = item_u32(attrs, SOCKTLS_A_ITEM_CONTENT_TYPE,
					 22),
		.bytes = item_bytes(attrs, SOCKTLS_A_ITEM_BYTES),
		.reason = item_u32(attrs, SOCKTLS_A_ITEM_REASON, 0),
		.alert = item_u32(attrs, SOCKTLS_A_ITEM_ALERT, -1),
		.cookie = item_bytes(attrs, SOCKTLS_A_ITEM_COOKIE),
		.label = item_string(attrs, SOCKTLS_A_ITEM_LABEL),
		.context = item_bytes(attrs, SOCKTLS_A_ITEM_CONTEXT),
		.has_context = attrs[SOCKTLS_A_ITEM_CONTEXT],
		.length = item_u32(attrs, SOCKTLS_A_ITEM_LENGTH, 0),
	};
	item->connection = attrs[SOCKTLS_A_ITEM_CONNECTION] ?
		nla_get_u64(attrs[SOCKTLS_A_ITEM_CONNECTION]) : item->id;
	if (item->is_first)
		item->parameters = item_parameters(attrs);
	return 0;
}

/*
 * Actions.
 */

static int put_bytes(struct nl_msg *msg, int type, const void *data, size_t len)
{
	return len ? nla_put(msg, type, len, data) : 0;
}

static int put_key(struct nl_msg *msg, const struct engine_key *key)
{
	int err = 0;

	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_DIRECTION, key->direction);
	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_LEVEL, key->level);
	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_CIPHER, key->cipher);
	if (key->flags)
		err |= nla_put_u32(msg, SOCKTLS_A_ACTION_FLAGS, key->flags);
	err |= put_bytes(msg, SOCKTLS_A_ACTION_KEY, key->key, key->key_len);
	err |= put_bytes(msg, SOCKTLS_A_ACTION_IV, key->iv, key->iv_len);
	err |= put_bytes(msg, SOCKTLS_A_ACTION_MAC_KEY, key->mac_key,
			 key->mac_key_len);
	err |= put_bytes(msg, SOCKTLS_A_ACTION_TRAFFIC_SECRET, key->secret,
			 key->secret_len);
	return err;
}

static int put_done(struct nl_msg *msg, const struct engine_result *result)
{
	int err = 0;

	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_VERSION, result->version);
	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_SUITE, result->suite);
	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_GROUP, result->group);
	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_SIGNATURE_SCHEME,
			   result->signature_scheme);
	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_FLAGS, result->flags);
	err |= put_bytes(msg, SOCKTLS_A_ACTION_ALPN, result->alpn.data,
			 result->alpn.len);
	if (result->peer_identity)
		err |= nla_put_string(msg, SOCKTLS_A_ACTION_PEER_IDENTITY,
				      result->peer_identity);
	err |= put_bytes(msg, SOCKTLS_A_ACTION_COOKIE, result->cookie.data,
			 result->cookie.len);
	return err;
}

static int put_send(struct nl_msg *msg, const struct action *action)
{
	int err = 0;

	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_CONTENT_TYPE,
			   action->content_type);
	err |= put_bytes(msg, SOCKTLS_A_ACTION_BYTES, action->bytes,
			 action->len);
	if (action->lazy)
		err |= nla_put_flag(msg, SOCKTLS_A_ACTION_LAZY);
	return err;
}

static int put_fail(struct nl_msg *msg, const struct action *action)
{
	int err = 0;

	if (action->alert >= 0)
		err |= nla_put_u32(msg, SOCKTLS_A_ACTION_ALERT, action->alert);
	err |= nla_put_u32(msg, SOCKTLS_A_ACTION_ERRNO, action->error);
	err |= nla_put_string(msg, SOCKTLS_A_ACTION_TEXT, action->text);
	return err;
}

static int put_fields(struct nl_msg *msg, const struct action *action)
{
	switch (action->kind) {
	case SOCKTLS_ACTION_SEND:
		return put_send(msg, action);
	case SOCKTLS_ACTION_VERSION:
		return nla_put_u32(msg, SOCKTLS_A_ACTION_VERSION,
				   action->version);
	case SOCKTLS_ACTION_KEY:
		return put_key(msg, &action->key);
	case SOCKTLS_ACTION_CERTIFICATE:
		return nla_put_u32(msg, SOCKTLS_A_ACTION_CHAIN, action->chain) |
		       put_bytes(msg, SOCKTLS_A_ACTION_BYTES, action->bytes,
				 action->len);
	case SOCKTLS_ACTION_DONE:
		return put_done(msg, &action->result);
	case SOCKTLS_ACTION_FAIL:
		return put_fail(msg, action);
	case SOCKTLS_ACTION_LIMIT:
		return nla_put_u32(msg, SOCKTLS_A_ACTION_DIRECTION,
				   action->direction) |
		       nla_put_u32(msg, SOCKTLS_A_ACTION_LIMIT, action->limit);
	case SOCKTLS_ACTION_SKIP_EARLY:
		return nla_put_u32(msg, SOCKTLS_A_ACTION_MODE, action->mode) |
		       nla_put_u32(msg, SOCKTLS_A_ACTION_LIMIT, action->limit);
	case SOCKTLS_ACTION_EXPORTED:
		return put_bytes(msg, SOCKTLS_A_ACTION_BYTES, action->bytes,
				 action->len);
	case SOCKTLS_ACTION_MORE:
		return 0;
	default:
		return -NLE_INVAL;
	}
}

static int put_action(struct nl_msg *msg, uint64_t id,
		      const struct action *action)
{
	struct nlattr *nest = nla_nest_start(msg, SOCKTLS_A_ACTION |
					     NLA_F_NESTED);

	if (!nest ||
	    nla_put_u64(msg, SOCKTLS_A_ACTION_ID, id) ||
	    nla_put_u32(msg, SOCKTLS_A_ACTION_KIND, action->kind) ||
	    put_fields(msg, action))
		return -ENOMEM;
	return nla_nest_end(msg, nest) ? -EMSGSIZE : 0;
}

/*
 * Requests and answers.
 */

static struct nl_msg *new_request(struct netlink *netlink, uint8_t cmd,
				  size_t payload, struct request *request)
{
	struct nl_msg *msg = nlmsg_alloc_size(NLMSG_HDRLEN + GENL_HDRLEN +
					      payload + NLMSG_ALIGNTO);

	if (!msg)
		return NULL;
	request->seq = ++netlink->seq ?: ++netlink->seq;
	/* Never longer than allocated: a realloc would leave keys behind. */
	if (!genlmsg_put(msg, NL_AUTO_PORT, request->seq, netlink->family, 0,
			 NLM_F_REQUEST | NLM_F_ACK, cmd,
			 SOCKTLS_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static void free_wiped(struct nl_msg *msg)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);

	OPENSSL_cleanse(header, header->nlmsg_len);
	nlmsg_free(msg);
}

static int send_message(struct netlink *netlink, struct nl_msg *msg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nlmsghdr *header = nlmsg_hdr(msg);
	ssize_t n;

	header->nlmsg_pid = nl_socket_get_local_port(netlink->sock);
	do {
		n = sendto(nl_socket_get_fd(netlink->sock), header,
			   header->nlmsg_len, 0, (struct sockaddr *)&kernel,
			   sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Length of one datagram, -EAGAIN when there is none, -ENOBUFS once per loss. */
static ssize_t receive(struct netlink *netlink, uint8_t *buffer, size_t size)
{
	struct sockaddr_nl from;
	struct iovec iov = { buffer, size };
	struct msghdr header = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	ssize_t n;

	do {
		n = recvmsg(nl_socket_get_fd(netlink->sock), &header,
			    MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* Any process may send to our port; only port 0 is the kernel. */
	if (from.nl_pid != 0)
		return 0;
	if (header.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return n;
}

static void take_ack(const struct nlmsghdr *header, struct request *request)
{
	const struct nlmsgerr *ack = nlmsg_data(header);
	struct nlattr *text;
	size_t skip;

	if (nlmsg_datalen(header) < (int)sizeof(*ack))
		return;
	if (!request || header->nlmsg_seq != request->seq)
		return;
	request->acked = true;
	request->err = ack->error;
	if (!ack->error || !(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	/* NETLINK_CAP_ACK: our request's header is echoed, its payload not. */
	skip = sizeof(*ack);
	text = nlmsg_find_attr((struct nlmsghdr *)header, skip,
			       NLMSGERR_ATTR_MSG);
	if (text && nla_len(text) > 0)
		log_debug("the kernel says: %.*s", nla_len(text),
			  (char *)nla_data(text));
}

static void take_message(struct netlink *netlink, struct nlmsghdr *header,
			 struct request *request, size_t len)
{
	struct genlmsghdr *genl = nlmsg_data(header);

	if (header->nlmsg_type == NLMSG_ERROR) {
		take_ack(header, request);
		return;
	}
	if (header->nlmsg_type != netlink->family ||
	    !genlmsg_valid_hdr(header, 0))
		return;
	if (genl->cmd == SOCKTLS_CMD_READY)
		netlink->doorbell = true;
	else if (genl->cmd == SOCKTLS_CMD_NEXT && request && request->serve &&
		 header->nlmsg_seq == request->seq)
		request->answer_len = len;
}

/*
 * Reads one datagram. NEXT's answer has to stay in netlink->answer while its
 * items are served, each with a REPLY; what comes after it goes to the other
 * buffer.
 */
static int read_one(struct netlink *netlink, struct request *request)
{
	bool expects_answer = request && request->serve && !request->answer_len;
	uint8_t *buffer = expects_answer ? netlink->answer : netlink->notice;
	size_t size = expects_answer ? ANSWER_MAX : NOTICE_MAX;
	ssize_t len = receive(netlink, buffer, size);
	struct nlmsghdr *header = (struct nlmsghdr *)buffer;
	int left = len;

	if (len < 0)
		return len;
	for (; nlmsg_ok(header, left); header = nlmsg_next(header, &left))
		take_message(netlink, header, request, len);
	return 0;
}

/* Reads until the acknowledgement of @request, past whatever was lost. */
static int await_ack(struct netlink *netlink, struct request *request)
{
	struct pollfd poll_fd = {
		.fd = nl_socket_get_fd(netlink->sock), .events = POLLIN,
	};
	int err;

	while (!request->acked) {
		err = read_one(netlink, request);
		if (err == -EAGAIN) {
			err = poll(&poll_fd, 1, ANSWER_WAIT_MS);
			if (err == 0)
				return -ENOBUFS;
			if (err < 0 && errno != EINTR)
				return -errno;
		} else if (err == -ENOBUFS) {
			netlink->doorbell = true;
		} else if (err) {
			return err;
		}
	}
	return request->err;
}

/* Sends and wipes @msg; 0 or the kernel's negative errno. */
static int transact(struct netlink *netlink, struct nl_msg *msg,
		    struct request *request)
{
	int err = send_message(netlink, msg);

	free_wiped(msg);
	return err ? err : await_ack(netlink, request);
}

static void serve_answer(struct netlink *netlink, struct request *request)
{
	struct nlmsghdr *header = (struct nlmsghdr *)netlink->answer;
	int left = request->answer_len, rest;
	struct nlattr *attr;
	struct item item;

	for (; nlmsg_ok(header, left); header = nlmsg_next(header, &left)) {
		if (header->nlmsg_type != netlink->family)
			continue;
		nlmsg_for_each_attr(attr, header, GENL_HDRLEN, rest) {
			if (nla_type(attr) != SOCKTLS_A_ITEM)
				continue;
			request->n_items++;
			if (decode_item(attr, &item) == 0)
				request->serve(request->arg, &item);
			else
				log_error("an item of the kernel's cannot be read: are socktls.ko and socktlsd of one version?");
		}
	}
}

bool netlink_drain(struct netlink *netlink)
{
	bool doorbell;
	int err;

	do {
		err = read_one(netlink, NULL);
		if (err == -ENOBUFS)
			netlink->doorbell = true;
	} while (err == 0 || err == -ENOBUFS || err == -EMSGSIZE);
	if (err != -EAGAIN)
		log_error("netlink: %s", strerror(-err));
	doorbell = netlink->doorbell;
	netlink->doorbell = false;
	return doorbell;
}

int netlink_next(struct netlink *netlink, netlink_item_fn serve, void *arg)
{
	struct request request = { .serve = serve, .arg = arg };
	struct nl_msg *msg = new_request(netlink, SOCKTLS_CMD_NEXT,
					 nla_total_size(sizeof(uint32_t)),
					 &request);
	int err;

	if (!msg)
		return -ENOMEM;
	if (nla_put_u32(msg, SOCKTLS_A_BUFFER_SIZE, NEXT_BUFFER)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = transact(netlink, msg, &request);
	/* Items that did arrive are ours, even when the rest was lost. */
	if (request.answer_len) {
		serve_answer(netlink, &request);
		OPENSSL_cleanse(netlink->answer, request.answer_len);
	}
	return request.n_items ? request.n_items : err;
}

int netlink_reply(struct netlink *netlink, uint64_t id,
		  const struct action_list *actions)
{
	struct request request = { 0 };
	const struct action *action;
	struct nl_msg *msg;
	size_t len = 0;
	int err = 0;

	STAILQ_FOREACH(action, actions, link)
		len += action_encoded_max(action);
	msg = new_request(netlink, SOCKTLS_CMD_REPLY, len, &request);
	if (!msg)
		return -ENOMEM;
	STAILQ_FOREACH(action, actions, link)
		err = err ? err : put_action(msg, id, action);
	if (err) {
		free_wiped(msg);
		return err;
	}
	err = transact(netlink, msg, &request);
	/* The reply did reach the kernel: what comes of it, an item will tell. */
	return err == -ENOBUFS ? 0 : err;
}

int netlink_register(struct netlink *netlink, char *error, size_t error_len)
{
	struct request request = { 0 };
	struct nl_msg *msg = new_request(netlink, SOCKTLS_CMD_REGISTER, 0,
					 &request);
	int err = msg ? transact(netlink, msg, &request) : -ENOMEM;

	if (err == -EPERM)
		snprintf(error, error_len,
			 "serving handshakes needs CAP_NET_ADMIN: run socktlsd as root");
	else if (err)
		snprintf(error, error_len, "cannot register with socktls.ko: %s",
			 strerror(-err));
	return err;
}

/*
 * Opening and closing.
 */

/* The forced variants need CAP_NET_ADMIN; without it the limits may do. */
static void set_buffers(int fd)
{
	int size = SOCKET_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static int set_options(struct nl_sock *sock)
{
	int fd = nl_socket_get_fd(sock), one = 1;

	set_buffers(fd);
	/* An acknowledgement never echoes a request, and so no key. */
	if (setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one)))
		return -errno;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	return 0;
}

static int open_family(struct netlink *netlink, char *error, size_t error_len)
{
	int err = genl_connect(netlink->sock);

	if (!err)
		err = set_options(netlink->sock);
	if (err) {
		snprintf(error, error_len, "cannot open a netlink socket");
		return -EIO;
	}
	netlink->family = genl_ctrl_resolve(netlink->sock, SOCKTLS_GENL_NAME);
	if (netlink->family < 0) {
		snprintf(error, error_len,
			 "socktls.ko is not loaded: modprobe socktls");
		return -ENOENT;
	}
	return 0;
}

/* Only a convenience: without it a vanished family shows at the next NEXT. */
static void open_notify(struct netlink *netlink)
{
	int group;

	nl_socket_disable_seq_check(netlink->notify);
	if (genl_connect(netlink->notify))
		return;
	group = genl_ctrl_resolve_grp(netlink->notify, "nlctrl", "notify");
	if (group >= 0)
		nl_socket_add_membership(netlink->notify, group);
	nl_socket_set_nonblocking(netlink->notify);
}

int netlink_open(struct netlink **netlink, char *error, size_t error_len)
{
	struct netlink *new = calloc(1, sizeof(*new));
	int err = -ENOMEM;

	snprintf(error, error_len, "out of memory");
	if (!new)
		return err;
	new->sock = nl_socket_alloc();
	new->notify = nl_socket_alloc();
	new->answer = malloc(ANSWER_MAX);
	new->notice = malloc(NOTICE_MAX);
	if (new->sock && new->notify && new->answer && new->notice)
		err = open_family(new, error, error_len);
	if (err) {
		netlink_close(new);
		return err;
	}
	open_notify(new);
	*netlink = new;
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	if (!netlink)
		return;
	if (netlink->sock)
		nl_socket_free(netlink->sock);
	if (netlink->notify)
		nl_socket_free(netlink->notify);
	free(netlink->answer);
	free(netlink->notice);
	free(netlink);
}

int netlink_fd(const struct netlink *netlink)
{
	return nl_socket_get_fd(netlink->sock);
}

int netlink_notify_fd(const struct netlink *netlink)
{
	return nl_socket_get_fd(netlink->notify);
}

static int on_family(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct nlmsghdr *header = nlmsg_hdr(msg);
	struct netlink *netlink = arg;
	struct genlmsghdr *genl = nlmsg_data(header);

	if (!genlmsg_valid_hdr(header, 0) || genl->cmd != CTRL_CMD_DELFAMILY)
		return NL_OK;
	if (genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, NULL) == 0 &&
	    attrs[CTRL_ATTR_FAMILY_NAME] &&
	    nla_strcmp(attrs[CTRL_ATTR_FAMILY_NAME], SOCKTLS_GENL_NAME) == 0)
		netlink->gone = true;
	return NL_OK;
}

bool netlink_family_is_gone(struct netlink *netlink)
{
	nl_socket_modify_cb(netlink->notify, NL_CB_VALID, NL_CB_CUSTOM,
			    on_family, netlink);
	while (nl_recvmsgs_default(netlink->notify) > 0)
		;
	return netlink->gone;
}
