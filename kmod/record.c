// SPDX-License-Identifier: GPL-2.0
/* Records as they are on the wire; see record.h. */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "compat.h"
#include "record.h"

/**
 * record_parse_header() - read the header of a record
 * @bytes: the first five bytes of the record
 * @header: filled; nothing is checked, see record_check_header()
 */
void record_parse_header(const u8 bytes[RECORD_HEADER_LEN],
			 struct record_header *header)
{
	header->type = bytes[0];
	header->version = get_unaligned_be16(bytes + 1);
	header->length = get_unaligned_be16(bytes + 3);
}

/**
 * record_write_header() - write the header of a record
 * @bytes: five bytes of room
 * @type: outer content type
 * @version: legacy_record_version
 * @length: bytes that follow the header
 */
void record_write_header(u8 bytes[RECORD_HEADER_LEN], u8 type, u16 version,
			 u16 length)
{
	bytes[0] = type;
	put_unaligned_be16(version, bytes + 1);
	put_unaligned_be16(length, bytes + 3);
}

/**
 * record_check_header() - can this be a record under the current protection?
 * @header: as parsed
 * @limits: what the current epoch allows
 *
 * In this order, which is that of stock kTLS:
 *
 * Return: 0; -ENOMSG for a content type that TLS does not have; -EMSGSIZE for a
 * length over the limit; -EBADMSG for one that cannot hold the protection's
 * overhead, or an empty record where the content type forbids it (RFC 8446
 * section 5.1); -EINVAL for a wrong version.
 */
int record_check_header(const struct record_header *header,
			const struct record_limits *limits)
{
	if (!limits->any_type && (header->type < RECORD_CHANGE_CIPHER_SPEC ||
				  header->type > RECORD_APPLICATION_DATA))
		return -ENOMSG;
	if (header->length > limits->max_length)
		return -EMSGSIZE;
	if (header->length < limits->min_length)
		return -EBADMSG;
	if (limits->version ? header->version != limits->version :
			      header->version >> 8 != RECORD_TLS_1_2 >> 8 ||
			      (header->version & 0xff) > 4)
		return -EINVAL;
	return 0;
}

/**
 * record_nonce_xor() - per-record nonce of RFC 8446 5.3 and RFC 7905 section 2
 * @nonce: result
 * @iv: write IV
 * @seq: sequence number of the record
 */
void record_nonce_xor(u8 nonce[RECORD_NONCE_LEN],
		      const u8 iv[RECORD_NONCE_LEN], u64 seq)
{
	memcpy(nonce, iv, 4);
	put_unaligned_be64(get_unaligned_be64(iv + 4) ^ seq, nonce + 4);
}

/**
 * record_nonce_explicit() - nonce of RFC 5288 section 3
 * @nonce: result
 * @salt: implicit part, from the key block
 * @explicit_nonce: explicit part, carried by the record
 */
void record_nonce_explicit(u8 nonce[RECORD_NONCE_LEN], const u8 salt[4],
			   const u8 explicit_nonce[8])
{
	memcpy(nonce, salt, 4);
	memcpy(nonce + 4, explicit_nonce, 8);
}

/**
 * record_aad_12() - additional data of RFC 5246 section 6.2.3.3
 * @aad: result
 * @seq: sequence number of the record
 * @type: content type
 * @version: of the record
 * @plaintext_len: length of the plaintext in bytes
 */
void record_aad_12(u8 aad[RECORD_AAD_LEN_12], u64 seq, u8 type, u16 version,
		   u16 plaintext_len)
{
	put_unaligned_be64(seq, aad);
	record_write_header(aad + 8, type, version, plaintext_len);
}

/**
 * record_fragment_len() - plaintext of the next record of a longer write
 * @left: bytes not yet in a record
 * @max_plaintext: the most that one record may hold, at least 1
 *
 * Return: bytes for the next record, at most @max_plaintext.
 */
u32 record_fragment_len(u32 left, u32 max_plaintext)
{
	return min(left, max_plaintext);
}

static u32 tracker_take_header(struct handshake_tracker *t, const u8 *bytes,
			       u32 len)
{
	u32 n = min_t(u32, len, sizeof(t->header) - t->header_len);

	memcpy(t->header + t->header_len, bytes, n);
	t->header_len += n;
	if (t->header_len == sizeof(t->header))
		t->left = get_unaligned_be32(t->header) & 0xffffff;
	return n;
}

/**
 * handshake_track() - follow handshake messages through a record's content
 * @tracker: zeroed at the start of an encryption level
 * @bytes: handshake bytes, any chunking
 * @len: their number
 *
 * Return: true when a Finished message has ended in these bytes or before
 * them: what follows this record is under another key (RFC 8446 section 4.4.4),
 * so delivery pauses at its end.
 */
bool handshake_track(struct handshake_tracker *tracker, const u8 *bytes,
		     u32 len)
{
	while (len) {
		u32 n;

		if (tracker->header_len < sizeof(tracker->header)) {
			n = tracker_take_header(tracker, bytes, len);
		} else {
			n = min(len, tracker->left);
			tracker->left -= n;
		}
		bytes += n;
		len -= n;
		if (tracker->header_len == sizeof(tracker->header) &&
		    !tracker->left) {
			if (tracker->header[0] == HANDSHAKE_FINISHED)
				tracker->finished = true;
			tracker->header_len = 0;
		}
	}
	return tracker->finished;
}

static enum delivery delivery_without_key(u16 version, u8 type)
{
	switch (type) {
	case RECORD_HANDSHAKE:
	case RECORD_ALERT:
		return DELIVERY_OPEN;
	case RECORD_CHANGE_CIPHER_SPEC:
		if (version == RECORD_TLS_1_3)
			return DELIVERY_DROP;
		return version ? DELIVERY_OPEN : DELIVERY_PAUSE;
	}
	return DELIVERY_PAUSE;
}

static enum delivery delivery_13(const struct delivery_state *at, u8 type)
{
	switch (type) {
	case RECORD_APPLICATION_DATA:
		return at->application || at->finished ? DELIVERY_PAUSE :
							 DELIVERY_OPEN;
	case RECORD_CHANGE_CIPHER_SPEC:
		return at->application || at->finished ? DELIVERY_REFUSE :
							 DELIVERY_DROP;
	case RECORD_ALERT:
		return at->protected ? DELIVERY_REFUSE : DELIVERY_PLAINTEXT;
	}
	return DELIVERY_REFUSE;
}

/**
 * record_delivery() - may the head record be opened during a handshake?
 * @at: where the handshake is
 * @outer_type: content type in the record's header
 *
 * The delivery rule of Documentation/architecture.md: a record is opened only
 * under a key that is surely its own. What cannot be is kept while the helper
 * may still bring the key, see RFC 8446 section 5 and appendix D.4 for TLS 1.3
 * and RFC 5246 section 7.1 for the change_cipher_spec of TLS 1.2.
 *
 * Return: what becomes of it.
 */
enum delivery record_delivery(const struct delivery_state *at, u8 outer_type)
{
	if (!at->keyed)
		return delivery_without_key(at->version, outer_type);
	if (at->version == RECORD_TLS_1_3)
		return delivery_13(at, outer_type);
	return outer_type == RECORD_APPLICATION_DATA ? DELIVERY_PAUSE :
						       DELIVERY_OPEN;
}
