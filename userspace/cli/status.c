// SPDX-License-Identifier: MIT
/* socktls status: the connections of this network namespace. */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <linux/socktls_netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "cli.h"

#define ADDRESS_MAX	(INET6_ADDRSTRLEN + 16)
#define CELL_MAX	64

#define ROW_FORMAT	"%-6s %-11s %-6s %-7s %-41s %-24s %-24s %6s  %s\n"

static struct nla_policy conn_policy[SOCKTLS_A_CONN_MAX + 1] = {
	[SOCKTLS_A_CONN_ID]		= { .type = NLA_U64 },
	[SOCKTLS_A_CONN_STATE]		= { .type = NLA_U32 },
	[SOCKTLS_A_CONN_FLAGS]		= { .type = NLA_U32 },
	[SOCKTLS_A_CONN_UID]		= { .type = NLA_U32 },
	[SOCKTLS_A_CONN_INODE]		= { .type = NLA_U64 },
	[SOCKTLS_A_CONN_VERSION]	= { .type = NLA_U32 },
	[SOCKTLS_A_CONN_SUITE]		= { .type = NLA_U32 },
	[SOCKTLS_A_CONN_SERVER_NAME]	= { .type = NLA_STRING },
	[SOCKTLS_A_CONN_PEER_IDENTITY]	= { .type = NLA_STRING },
};

static const char *address_text(struct nlattr *attr, char text[ADDRESS_MAX])
{
	char host[INET6_ADDRSTRLEN];
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (attr && nla_memcpy(&in, attr, sizeof(in)) == sizeof(in) &&
	    in.sin_family == AF_INET &&
	    inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host)))
		snprintf(text, ADDRESS_MAX, "%s:%u", host, ntohs(in.sin_port));
	else if (attr && nla_memcpy(&in6, attr, sizeof(in6)) == sizeof(in6) &&
		 in6.sin6_family == AF_INET6 &&
		 inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host)))
		snprintf(text, ADDRESS_MAX, "[%s]:%u", host,
			 ntohs(in6.sin6_port));
	else
		snprintf(text, ADDRESS_MAX, "-");
	return text;
}

static uint32_t number(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static const char *text_or_dash(const char *text)
{
	return text ? text : "-";
}

/* The peer's name for a server, the server's for a client that asked for it. */
static void who_text(struct nlattr **attrs, char *text, size_t len)
{
	struct nlattr *who = attrs[SOCKTLS_A_CONN_PEER_IDENTITY] ?:
			     attrs[SOCKTLS_A_CONN_SERVER_NAME];

	snprintf(text, len, "%s", who ? nla_get_string(who) : "-");
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static void print_conn(struct nlattr **attrs)
{
	uint32_t flags = number(attrs[SOCKTLS_A_CONN_FLAGS]);
	uint32_t state = number(attrs[SOCKTLS_A_CONN_STATE]);
	char local[ADDRESS_MAX], remote[ADDRESS_MAX], who[256];
	char id[CELL_MAX] = "-", uid[CELL_MAX] = "-";
	const char *role = flags & SOCKTLS_INFO_KEY_PLANE ? "keys" :
			   flags & SOCKTLS_INFO_SERVER ? "server" : "client";

	if (attrs[SOCKTLS_A_CONN_ID])
		snprintf(id, sizeof(id), "%llu", (unsigned long long)
			 nla_get_u64(attrs[SOCKTLS_A_CONN_ID]));
	if (attrs[SOCKTLS_A_CONN_UID])
		snprintf(uid, sizeof(uid), "%u",
			 nla_get_u32(attrs[SOCKTLS_A_CONN_UID]));
	who_text(attrs, who, sizeof(who));
	printf(ROW_FORMAT, id, text_or_dash(socktls_state_name(state)), role,
	       text_or_dash(socktls_version_name(
			number(attrs[SOCKTLS_A_CONN_VERSION]))),
	       text_or_dash(socktls_suite_name(
			number(attrs[SOCKTLS_A_CONN_SUITE]))),
	       address_text(attrs[SOCKTLS_A_CONN_LOCAL], local),
	       address_text(attrs[SOCKTLS_A_CONN_REMOTE], remote), uid, who);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct nlattr *attrs[SOCKTLS_A_CONN_MAX + 1], *attr;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int rest;

	(void)arg;
	if (!genlmsg_valid_hdr(header, 0))
		return NL_SKIP;
	nlmsg_for_each_attr(attr, header, GENL_HDRLEN, rest) {
		if (nla_type(attr) == SOCKTLS_A_CONN &&
		    nla_parse_nested(attrs, SOCKTLS_A_CONN_MAX, attr,
				     conn_policy) == 0)
			print_conn(attrs);
	}
	return NL_OK;
}

static int dump(struct nl_sock *sock)
{
	int family, err;

	if (genl_connect(sock)) {
		cli_error("cannot open a netlink socket");
		return CLI_ERROR;
	}
	family = genl_ctrl_resolve(sock, SOCKTLS_GENL_NAME);
	if (family < 0) {
		cli_error("socktls.ko is not loaded: modprobe socktls");
		return CLI_ERROR;
	}
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_message, NULL);
	err = genl_send_simple(sock, family, SOCKTLS_CMD_CONN_GET,
			       SOCKTLS_GENL_VERSION, NLM_F_DUMP);
	if (err < 0) {
		cli_error("cannot ask for the connections: %s",
			  nl_geterror(err));
		return CLI_ERROR;
	}
	printf(ROW_FORMAT, "ID", "STATE", "ROLE", "VERSION", "SUITE", "LOCAL",
	       "REMOTE", "UID", "NAME");
	err = nl_recvmsgs_default(sock);
	if (err < 0)
		cli_error("cannot list the connections: %s", nl_geterror(err));
	return err < 0 ? CLI_ERROR : CLI_OK;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	if (key == ARGP_KEY_ARG)
		argp_error(state, "what is \"%s\"?", arg);
	return ARGP_ERR_UNKNOWN;
}

int cli_status(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.doc = "Lists the connections of this network namespace: your own, or all with CAP_NET_ADMIN.",
	};
	struct nl_sock *sock;
	int status;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	sock = nl_socket_alloc();
	if (!sock) {
		cli_error("out of memory");
		return CLI_ERROR;
	}
	status = dump(sock);
	nl_socket_free(sock);
	return status;
}
