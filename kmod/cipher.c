// SPDX-License-Identifier: GPL-2.0
/*
 * The table of record protections, and sealing and opening with one of them.
 * A new AEAD is a row of the table.
 */
#include <crypto/aead.h>
#include <crypto/scatterwalk.h>
#include <linux/highmem.h>
#include <linux/slab.h>
#include <linux/tls.h>
#include <linux/socktls.h>

#include "cbc.h"
#include "cipher.h"
#include "compat.h"
#include "pin.h"

#define BOTH		(CIPHER_TLS_1_2 | CIPHER_TLS_1_3)
#define ONLY_12		CIPHER_TLS_1_2

#define LIMIT_GCM	23726566ULL
#define LIMIT_CCM	8388608ULL
#define LIMIT_NONE	U64_MAX

#define CIPHER_AEAD(_type, _name, _aead, _key, _salt, _explicit, _tag,	\
		    _ccm, _versions, _limit)				\
	{ .type = (_type), .name = (_name), .aead = (_aead),		\
	  .key_size = (_key), .salt_size = (_salt),			\
	  .explicit_size = (_explicit), .tag_size = (_tag),		\
	  .ccm = (_ccm), .versions = (_versions),			\
	  .record_limit = (_limit),					\
	  .info_iv_size = (_explicit) ? 8 : 12,				\
	  .info_size = 4 + 12 + (_key) + 8 },

#define CIPHER_CBC(_type, _name, _key, _hash, _mac, _hash_block)	\
	{ .type = (_type), .name = (_name),				\
	  .key_size = (_key), .mac_key_size = (_mac),			\
	  .versions = CIPHER_TLS_1_2, .record_limit = U64_MAX,		\
	  .info_size = sizeof(struct socktls_crypto_info_cbc),		\
	  .cbc = &(const struct socktls_cbc_desc) {			\
		.cipher = "cbc(aes)", .hash = (_hash),			\
		.key_size = (_key), .mac_size = (_mac),			\
		.block_size = 16, .hash_block_size = (_hash_block) } },

static const struct socktls_cipher ciphers[] = {
#include "cipher_table.h"
};

/* Transforms in use, for the leak check of the tests. */
static atomic_t epochs_alive = ATOMIC_INIT(0);
static atomic_t epoch_serials = ATOMIC_INIT(0);

int socktls_cipher_alive(void)
{
	return atomic_read(&epochs_alive);
}

/**
 * socktls_cipher_find() - the row for a record protection
 * @type: TLS_CIPHER_* or SOCKTLS_CIPHER_*
 *
 * Return: the row, NULL when there is none.
 */
const struct socktls_cipher *socktls_cipher_find(u16 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ciphers); i++)
		if (ciphers[i].type == type)
			return &ciphers[i];
	return NULL;
}

/**
 * socktls_cipher_allows() - may a protection be used with a TLS version?
 * @cipher: a row of the table
 * @version: 0x0303 or 0x0304
 *
 * Return: true if so.
 */
bool socktls_cipher_allows(const struct socktls_cipher *cipher, u16 version)
{
	if (version == RECORD_TLS_1_3)
		return cipher->versions & CIPHER_TLS_1_3;
	return version == RECORD_TLS_1_2 && cipher->versions & CIPHER_TLS_1_2;
}

static bool epoch_is_13(const struct socktls_epoch *e)
{
	return e->version == RECORD_TLS_1_3;
}

static int epoch_init_aead(struct socktls_epoch *e,
			   const struct socktls_key *key)
{
	const struct socktls_cipher *c = e->cipher;
	int err;

	e->prefix = epoch_is_13(e) ? 0 : c->explicit_size;
	e->aead = crypto_alloc_aead(c->aead, 0, 0);
	if (IS_ERR(e->aead)) {
		err = PTR_ERR(e->aead);
		e->aead = NULL;
		return err;
	}
	err = crypto_aead_setkey(e->aead, key->key, key->key_len);
	if (err)
		return err;
	err = crypto_aead_setauthsize(e->aead, c->tag_size);
	if (err)
		return err;
	e->req = aead_request_alloc(e->aead, GFP_KERNEL);
	if (!e->req)
		return -ENOMEM;
	crypto_init_wait(&e->wait);
	aead_request_set_callback(e->req, CRYPTO_TFM_REQ_MAY_BACKLOG |
				  CRYPTO_TFM_REQ_MAY_SLEEP,
				  crypto_req_done, &e->wait);
	return 0;
}

static int epoch_init_cbc(struct socktls_epoch *e,
			  const struct socktls_key *key)
{
	struct socktls_cbc *cbc;

	e->prefix = e->cipher->cbc->block_size;
	e->scratch = kmalloc(RECORD_MAX_LEN, GFP_KERNEL);
	if (!e->scratch)
		return -ENOMEM;
	cbc = socktls_cbc_new(e->cipher->cbc, key->key, key->mac_key,
			      key->encrypt_then_mac);
	if (IS_ERR(cbc))
		return PTR_ERR(cbc);
	e->cbc = cbc;
	return 0;
}

static bool epoch_key_fits(const struct socktls_cipher *c,
			   const struct socktls_key *key)
{
	u8 iv_len = key->version == RECORD_TLS_1_3 ? RECORD_NONCE_LEN :
						     c->salt_size;

	return socktls_cipher_allows(c, key->version) &&
	       key->key_len == c->key_size && key->iv_len == iv_len &&
	       key->mac_key_len == c->mac_key_size &&
	       key->secret_len <= CIPHER_SECRET_MAX &&
	       !(key->encrypt_then_mac && !c->cbc);
}

/**
 * socktls_epoch_new() - make the protection of one direction
 * @key: copied; the caller wipes it
 *
 * Context: process, may sleep (the crypto API may load modules).
 *
 * Return: the epoch, owned by the caller; ERR_PTR(-EINVAL) when the lengths or
 * the version do not fit the cipher; -ENOENT when the kernel has no such
 * cipher; -ENOMEM.
 */
struct socktls_epoch *socktls_epoch_new(const struct socktls_key *key)
{
	const struct socktls_cipher *c = socktls_cipher_find(key->cipher);
	struct socktls_epoch *e;
	int err;

	if (!c || !epoch_key_fits(c, key))
		return ERR_PTR(-EINVAL);
	e = socktls_epoch_new_null();
	if (!e)
		return ERR_PTR(-ENOMEM);

	e->cipher = c;
	e->version = key->version;
	e->level = key->level;
	e->seq = key->seq;
	e->explicit_nonce = key->explicit_nonce;
	memcpy(e->iv, key->iv, key->iv_len);
	e->secret_len = key->secret_len;
	memcpy(e->secret, key->secret, key->secret_len);
	err = c->cbc ? epoch_init_cbc(e, key) : epoch_init_aead(e, key);
	if (err) {
		socktls_epoch_free(e);
		return ERR_PTR(err);
	}
	return e;
}

/**
 * socktls_epoch_new_null() - the epoch before any key
 *
 * Return: the epoch, NULL when there is no memory.
 */
struct socktls_epoch *socktls_epoch_new_null(void)
{
	struct socktls_epoch *e = kzalloc(sizeof(*e), GFP_KERNEL);

	if (!e)
		return NULL;
	do {
		e->serial = atomic_inc_return(&epoch_serials);
	} while (!e->serial);
	sg_init_table(e->sg, ARRAY_SIZE(e->sg));
	sg_init_table(e->plain_sg, ARRAY_SIZE(e->plain_sg));
	atomic_inc(&epochs_alive);
	return e;
}

/**
 * socktls_epoch_wipe() - forget the secrets of an epoch that is to be freed
 * @epoch: not used for records any more
 *
 * All but the transform's own key, which goes with the transform.
 *
 * Context: any, BH included.
 */
void socktls_epoch_wipe(struct socktls_epoch *epoch)
{
	memzero_explicit(epoch->iv, sizeof(epoch->iv));
	memzero_explicit(epoch->secret, sizeof(epoch->secret));
	if (epoch->scratch)
		memzero_explicit(epoch->scratch, RECORD_MAX_LEN);
}

/**
 * socktls_epoch_free() - wipe and free
 * @epoch: may be NULL
 *
 * Context: process, may sleep: a cipher's driver may when its transform goes.
 */
void socktls_epoch_free(struct socktls_epoch *epoch)
{
	might_sleep();
	if (!epoch)
		return;
	aead_request_free(epoch->req);
	crypto_free_aead(epoch->aead);
	socktls_cbc_free(epoch->cbc);
	kfree_sensitive(epoch->scratch);
	kfree_sensitive(epoch);
	atomic_dec(&epochs_alive);
}

/**
 * socktls_epoch_limits() - what a received header must satisfy in this epoch
 * @epoch: the receive epoch
 * @limits: filled
 */
void socktls_epoch_limits(const struct socktls_epoch *epoch,
			  struct record_limits *limits)
{
	const struct socktls_cipher *c = epoch->cipher;

	limits->min_length = 0;
	limits->max_length = RECORD_MAX_PLAINTEXT;
	limits->version = 0;
	limits->any_type = false;
	if (!c)
		return;
	limits->version = RECORD_TLS_1_2;
	if (c->cbc) {
		limits->min_length = socktls_cbc_min_fragment(epoch->cbc);
		limits->max_length += RECORD_EXPANSION_12;
		return;
	}
	limits->min_length = epoch->prefix + c->tag_size;
	if (epoch_is_13(epoch)) {
		/* longer ones, up to 256, would hold too much: section 5.4 */
		limits->min_length += 1;
		limits->max_length += 1 + c->tag_size;
	} else {
		limits->max_length += epoch->prefix + c->tag_size;
	}
}

/**
 * socktls_epoch_suffix_max() - most bytes that follow a plaintext on the wire
 * @epoch: the send epoch
 *
 * Return: inner type and tag, or MAC and block padding; without the padding of
 * RFC 8446 section 5.4.
 */
u32 socktls_epoch_suffix_max(const struct socktls_epoch *epoch)
{
	const struct socktls_cipher *c = epoch->cipher;

	if (!c)
		return 0;
	if (c->cbc)
		return c->cbc->mac_size + c->cbc->block_size;
	return c->tag_size + epoch_is_13(epoch);
}

static void epoch_nonce(struct socktls_epoch *e, const u8 *explicit_nonce)
{
	u8 *nonce = e->nonce;

	if (e->cipher->ccm)
		*nonce++ = 2;	/* a counter of three bytes: L - 1 */
	if (explicit_nonce)
		record_nonce_explicit(nonce, e->iv, explicit_nonce);
	else
		record_nonce_xor(nonce, e->iv, e->seq);
}

/* Puts the TLS 1.2 additional data in front of what follows the nonce. */
static struct scatterlist *epoch_sg_12(struct socktls_epoch *e,
				       struct scatterlist table[3],
				       struct scatterlist *sg)
{
	struct scatterlist *rest;
	u32 skip = RECORD_HEADER_LEN + e->prefix;

	while (skip >= sg->length) {
		skip -= sg->length;
		sg = sg_next(sg);
	}
	rest = sg;
	sg_init_table(table, 3);
	sg_set_buf(&table[0], e->aad, RECORD_AAD_LEN_12);
	sg_set_page(&table[1], sg_page(rest), rest->length - skip,
		    rest->offset + skip);
	rest = sg_next(rest);
	if (rest)
		sg_chain(table, 3, rest);
	else
		sg_mark_end(&table[1]);
	return table;
}

/* Bytes on the wire of a record whose plaintext has passed seal_check(). */
static u32 seal_len(const struct socktls_epoch *e, u32 plaintext_len,
		    u32 padding)
{
	u32 len = RECORD_HEADER_LEN + e->prefix + plaintext_len;

	if (!e->cipher)
		return len;
	if (e->cbc)
		return RECORD_HEADER_LEN +
		       socktls_cbc_fragment_len(e->cbc, plaintext_len);
	if (epoch_is_13(e))
		len += 1 + padding;
	return len + e->cipher->tag_size;
}

/* The caller's pages may hold anything: none of it must go out as padding. */
static void seal_pad(const struct socktls_vec *vec, u32 off, u32 padding)
{
	while (padding) {
		u32 n = min_t(u32, padding, PAGE_SIZE);

		socktls_vec_write(vec, off, page_address(ZERO_PAGE(0)), n);
		off += n;
		padding -= n;
	}
}

/**
 * struct seal - one record to be protected
 * @type: content type
 * @vec: where it goes
 * @plain: where its plaintext is, at the same offset; may be @vec
 * @from: or, if not NULL, where it is
 * @len: bytes of plaintext
 * @padding: bytes behind it
 */
struct seal {
	u8			type;
	struct socktls_vec	*vec;
	const struct socktls_vec *plain;
	struct socktls_source	*from;
	u32			len;
	u32			padding;
};

/* RFC 8446 section 5.4: padding does not lift the limit of the record's size */
static int seal_check(const struct socktls_epoch *e, const struct seal *s)
{
	if (s->len > RECORD_MAX_PLAINTEXT ||
	    s->padding > RECORD_MAX_PLAINTEXT - s->len ||
	    (s->padding && !epoch_is_13(e)) ||
	    seal_len(e, s->len, s->padding) > s->vec->len)
		return -EINVAL;
	return 0;
}

/* The source of an encryption: a plaintext that is nowhere in a record. */
static struct scatterlist *seal_source(struct socktls_epoch *e,
				       const struct seal *s)
{
	struct socktls_source *from = s->from;
	struct scatterlist *behind = &from->sg[from->nr + 1];

	if (!epoch_is_13(e)) {
		sg_set_buf(from->sg, e->aad, RECORD_AAD_LEN_12);
		sg_mark_end(behind - 1);
		return from->sg;
	}
	sg_mark_end(behind);
	if (socktls_vec_part(s->vec, 0, RECORD_HEADER_LEN, from->sg) ||
	    socktls_vec_part(s->vec, RECORD_HEADER_LEN + s->len, 1, behind))
		return NULL;
	return from->sg;
}

/* The same of one that is, at the same place in another one. */
static struct scatterlist *seal_plain(struct socktls_epoch *e,
				      const struct seal *s)
{
	if (socktls_vec_to_sg(s->plain, s->vec->len, e->plain_sg,
			      ARRAY_SIZE(e->plain_sg)))
		return NULL;
	return epoch_is_13(e) ? e->plain_sg :
				epoch_sg_12(e, e->src, e->plain_sg);
}

/* In TLS 1.3 what is encrypted goes on behind the plaintext (section 5.2). */
static void seal_inner_type(const struct seal *s)
{
	const struct socktls_vec *vec = s->from ? s->vec : s->plain;
	u32 off = RECORD_HEADER_LEN + s->len;

	socktls_vec_write(vec, off, &s->type, 1);
	seal_pad(vec, off + 1, s->padding);
}

static void seal_header(const struct seal *s, u8 type, u32 body)
{
	u8 header[RECORD_HEADER_LEN];

	record_write_header(header, type, RECORD_TLS_1_2, body);
	socktls_vec_write(s->vec, 0, header, sizeof(header));
	if (s->plain && s->plain != s->vec)
		socktls_vec_write(s->plain, 0, header, sizeof(header));
}

static int seal_aead(struct socktls_epoch *e, const struct seal *s)
{
	u32 crypt = s->len + (epoch_is_13(e) ? 1 + s->padding : 0);
	u32 body = e->prefix + crypt + e->cipher->tag_size;
	struct scatterlist *sg = e->sg, *src = e->sg;
	u8 explicit_nonce[8];
	int err;

	if (epoch_is_13(e))
		seal_inner_type(s);
	socktls_vec_trim(s->vec, RECORD_HEADER_LEN + body);
	seal_header(s, epoch_is_13(e) ? RECORD_APPLICATION_DATA : s->type,
		    body);
	err = socktls_vec_to_sg(s->vec, s->vec->len, sg, ARRAY_SIZE(e->sg));
	if (err)
		return err;
	if (!epoch_is_13(e)) {
		record_aad_12(e->aad, e->seq, s->type, RECORD_TLS_1_2, s->len);
		put_unaligned_be64(e->explicit_nonce, explicit_nonce);
		socktls_vec_write(s->vec, RECORD_HEADER_LEN, explicit_nonce,
				  e->prefix);
		sg = epoch_sg_12(e, e->dst, sg);
		src = sg;
	}
	if (s->from)
		src = seal_source(e, s);
	else if (s->plain != s->vec)
		src = seal_plain(e, s);
	if (!src)
		return -EMSGSIZE;
	epoch_nonce(e, e->prefix ? explicit_nonce : NULL);
	aead_request_set_ad(e->req, epoch_is_13(e) ? RECORD_HEADER_LEN :
						     RECORD_AAD_LEN_12);
	aead_request_set_crypt(e->req, src, sg, crypt, e->nonce);
	return crypto_wait_req(crypto_aead_encrypt(e->req), &e->wait);
}

static int seal_cbc(struct socktls_epoch *e, const struct seal *s)
{
	u8 header[RECORD_HEADER_LEN];
	u32 fragment_len;
	int err;

	socktls_vec_read(s->plain, RECORD_HEADER_LEN + e->prefix,
			 e->scratch + e->prefix, s->len);
	err = socktls_cbc_seal(e->cbc, e->seq, s->type, RECORD_TLS_1_2,
			       e->scratch, s->len, &fragment_len);
	if (err)
		return err;
	socktls_vec_trim(s->vec, RECORD_HEADER_LEN + fragment_len);
	record_write_header(header, s->type, RECORD_TLS_1_2, fragment_len);
	socktls_vec_write(s->vec, 0, header, sizeof(header));
	socktls_vec_write(s->vec, RECORD_HEADER_LEN, e->scratch, fragment_len);
	return 0;
}

static int seal_null(const struct seal *s)
{
	u32 off = RECORD_HEADER_LEN;
	u8 chunk[128];
	u32 n;

	for (; s->plain != s->vec && off < RECORD_HEADER_LEN + s->len;
	     off += n) {
		n = min_t(u32, RECORD_HEADER_LEN + s->len - off, sizeof(chunk));
		socktls_vec_read(s->plain, off, chunk, n);
		socktls_vec_write(s->vec, off, chunk, n);
	}
	socktls_vec_trim(s->vec, RECORD_HEADER_LEN + s->len);
	seal_header(s, s->type, s->len);
	return 0;
}

static int epoch_seal(struct socktls_epoch *epoch, const struct seal *s)
{
	int err;

	if (epoch->seq == U64_MAX)
		return -EOVERFLOW;
	err = seal_check(epoch, s);
	if (err)
		return err;
	if (!epoch->cipher)
		err = seal_null(s);
	else if (epoch->cbc)
		err = seal_cbc(epoch, s);
	else
		err = seal_aead(epoch, s);
	if (err)
		return err;
	epoch->seq++;
	epoch->explicit_nonce++;
	return 0;
}

/**
 * socktls_epoch_seal() - protect one record
 * @epoch: the send epoch
 * @type: content type
 * @vec: where it goes: room for the header and the prefix, the plaintext, and
 *	at least socktls_epoch_suffix_max() bytes and @padding; trimmed to the
 *	record
 * @plain: where the plaintext is, with as much room around it; may be @vec
 * @plaintext_len: bytes of plaintext, at most 16384
 * @padding: zeros behind the inner content type (RFC 8446 section 5.4)
 *
 * Context: process, sk locked, may sleep.
 *
 * Return: 0; -EINVAL when plaintext and padding are over 2^14 bytes, @vec is too
 * short, or TLS 1.2 is to be padded; -EOVERFLOW when the sequence number would
 * wrap (RFC 8446 5.3); another negative errno of the crypto API. The sequence
 * number advances only on success. The plaintext survives failure unless it is
 * in @vec, whose content must then not be shown to anybody.
 */
int socktls_epoch_seal(struct socktls_epoch *epoch, u8 type,
		       struct socktls_vec *vec, const struct socktls_vec *plain,
		       u32 plaintext_len, u32 padding)
{
	const struct seal s = {
		.type = type, .vec = vec, .plain = plain,
		.len = plaintext_len, .padding = padding,
	};

	return epoch_seal(epoch, &s);
}

/**
 * socktls_epoch_takes_source() - can plaintext be elsewhere than in the record?
 * @epoch: the send epoch
 *
 * Not where it would be read twice, for what changes in between would make the
 * record not authentic: CCM, and MAC-then-encrypt.
 */
bool socktls_epoch_takes_source(const struct socktls_epoch *epoch)
{
	return epoch->aead && !epoch->cipher->ccm;
}

/**
 * socktls_epoch_seal_from() - protect a plaintext that is not in the record
 * @epoch: the send epoch, which takes a source
 * @type: content type
 * @vec: as for socktls_epoch_seal(); its first segment holds the header
 * @plaintext_len: bytes of plaintext, at most 16384
 * @from: the plaintext
 *
 * Context and return value: as of socktls_epoch_seal().
 */
int socktls_epoch_seal_from(struct socktls_epoch *epoch, u8 type,
			    struct socktls_vec *vec, u32 plaintext_len,
			    struct socktls_source *from)
{
	const struct seal s = {
		.type = type, .vec = vec, .from = from, .len = plaintext_len,
	};

	return epoch_seal(epoch, &s);
}

/* The content type is the last byte that is not zero (RFC 8446 section 5.4). */
static int open_inner_type(const struct socktls_vec *dst, u8 *type, u32 off,
			   u32 *len)
{
	u8 chunk[64];
	u32 left = *len;

	/* a record without padding, as nearly all are */
	if (left && socktls_vec_read(dst, off + left - 1, chunk, 1) &&
	    chunk[0]) {
		*type = chunk[0];
		*len = left - 1;
		return 0;
	}
	while (left) {
		u32 n = min_t(u32, left, sizeof(chunk));
		u32 i = n;

		socktls_vec_read(dst, off + left - n, chunk, n);
		while (i && !chunk[i - 1])
			i--;
		if (i) {
			*type = chunk[i - 1];
			*len = left - n + i - 1;
			return 0;
		}
		left -= n;
	}
	return -ENOMSG;
}

static int open_aead(struct socktls_epoch *e, const struct record_header *h,
		     struct scatterlist *src, struct socktls_vec *dst,
		     u8 *type, u32 *off, u32 *len)
{
	u32 crypt = h->length - e->prefix;
	struct scatterlist *dst_sg = e->sg;
	u32 assoc = RECORD_HEADER_LEN;
	u8 explicit_nonce[8];
	int err = 0;

	*off = RECORD_HEADER_LEN + e->prefix;
	*len = crypt - e->cipher->tag_size;
	if (sg_page(src) == dst->bv[0].bv_page)
		dst_sg = src;	/* in place */
	else
		err = socktls_vec_to_sg(dst, *off + *len, dst_sg,
					ARRAY_SIZE(e->sg));
	if (err)
		return err;
	if (!epoch_is_13(e)) {
		if (e->prefix)
			sg_pcopy_to_buffer(src, sg_nents(src), explicit_nonce,
					   e->prefix, RECORD_HEADER_LEN);
		record_aad_12(e->aad, e->seq, h->type, h->version, *len);
		if (dst_sg != src && *len)
			dst_sg = epoch_sg_12(e, e->dst, dst_sg);
		else
			dst_sg = e->src;
		src = epoch_sg_12(e, e->src, src);
		assoc = RECORD_AAD_LEN_12;
	}
	epoch_nonce(e, e->prefix ? explicit_nonce : NULL);
	aead_request_set_ad(e->req, assoc);
	aead_request_set_crypt(e->req, src, dst_sg, crypt, e->nonce);
	err = crypto_wait_req(crypto_aead_decrypt(e->req), &e->wait);
	if (err)
		return err;
	*type = h->type;
	if (epoch_is_13(e))
		return open_inner_type(dst, type, *off, len);
	return 0;
}

static int open_cbc(struct socktls_epoch *e, const struct record_header *h,
		    struct scatterlist *src, struct socktls_vec *dst,
		    u8 *type, u32 *off, u32 *len)
{
	u32 plain_off;
	int err;

	sg_pcopy_to_buffer(src, sg_nents(src), e->scratch, h->length,
			   RECORD_HEADER_LEN);
	err = socktls_cbc_open(e->cbc, e->seq, h->type, h->version, e->scratch,
			       h->length, &plain_off, len);
	if (err)
		return err;
	*type = h->type;
	*off = RECORD_HEADER_LEN;
	socktls_vec_write(dst, *off, e->scratch + plain_off, *len);
	return 0;
}

static int open_null(const struct record_header *h, struct scatterlist *src,
		     struct socktls_vec *dst, u8 *type, u32 *off, u32 *len)
{
	u32 done = 0;

	while (done < h->length) {
		u8 chunk[128];
		u32 n = min_t(u32, h->length - done, sizeof(chunk));

		sg_pcopy_to_buffer(src, sg_nents(src), chunk, n,
				   RECORD_HEADER_LEN + done);
		socktls_vec_write(dst, RECORD_HEADER_LEN + done, chunk, n);
		done += n;
	}
	*type = h->type;
	*off = RECORD_HEADER_LEN;
	*len = h->length;
	return 0;
}

/**
 * socktls_epoch_open() - check and decrypt one record
 * @epoch: the receive epoch
 * @header: the record's header, already checked against the epoch's limits
 * @src: the whole record, header included; ends with it
 * @dst: kernel memory of at least the record's length; may be what @src
 *	describes, at the same offsets
 * @type: content type, from inside the protection in TLS 1.3
 * @off: where the plaintext starts in @dst
 * @len: its length in bytes
 *
 * Context: process, sk locked, may sleep.
 *
 * Return: 0; -EBADMSG when the record is not authentic; -ENOMSG for an inner
 * plaintext without content type; -EMSGSIZE for a plaintext over 2^14 bytes;
 * -EOVERFLOW when the sequence number would wrap; another negative errno of
 * the crypto API. The sequence number advances only when the record was
 * authentic. On failure @dst must not be shown to anybody.
 */
int socktls_epoch_open(struct socktls_epoch *epoch,
		       const struct record_header *header,
		       struct scatterlist *src, struct socktls_vec *dst,
		       u8 *type, u32 *off, u32 *len)
{
	int err;

	if (epoch->seq == U64_MAX)
		return -EOVERFLOW;
	if (!epoch->cipher)
		err = open_null(header, src, dst, type, off, len);
	else if (epoch->cbc)
		err = open_cbc(epoch, header, src, dst, type, off, len);
	else
		err = open_aead(epoch, header, src, dst, type, off, len);
	if (err)
		return err;
	epoch->seq++;
	return *len > RECORD_MAX_PLAINTEXT ? -EMSGSIZE : 0;
}
