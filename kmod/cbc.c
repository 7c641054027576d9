// SPDX-License-Identifier: GPL-2.0
/*
 * TLS 1.2 records of block ciphers with MAC keys (RFC 5246 section 6.2.3.2),
 * MAC-then-encrypt and encrypt-then-MAC (RFC 7366).
 *
 * Opening a MAC-then-encrypt record is the delicate part: how long the padding
 * is must show neither in time nor in the memory touched, whether the record is
 * authentic or not, or a peer's plaintext can be guessed byte by byte (Lucky
 * Thirteen). What may be known of a record is its length on the wire, no more.
 * So this file
 *
 * - looks at as many trailing bytes as the longest padding would have;
 * - feeds the hash whole blocks only, as many for every padding, with the
 *   hash's own end (0x80, zeros, length) put in by masks where it belongs, and
 *   keeps by a mask the state after the block that was the last;
 * - collects the MAC from everywhere it could be, by masks, and turns it into
 *   place in steps that do not depend on where it was;
 * - computes even the verdict without a branch.
 *
 * The kernel's hash API has no call for a single compression, but a hash that
 * was given whole blocks exports its chaining value.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/compiler.h>
#include <linux/crypto.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "cbc.h"

/* What is authenticated before the plaintext: seq, type, version, length */
#define MAC_HEADER_SIZE	13

/* Bytes of padding, the byte with its length among them */
#define MAX_PADDING	256

/**
 * struct socktls_cbc - one direction's keys, and room to work for one record
 * @desc: the algorithms
 * @encrypt_then_mac: RFC 7366, else MAC-then-encrypt
 * @cipher: keyed with the write key
 * @hash: the bare hash
 * @request: the cipher's request
 * @hasher: the hash's running state
 * @inner: exported state after the block of MAC key and ipad
 * @outer: exported state after the block of MAC key and opad
 * @state: room to export a state into
 * @block: a block of the hash's input in the making
 * @digest: the inner hash's digest, then the MAC as it should be
 * @mac: the MAC found in a record
 * @turned: room to turn @mac
 * @iv: the cipher's, which it overwrites
 *
 * The caller's lock of the connection guards all of it.
 */
struct socktls_cbc {
	const struct socktls_cbc_desc *desc;
	bool encrypt_then_mac;
	struct crypto_skcipher *cipher;
	struct crypto_shash *hash;
	struct skcipher_request *request;
	struct shash_desc *hasher;
	u8 *inner;
	u8 *outer;
	u8 *state;
	u8 block[SOCKTLS_CBC_MAX_HASH_BLOCK] __aligned(8);
	u8 digest[SOCKTLS_CBC_MAX_MAC] __aligned(8);
	u8 mac[SOCKTLS_CBC_MAX_MAC];
	u8 turned[SOCKTLS_CBC_MAX_MAC];
	u8 iv[SOCKTLS_CBC_MAX_BLOCK] __aligned(8);
};

/*
 * Masks: all ones for true, zero for false. Operands are lengths and offsets,
 * far below 2^31. The compiler is kept from knowing that a mask has but two
 * values, or it may well branch on it.
 */

static inline u32 mask_of_bit(u32 bit)
{
	OPTIMIZER_HIDE_VAR(bit);
	return -bit;
}

static inline u32 mask_lt(u32 a, u32 b)
{
	return mask_of_bit((a - b) >> 31);
}

static inline u32 mask_eq(u32 a, u32 b)
{
	u32 diff = a ^ b;

	return mask_of_bit((diff - 1) >> 31);
}

static inline u32 mask_select(u32 mask, u32 if_true, u32 if_false)
{
	return if_false ^ (mask & (if_true ^ if_false));
}

/* --- hash and HMAC --- */

static void put_mac_header(u8 *header, u64 seq, u8 type, u16 version, u32 len)
{
	put_unaligned_be64(seq, header);
	header[8] = type;
	put_unaligned_be16(version, header + 9);
	put_unaligned_be16(len, header + 11);
}

/* Bytes of the length that ends the hash's input */
static u32 hash_length_size(const struct socktls_cbc_desc *desc)
{
	return desc->hash_block_size / 8;
}

/*
 * The digest, if the blocks up to now were the whole input. Every
 * implementation of SHA-1 and SHA-2 puts the chaining value, native words,
 * first in what it exports; hash_check_export() makes sure of it.
 */
static int hash_export_digest(struct socktls_cbc *cbc, u8 *digest)
{
	const struct socktls_cbc_desc *desc = cbc->desc;
	u32 i;
	int err;

	err = crypto_shash_export(cbc->hasher, cbc->state);
	if (err)
		return err;
	if (desc->hash_block_size == 64)
		for (i = 0; i < desc->mac_size; i += 4)
			put_unaligned_be32(*(u32 *)(cbc->state + i),
					   digest + i);
	else
		for (i = 0; i < desc->mac_size; i += 8)
			put_unaligned_be64(*(u64 *)(cbc->state + i),
					   digest + i);
	return 0;
}

/* Replaces an inner digest by the HMAC */
static int hmac_finish(struct socktls_cbc *cbc, u8 *digest)
{
	return crypto_shash_import(cbc->hasher, cbc->outer) ?:
	       crypto_shash_finup(cbc->hasher, digest, cbc->desc->mac_size,
				  digest);
}

/* The HMAC of a record whose length is no secret */
static int hmac_record(struct socktls_cbc *cbc, const u8 *header,
		       const u8 *data, u32 len, u8 *mac)
{
	return crypto_shash_import(cbc->hasher, cbc->inner) ?:
	       crypto_shash_update(cbc->hasher, header, MAC_HEADER_SIZE) ?:
	       crypto_shash_finup(cbc->hasher, data, len, mac) ?:
	       hmac_finish(cbc, mac);
}

/* --- MAC-then-encrypt: the HMAC of a record whose length is a secret --- */

/**
 * struct secret_message - what a MAC-then-encrypt record authenticates
 * @header: its first bytes
 * @data: the bytes after the header, then MAC and padding
 * @data_len: bytes at @data, MAC and padding among them; public
 * @min: bytes to be authenticated, header included, at least; public
 * @max: and at most; public
 * @len: and in fact; secret
 */
struct secret_message {
	u8 header[MAC_HEADER_SIZE];
	const u8 *data;
	u32 data_len;
	u32 min;
	u32 max;
	u32 len;
};

/* Blocks that a message of @len bytes fills, with the end the hash adds */
static u32 message_blocks(const struct socktls_cbc_desc *desc, u32 len)
{
	u32 shift = ilog2(desc->hash_block_size);

	return (len + hash_length_size(desc) + desc->hash_block_size) >> shift;
}

/* @pos is public */
static u8 message_byte(const struct secret_message *msg, u32 pos)
{
	if (pos < MAC_HEADER_SIZE)
		return msg->header[pos];
	pos -= MAC_HEADER_SIZE;
	return pos < msg->data_len ? msg->data[pos] : 0;
}

/* Hashes the @count blocks that hold message bytes only, whatever its length */
static int message_update_prefix(struct socktls_cbc *cbc,
				 const struct secret_message *msg, u32 count)
{
	u32 block_size = cbc->desc->hash_block_size;
	u32 first = block_size - MAC_HEADER_SIZE;

	if (!count)
		return 0;
	memcpy(cbc->block, msg->header, MAC_HEADER_SIZE);
	memcpy(cbc->block + MAC_HEADER_SIZE, msg->data, first);
	return crypto_shash_update(cbc->hasher, cbc->block, block_size) ?:
	       crypto_shash_update(cbc->hasher, msg->data + first,
				   (count - 1) * block_size);
}

/* Makes block @index: message, 0x80 after it, zeros */
static void message_fill_block(struct socktls_cbc *cbc,
			       const struct secret_message *msg, u32 index)
{
	u32 block_size = cbc->desc->hash_block_size;
	u32 pos = index * block_size;
	u32 i;

	for (i = 0; i < block_size; i++, pos++)
		cbc->block[i] =
			(message_byte(msg, pos) & mask_lt(pos, msg->len)) |
			(0x80 & mask_eq(pos, msg->len));
}

/* Ends the block with the length of what was hashed, ipad and all, if @last */
static void message_put_length(struct socktls_cbc *cbc,
			       const struct secret_message *msg, u32 last)
{
	u32 block_size = cbc->desc->hash_block_size;
	u8 *end = cbc->block + block_size - sizeof(u32);
	u32 bits = (msg->len + block_size) * 8;

	put_unaligned_be32(get_unaligned_be32(end) | (bits & last), end);
}

/*
 * The HMAC of @msg, to cbc->digest. The number of compressions and their memory
 * depend on the message's bounds, not on its length.
 */
static int message_hmac(struct socktls_cbc *cbc,
			const struct secret_message *msg)
{
	const struct socktls_cbc_desc *desc = cbc->desc;
	u32 end = message_blocks(desc, msg->max);
	u32 last_index = message_blocks(desc, msg->len) - 1;
	u32 index = msg->min / desc->hash_block_size;
	u8 digest[SOCKTLS_CBC_MAX_MAC];
	u32 i, last;
	int err;

	err = crypto_shash_import(cbc->hasher, cbc->inner) ?:
	      message_update_prefix(cbc, msg, index);
	memset(cbc->digest, 0, desc->mac_size);
	for (; !err && index < end; index++) {
		last = mask_eq(index, last_index);
		message_fill_block(cbc, msg, index);
		message_put_length(cbc, msg, last);
		err = crypto_shash_update(cbc->hasher, cbc->block,
					  desc->hash_block_size) ?:
		      hash_export_digest(cbc, digest);
		for (i = 0; i < desc->mac_size; i++)
			cbc->digest[i] |= digest[i] & last;
	}
	memzero_explicit(digest, sizeof(digest));
	return err ?: hmac_finish(cbc, cbc->digest);
}

/* Turns cbc->mac left by @by bytes, below @size, a secret */
static void mac_turn(struct socktls_cbc *cbc, u32 size, u32 by)
{
	u32 step, i, from, mask;

	for (step = 1; step < size; step <<= 1, by >>= 1) {
		mask = mask_of_bit(by & 1);
		for (i = 0; i < size; i++) {
			from = i + step < size ? i + step : i + step - size;
			cbc->turned[i] = mask_select(mask, cbc->mac[from],
						     cbc->mac[i]);
		}
		memcpy(cbc->mac, cbc->turned, size);
	}
}

/*
 * Copies the MAC at @start in @data, a secret from @min to @max, to cbc->mac:
 * every byte it may lie in is read, and lands where its place modulo the MAC's
 * size says.
 */
static void mac_extract(struct socktls_cbc *cbc, const u8 *data, u32 start,
			u32 min, u32 max)
{
	u32 size = cbc->desc->mac_size;
	u32 pos, inside, slot = 0, first = 0;

	memset(cbc->mac, 0, size);
	for (pos = min; pos < max + size; pos++) {
		inside = ~mask_lt(pos, start) & mask_lt(pos, start + size);
		cbc->mac[slot] |= data[pos] & inside;
		first |= slot & mask_eq(pos, start);
		slot = slot + 1 < size ? slot + 1 : 0;
	}
	mac_turn(cbc, size, first);
}

/* --- padding --- */

/* Appends as little padding as makes @len a multiple of the block size */
static u32 padding_put(const struct socktls_cbc_desc *desc, u8 *data, u32 len)
{
	u32 padding = desc->block_size - len % desc->block_size;

	memset(data + len, padding - 1, padding);
	return len + padding;
}

/*
 * Checks the padding that ends the @len bytes at @data, behind a MAC of
 * @mac_size bytes; @len and @mac_size are public, and leave room for a padding
 * of one byte. Returns the secret length of the padding, one byte if it is not
 * well formed, in which case *@good becomes 0, else all ones.
 */
static u32 padding_check(const u8 *data, u32 len, u32 mac_size, u32 *good)
{
	u32 value = data[len - 1];
	u32 limit = min_t(u32, MAX_PADDING, len - mac_size);
	u32 ok = mask_lt(value, limit);
	u32 wrong = 0;
	u32 i;

	for (i = 1; i < limit; i++)
		wrong |= (data[len - 1 - i] ^ value) & ~mask_lt(value, i);
	ok &= mask_eq(wrong, 0);
	*good = ok;
	return (value & ok) + 1;
}

/* --- cipher --- */

/* Sleeps until the cipher is done, whether or not it works asynchronously */
static int cipher_run(struct socktls_cbc *cbc, u8 *buf, u32 len,
		      int (*run)(struct skcipher_request *request))
{
	struct scatterlist sg;
	DECLARE_CRYPTO_WAIT(wait);

	memcpy(cbc->iv, buf, cbc->desc->block_size);
	sg_init_one(&sg, buf + cbc->desc->block_size, len);
	skcipher_request_set_callback(cbc->request, CRYPTO_TFM_REQ_MAY_BACKLOG |
				      CRYPTO_TFM_REQ_MAY_SLEEP,
				      crypto_req_done, &wait);
	skcipher_request_set_crypt(cbc->request, &sg, &sg, len, cbc->iv);
	return crypto_wait_req(run(cbc->request), &wait);
}

/* --- lengths --- */

/**
 * socktls_cbc_fragment_len() - how long a record gets
 * @cbc: the keys
 * @plaintext_len: bytes of plaintext
 *
 * Return: bytes on the wire after the record header: IV, ciphertext and, with
 * encrypt-then-MAC, MAC.
 */
u32 socktls_cbc_fragment_len(const struct socktls_cbc *cbc, u32 plaintext_len)
{
	const struct socktls_cbc_desc *desc = cbc->desc;
	u32 len = plaintext_len;

	if (cbc->encrypt_then_mac)
		return desc->block_size + desc->mac_size +
		       round_down(len + desc->block_size, desc->block_size);
	len += desc->mac_size;
	return desc->block_size +
	       round_down(len + desc->block_size, desc->block_size);
}

/**
 * socktls_cbc_min_fragment() - how short a record can be
 * @cbc: the keys
 *
 * Longer ones may still have a length no record can have; socktls_cbc_open()
 * refuses them. The upper bound is SOCKTLS_CBC_MAX_FRAGMENT.
 *
 * Return: bytes on the wire after the record header, at least.
 */
u32 socktls_cbc_min_fragment(const struct socktls_cbc *cbc)
{
	return socktls_cbc_fragment_len(cbc, 0);
}

static bool fragment_len_valid(const struct socktls_cbc *cbc, u32 fragment_len)
{
	u32 mac_size = cbc->encrypt_then_mac ? cbc->desc->mac_size : 0;

	return fragment_len >= socktls_cbc_min_fragment(cbc) &&
	       fragment_len <= SOCKTLS_CBC_MAX_FRAGMENT &&
	       (fragment_len - mac_size) % cbc->desc->block_size == 0;
}

/* --- seal --- */

static int seal_mac_then_encrypt(struct socktls_cbc *cbc, u8 *header, u8 *buf,
				 u32 plaintext_len)
{
	u8 *data = buf + cbc->desc->block_size;
	u32 len = plaintext_len + cbc->desc->mac_size;
	int err;

	err = hmac_record(cbc, header, data, plaintext_len, cbc->digest);
	if (err)
		return err;
	memcpy(data + plaintext_len, cbc->digest, cbc->desc->mac_size);
	len = padding_put(cbc->desc, data, len);
	return cipher_run(cbc, buf, len, crypto_skcipher_encrypt);
}

static int seal_encrypt_then_mac(struct socktls_cbc *cbc, u8 *header, u8 *buf,
				 u32 plaintext_len)
{
	u32 block_size = cbc->desc->block_size;
	u32 len;
	int err;

	len = padding_put(cbc->desc, buf + block_size, plaintext_len);
	put_unaligned_be16(block_size + len, header + 11);
	err = cipher_run(cbc, buf, len, crypto_skcipher_encrypt) ?:
	      hmac_record(cbc, header, buf, block_size + len, cbc->digest);
	if (err)
		return err;
	memcpy(buf + block_size + len, cbc->digest, cbc->desc->mac_size);
	return 0;
}

/**
 * socktls_cbc_seal() - protect a record in place
 * @cbc: the keys to write with
 * @seq: the record's sequence number
 * @type: its content type
 * @version: its protocol version, as on the wire
 * @buf: linear memory from kmalloc() or the like: desc->block_size bytes of
 *	room for the IV, the plaintext, then room up to
 *	socktls_cbc_fragment_len(); best aligned to the block size, or the
 *	cipher copies blocks that lie across pages
 * @plaintext_len: bytes of plaintext, at most SOCKTLS_CBC_MAX_PLAINTEXT
 * @fragment_len: set to the bytes at @buf that go after the record header
 *
 * Context: process; may sleep. One call at a time for a @cbc.
 * Return: 0; -EINVAL for too long a plaintext; or what hash and cipher return,
 * as -ENOMEM, with nothing to be sent at @buf.
 */
int socktls_cbc_seal(struct socktls_cbc *cbc, u64 seq, u8 type, u16 version,
		     u8 *buf, u32 plaintext_len, u32 *fragment_len)
{
	u8 header[MAC_HEADER_SIZE];
	int err;

	if (plaintext_len > SOCKTLS_CBC_MAX_PLAINTEXT)
		return -EINVAL;
	put_mac_header(header, seq, type, version, plaintext_len);
	get_random_bytes(buf, cbc->desc->block_size);
	if (cbc->encrypt_then_mac)
		err = seal_encrypt_then_mac(cbc, header, buf, plaintext_len);
	else
		err = seal_mac_then_encrypt(cbc, header, buf, plaintext_len);
	if (!err)
		*fragment_len = socktls_cbc_fragment_len(cbc, plaintext_len);
	return err;
}

/* --- open --- */

/*
 * Both set *@good to all ones for an authentic record, else to 0, and
 * *@plaintext_len, a secret as long as *@good is not known to all.
 */

static int open_mac_then_encrypt(struct socktls_cbc *cbc,
				 struct secret_message *msg, u8 *buf, u32 *good,
				 u32 *plaintext_len)
{
	u32 mac_size = cbc->desc->mac_size;
	u32 padding, len, min, max, equal;
	int err;

	err = cipher_run(cbc, buf, msg->data_len, crypto_skcipher_decrypt);
	if (err)
		return err;
	padding = padding_check(msg->data, msg->data_len, mac_size, good);
	len = msg->data_len - mac_size - padding;
	max = msg->data_len - mac_size - 1;
	min = max - min_t(u32, max, MAX_PADDING - 1);

	put_unaligned_be16(len, msg->header + 11);
	msg->len = MAC_HEADER_SIZE + len;
	msg->min = MAC_HEADER_SIZE + min;
	msg->max = MAC_HEADER_SIZE + max;
	err = message_hmac(cbc, msg);
	if (err)
		return err;
	mac_extract(cbc, msg->data, len, min, max);
	equal = !crypto_memneq(cbc->mac, cbc->digest, mac_size);
	*good &= mask_of_bit(equal);
	*plaintext_len = len;
	return 0;
}

static int open_encrypt_then_mac(struct socktls_cbc *cbc, u8 *header, u8 *buf,
				 u32 fragment_len, u32 *good,
				 u32 *plaintext_len)
{
	u32 block_size = cbc->desc->block_size;
	u32 mac_size = cbc->desc->mac_size;
	u32 len = fragment_len - mac_size;
	int err;

	put_unaligned_be16(len, header + 11);
	err = hmac_record(cbc, header, buf, len, cbc->digest);
	if (err)
		return err;
	*good = 0;
	*plaintext_len = 0;
	if (crypto_memneq(buf + len, cbc->digest, mac_size))
		return 0;
	len -= block_size;
	err = cipher_run(cbc, buf, len, crypto_skcipher_decrypt);
	if (err)
		return err;
	*plaintext_len = len - padding_check(buf + block_size, len, 0, good);
	return 0;
}

/* Without a branch: an authentic record, too, takes the same time */
static int open_verdict(u32 good, u32 len, u32 *plaintext_len)
{
	u32 too_long = mask_lt(SOCKTLS_CBC_MAX_PLAINTEXT, len);

	*plaintext_len = len & good & ~too_long;
	return -(int)mask_select(good, EMSGSIZE & too_long, EBADMSG);
}

/**
 * socktls_cbc_open() - check and decrypt a record in place
 * @cbc: the keys to read with
 * @seq: the record's sequence number
 * @type: the content type of its header
 * @version: the protocol version of its header
 * @buf: the fragment: all bytes after the record header; memory as for
 *	socktls_cbc_seal(). Nothing of it may be used unless 0 is returned.
 * @fragment_len: bytes at @buf
 * @plaintext_off: set to where in @buf the plaintext starts
 * @plaintext_len: set to its bytes, 0 unless 0 is returned
 *
 * What a MAC-then-encrypt record's padding is, and whether it or the MAC is
 * wrong, shows in the return value alone, not in time or memory touched.
 *
 * Context: process; may sleep. One call at a time for a @cbc.
 * Return: 0; -EBADMSG if length, padding or MAC is wrong (bad_record_mac);
 * -EMSGSIZE if the record is authentic, but its plaintext longer than
 * SOCKTLS_CBC_MAX_PLAINTEXT (record_overflow); or what hash and cipher return
 * for want of something here, as -ENOMEM.
 */
int socktls_cbc_open(struct socktls_cbc *cbc, u64 seq, u8 type, u16 version,
		     u8 *buf, u32 fragment_len, u32 *plaintext_off,
		     u32 *plaintext_len)
{
	u32 block_size = cbc->desc->block_size;
	struct secret_message msg = {
		.data = buf + block_size,
		.data_len = fragment_len - block_size,
	};
	u32 good, len;
	int err;

	*plaintext_off = block_size;
	*plaintext_len = 0;
	if (!fragment_len_valid(cbc, fragment_len))
		return -EBADMSG;
	put_mac_header(msg.header, seq, type, version, 0);
	if (cbc->encrypt_then_mac)
		err = open_encrypt_then_mac(cbc, msg.header, buf, fragment_len,
					    &good, &len);
	else
		err = open_mac_then_encrypt(cbc, &msg, buf, &good, &len);
	if (!err)
		err = open_verdict(good, len, plaintext_len);
	memzero_explicit(&msg, sizeof(msg));
	return err;
}

/* --- life --- */

/* Exports the state after the block of MAC key and @pad */
static int hash_export_key(struct socktls_cbc *cbc, const u8 *mac_key, u8 pad,
			   u8 *state)
{
	u32 i;

	memset(cbc->block, pad, cbc->desc->hash_block_size);
	for (i = 0; i < cbc->desc->mac_size; i++)
		cbc->block[i] ^= mac_key[i];
	return crypto_shash_init(cbc->hasher) ?:
	       crypto_shash_update(cbc->hasher, cbc->block,
				   cbc->desc->hash_block_size) ?:
	       crypto_shash_export(cbc->hasher, state);
}

/*
 * Ends the hash of the inner key block by itself and by a block of ours, and
 * compares: does this implementation export what hash_export_digest() expects?
 */
static int hash_check_export(struct socktls_cbc *cbc)
{
	u32 block_size = cbc->desc->hash_block_size;
	int err;

	memset(cbc->block, 0, block_size);
	cbc->block[0] = 0x80;
	put_unaligned_be16(block_size * 8, cbc->block + block_size - 2);
	err = crypto_shash_import(cbc->hasher, cbc->inner) ?:
	      crypto_shash_final(cbc->hasher, cbc->digest) ?:
	      crypto_shash_import(cbc->hasher, cbc->inner) ?:
	      crypto_shash_update(cbc->hasher, cbc->block, block_size) ?:
	      hash_export_digest(cbc, cbc->mac);
	if (err)
		return err;
	if (!crypto_memneq(cbc->mac, cbc->digest, cbc->desc->mac_size))
		return 0;
	pr_warn_once("socktls: %s exports its state in an unknown form\n",
		     crypto_shash_driver_name(cbc->hash));
	return -EOPNOTSUPP;
}

static int cbc_set_cipher(struct socktls_cbc *cbc, const u8 *key)
{
	struct crypto_skcipher *cipher;

	cipher = crypto_alloc_skcipher(cbc->desc->cipher, 0, 0);
	if (IS_ERR(cipher))
		return PTR_ERR(cipher);
	cbc->cipher = cipher;
	if (crypto_skcipher_ivsize(cipher) != cbc->desc->block_size ||
	    cbc->desc->block_size > SOCKTLS_CBC_MAX_BLOCK)
		return -EINVAL;
	cbc->request = skcipher_request_alloc(cipher, GFP_KERNEL);
	if (!cbc->request)
		return -ENOMEM;
	return crypto_skcipher_setkey(cipher, key, cbc->desc->key_size);
}

static int cbc_alloc_hash(struct socktls_cbc *cbc)
{
	const struct socktls_cbc_desc *desc = cbc->desc;
	struct crypto_shash *hash;
	u32 size;

	hash = crypto_alloc_shash(desc->hash, 0, 0);
	if (IS_ERR(hash))
		return PTR_ERR(hash);
	cbc->hash = hash;
	size = ALIGN(crypto_shash_statesize(hash), sizeof(u64));
	if (crypto_shash_digestsize(hash) != desc->mac_size ||
	    crypto_shash_blocksize(hash) != desc->hash_block_size ||
	    desc->mac_size > SOCKTLS_CBC_MAX_MAC || size < desc->mac_size)
		return -EINVAL;
	cbc->hasher = kzalloc(sizeof(*cbc->hasher) +
			      crypto_shash_descsize(hash), GFP_KERNEL);
	cbc->inner = kzalloc(3 * size, GFP_KERNEL);
	if (!cbc->hasher || !cbc->inner)
		return -ENOMEM;
	cbc->hasher->tfm = hash;
	cbc->outer = cbc->inner + size;
	cbc->state = cbc->outer + size;
	return 0;
}

static int cbc_set_hash(struct socktls_cbc *cbc, const u8 *mac_key)
{
	return cbc_alloc_hash(cbc) ?:
	       hash_export_key(cbc, mac_key, 0x36, cbc->inner) ?:
	       hash_export_key(cbc, mac_key, 0x5c, cbc->outer) ?:
	       hash_check_export(cbc);
}

/**
 * socktls_cbc_new() - take the keys of one direction
 * @desc: the algorithms; must outlive the keys
 * @key: the write key, desc->key_size bytes
 * @mac_key: the MAC key, desc->mac_size bytes
 * @encrypt_then_mac: RFC 7366, else MAC-then-encrypt
 *
 * The keys are copied.
 *
 * Context: process; may sleep, and load modules.
 * Return: the keys, which the caller frees with socktls_cbc_free(), or an
 * ERR_PTR(): -ENOENT if the kernel has no such cipher or hash; -EINVAL if they
 * are not of @desc's sizes; -EOPNOTSUPP if the hash exports its state in a
 * form unknown here; -ENOMEM.
 */
struct socktls_cbc *socktls_cbc_new(const struct socktls_cbc_desc *desc,
				    const u8 *key, const u8 *mac_key,
				    bool encrypt_then_mac)
{
	struct socktls_cbc *cbc;
	int err;

	cbc = kzalloc(sizeof(*cbc), GFP_KERNEL);
	if (!cbc)
		return ERR_PTR(-ENOMEM);
	cbc->desc = desc;
	cbc->encrypt_then_mac = encrypt_then_mac;
	err = cbc_set_cipher(cbc, key) ?: cbc_set_hash(cbc, mac_key);
	if (err) {
		socktls_cbc_free(cbc);
		return ERR_PTR(err);
	}
	return cbc;
}

/**
 * socktls_cbc_free() - wipe and free keys
 * @cbc: the keys, or NULL
 *
 * Context: any but hard interrupts.
 */
void socktls_cbc_free(struct socktls_cbc *cbc)
{
	if (!cbc)
		return;
	skcipher_request_free(cbc->request);
	crypto_free_skcipher(cbc->cipher);
	kfree_sensitive(cbc->hasher);
	kfree_sensitive(cbc->inner);
	crypto_free_shash(cbc->hash);
	kfree_sensitive(cbc);
}
