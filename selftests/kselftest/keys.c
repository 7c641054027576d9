// SPDX-License-Identifier: MIT
/* What the tests of the key plane share. */
#include "keys.h"

const char *ulp = SOCKTLS_ULP_NAME;

bool is_stock(void)
{
	return strcmp(ulp, SOCKTLS_ULP_NAME);
}

void need_newest(int fd)
{
	uint16_t value;
	socklen_t len = sizeof(value);

	if (is_stock() && tls_get(fd, TLS_TX_MAX_PAYLOAD_LEN, &value, &len))
		harness_skip("this kernel's tls.ko is not of the newest");
}

int attach(int fd, const char *name)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, name, strlen(name));
}

void make_key(union key *key, uint16_t version, uint16_t cipher, socklen_t len,
	      int seed)
{
	memset(key, 0, sizeof(*key));
	pattern_fill(key->bytes, len, seed * 4096 + 77);
	memset(key->bytes + len - 8, 0, 7);
	key->bytes[len - 1] = 5 + seed;
	key->info.version = version;
	key->info.cipher_type = cipher;
}

ssize_t send_record(int fd, uint8_t type, const void *data, size_t len,
		    int flags)
{
	char control[CMSG_SPACE(1)] = "";
	struct iovec iov = { (void *)data, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_TLS;
	cmsg->cmsg_type = TLS_SET_RECORD_TYPE;
	cmsg->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(cmsg) = type;
	return sendmsg(fd, &msg, flags);
}

ssize_t recv_record(int fd, uint8_t *type, void *data, size_t len, int flags)
{
	char control[CMSG_SPACE(1)] = "";
	struct iovec iov = { data, len };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, flags);
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	*type = 0;
	if (n > 0 && cmsg && cmsg->cmsg_level == SOL_TLS &&
	    cmsg->cmsg_type == TLS_GET_RECORD_TYPE)
		*type = *CMSG_DATA(cmsg);
	return n;
}

int keys_main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "--ulp")) {
		ulp = argv[2];
		argv += 2;
		argc -= 2;
	}
	return harness_main(argc, argv);
}
