// SPDX-License-Identifier: MIT
/* The socket options of socktls, one function each. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "socktls.h"

int socktls_attach(int fd)
{
	return setsockopt(fd, IPPROTO_TCP, TCP_ULP, SOCKTLS_ULP_NAME,
			  strlen(SOCKTLS_ULP_NAME));
}

static int set_text(int fd, int option, const char *text)
{
	return setsockopt(fd, SOL_TLS, option, text, strlen(text));
}

static int set_number(int fd, int option, uint32_t number)
{
	return setsockopt(fd, SOL_TLS, option, &number, sizeof(number));
}

int socktls_set_server_name(int fd, const char *name)
{
	return set_text(fd, SOCKTLS_SERVER_NAME, name);
}

int socktls_set_identity(int fd, const char *name)
{
	return set_text(fd, SOCKTLS_IDENTITY, name);
}

int socktls_set_trust(int fd, const char *trust)
{
	return set_text(fd, SOCKTLS_TRUST, trust);
}

int socktls_set_peer_auth(int fd, enum socktls_peer_auth peer_auth)
{
	return set_number(fd, SOCKTLS_PEER_AUTH, peer_auth);
}

int socktls_set_eof(int fd, enum socktls_eof eof)
{
	return set_number(fd, SOCKTLS_EOF, eof);
}

int socktls_start(int fd, enum socktls_role role, uint32_t timeout_ms)
{
	const struct socktls_handshake handshake = {
		.role = role,
		.timeout_ms = timeout_ms,
	};

	return setsockopt(fd, SOL_TLS, SOCKTLS_HANDSHAKE, &handshake,
			  sizeof(handshake));
}

int socktls_get_state(int fd, enum socktls_state *state)
{
	uint32_t value;
	socklen_t len = sizeof(value);

	if (getsockopt(fd, SOL_TLS, SOCKTLS_STATE, &value, &len) < 0)
		return -1;
	*state = value;
	return 0;
}

int socktls_get_info(int fd, struct socktls_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, SOL_TLS, SOCKTLS_INFO, info, &len);
}

int socktls_get_error(int fd, struct socktls_error *error)
{
	socklen_t len = sizeof(*error);

	memset(error, 0, sizeof(*error));
	if (getsockopt(fd, SOL_TLS, SOCKTLS_ERROR, error, &len) < 0)
		return -1;
	error->text[sizeof(error->text) - 1] = '\0';
	return 0;
}

/* The first blob of @type in @blobs, NULL when there is none. */
static const struct socktls_blob *find_blob(const uint8_t *blobs, size_t len,
					    uint32_t type)
{
	const struct socktls_blob *blob;
	size_t step;

	while (len >= sizeof(*blob)) {
		blob = (const struct socktls_blob *)blobs;
		if (blob->len > len - sizeof(*blob))
			return NULL;
		if (blob->type == type)
			return blob;
		step = (sizeof(*blob) + blob->len + 3) & ~(size_t)3;
		if (step > len)
			return NULL;
		blobs += step;
		len -= step;
	}
	return NULL;
}

static int copy_identity(const struct socktls_blob *blob, char *text,
			 size_t len)
{
	size_t n = blob ? blob->len : 0;

	if (n >= len) {
		errno = ERANGE;
		return -1;
	}
	if (n)
		memcpy(text, blob->data, n);
	text[n] = '\0';
	return 0;
}

int socktls_get_peer_identity(int fd, char *text, size_t len)
{
	/* Longer than any chain that the helper hands to the kernel. */
	socklen_t blobs_len = 256 * 1024;
	uint8_t *blobs = malloc(blobs_len);
	int ret;

	if (!blobs)
		return -1;
	ret = getsockopt(fd, SOL_TLS, SOCKTLS_PEER, blobs, &blobs_len);
	if (ret == 0)
		ret = copy_identity(find_blob(blobs, blobs_len,
					      SOCKTLS_BLOB_IDENTITY),
				    text, len);
	free(blobs);
	return ret;
}

int socktls_apply(int fd, const struct socktls_options *options)
{
	if (socktls_attach(fd) < 0)
		return -1;
	if (options->server_name &&
	    socktls_set_server_name(fd, options->server_name) < 0)
		return -1;
	if (options->identity && socktls_set_identity(fd, options->identity) < 0)
		return -1;
	if (options->trust && socktls_set_trust(fd, options->trust) < 0)
		return -1;
	if (options->peer_auth &&
	    socktls_set_peer_auth(fd, options->peer_auth) < 0)
		return -1;
	if (options->eof && socktls_set_eof(fd, options->eof) < 0)
		return -1;
	return 0;
}
