// SPDX-License-Identifier: MIT
#include <errno.h>

#include "engine/protocol.h"
#include "engine/transcript.h"

void transcript_init(struct transcript *t)
{
	*t = (struct transcript){ .keep_raw = true };
}

void transcript_free(struct transcript *t)
{
	writer_free(&t->raw);
	EVP_MD_CTX_free(t->ctx);
	t->ctx = NULL;
}

int transcript_add(struct transcript *t, struct engine_bytes message)
{
	if (t->keep_raw) {
		writer_bytes(&t->raw, message);
		if (t->raw.bad)
			return -ENOMEM;
	}
	if (t->ctx && EVP_DigestUpdate(t->ctx, message.data, message.len) != 1)
		return -EIO;
	return 0;
}

int transcript_set_hash(struct transcript *t, const EVP_MD *md)
{
	EVP_MD_CTX_free(t->ctx);
	t->ctx = EVP_MD_CTX_new();
	if (!t->ctx)
		return -ENOMEM;
	if (EVP_DigestInit_ex(t->ctx, md, NULL) != 1 ||
	    EVP_DigestUpdate(t->ctx, t->raw.data, t->raw.len) != 1)
		return -EIO;
	return 0;
}

int transcript_restart(struct transcript *t)
{
	const EVP_MD *md = EVP_MD_CTX_get0_md(t->ctx);
	struct digest first;
	int ret;

	ret = transcript_hash(t, &first);
	if (ret)
		return ret;
	writer_reset(&t->raw);
	writer_u8(&t->raw, MESSAGE_HASH);
	writer_vector(&t->raw, 3, digest_view(&first));
	if (t->raw.bad)
		return -ENOMEM;
	return transcript_set_hash(t, md);
}

int transcript_hash(const struct transcript *t, struct digest *digest)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	unsigned int len = 0;
	int ret = -EIO;

	if (!copy)
		return -ENOMEM;
	if (EVP_MD_CTX_copy_ex(copy, t->ctx) == 1 &&
	    EVP_DigestFinal_ex(copy, digest->data, &len) == 1)
		ret = 0;
	digest->len = len;
	EVP_MD_CTX_free(copy);
	return ret;
}

int transcript_hash_of(const EVP_MD *md, struct engine_bytes before,
		       struct engine_bytes after, struct digest *digest)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int len = 0;
	int ret = -EIO;

	if (!ctx)
		return -ENOMEM;
	if (EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
	    EVP_DigestUpdate(ctx, before.data, before.len) == 1 &&
	    EVP_DigestUpdate(ctx, after.data, after.len) == 1 &&
	    EVP_DigestFinal_ex(ctx, digest->data, &len) == 1)
		ret = 0;
	digest->len = len;
	EVP_MD_CTX_free(ctx);
	return ret;
}

void transcript_drop_raw(struct transcript *t)
{
	t->keep_raw = false;
	writer_free(&t->raw);
}
