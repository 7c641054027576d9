// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "engine/pem.h"
#include "engine/trust.h"

#define PIN_PREFIX	"sha256/"
#define PIN_BASE64	44	/* 32 bytes */
#define PINS_MAX	256
#define NAMES_MAX	65535	/* a CertificateRequest's vector */

static void trust_free(struct engine_trust *trust)
{
	X509_STORE_free(trust->store);
	writer_free(&trust->names);
	free(trust->pins);
	free(trust);
}

static bool add_name(struct engine_trust *trust, X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(cert), &der);

	if (len > 0 && trust->names.len + 2 + len <= NAMES_MAX)
		writer_vector(&trust->names, 2, bytes_of(der, len));
	OPENSSL_free(der);
	return len > 0 && !trust->names.bad;
}

static bool add_info(struct engine_trust *trust, const X509_INFO *info,
		     unsigned int *certs)
{
	if (info->x509) {
		(*certs)++;
		if (X509_STORE_add_cert(trust->store, info->x509) != 1 ||
		    !add_name(trust, info->x509))
			return false;
	}
	if (info->crl) {
		trust->have_crl = true;
		if (X509_STORE_add_crl(trust->store, info->crl) != 1)
			return false;
	}
	return true;
}

static int read_pem(struct engine_trust *trust, struct engine_bytes value,
		    char *error_text, size_t error_len)
{
	BIO *bio = BIO_new_mem_buf(value.len ? (const void *)value.data : "",
				   value.len);
	STACK_OF(X509_INFO) *infos = NULL;
	unsigned int certs = 0;
	bool encrypted = false;
	int ret = -ENOMEM;
	int i;

	if (!bio)
		return -ENOMEM;
	infos = PEM_X509_INFO_read_bio(bio, NULL, no_passphrase, &encrypted);
	for (i = 0; infos && i < sk_X509_INFO_num(infos); i++)
		if (!add_info(trust, sk_X509_INFO_value(infos, i), &certs))
			goto out;
	ret = 0;
	if (!certs) {
		snprintf(error_text, error_len, encrypted ?
			 "encrypted PEM: store it without a passphrase" :
			 "neither PEM certificates nor pins (sha256/BASE64)");
		ret = -EINVAL;
	}
out:
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	BIO_free(bio);
	ERR_clear_error();
	return ret;
}

static bool decode_pin(uint8_t pin[PIN_LEN], const char *line, size_t len)
{
	uint8_t out[PIN_BASE64 / 4 * 3];
	size_t prefix = strlen(PIN_PREFIX);

	if (len != prefix + PIN_BASE64 || memcmp(line, PIN_PREFIX, prefix) ||
	    line[len - 1] != '=' || line[len - 2] == '=')
		return false;
	if (EVP_DecodeBlock(out, (const uint8_t *)line + prefix, PIN_BASE64) !=
	    sizeof(out))
		return false;
	memcpy(pin, out, PIN_LEN);
	return true;
}

static int read_pins(struct engine_trust *trust, struct engine_bytes value,
		     char *error_text, size_t error_len)
{
	const char *line = (const char *)value.data;
	const char *end = line + value.len;

	trust->pins = calloc(PINS_MAX, sizeof(*trust->pins));
	if (!trust->pins)
		return -ENOMEM;
	while (line < end) {
		const char *next = memchr(line, '\n', end - line);
		size_t len = (next ? next : end) - line;

		if (len && line[len - 1] == '\r')
			len--;
		if (len && trust->n_pins == PINS_MAX) {
			snprintf(error_text, error_len,
				 "more than %d pins", PINS_MAX);
			return -EINVAL;
		}
		if (len && !decode_pin(trust->pins[trust->n_pins++], line,
				       len)) {
			snprintf(error_text, error_len,
				 "pin %zu is not sha256/ and 44 characters of base64",
				 trust->n_pins);
			return -EINVAL;
		}
		line = next ? next + 1 : end;
	}
	return 0;
}

int engine_trust_new(struct engine_trust **trust, struct engine_bytes value,
		     char *error_text, size_t error_len)
{
	struct engine_trust *new = calloc(1, sizeof(*new));
	size_t prefix = strlen(PIN_PREFIX);
	int ret = -ENOMEM;

	if (!new)
		return -ENOMEM;
	atomic_init(&new->references, 1);
	new->store = X509_STORE_new();
	if (!new->store)
		goto fail;
	if (value.len >= prefix && !memcmp(value.data, PIN_PREFIX, prefix))
		ret = read_pins(new, value, error_text, error_len);
	else
		ret = read_pem(new, value, error_text, error_len);
	if (ret)
		goto fail;
	*trust = new;
	return 0;
fail:
	trust_free(new);
	return ret;
}

bool engine_trust_has_crl(const struct engine_trust *trust)
{
	return trust->have_crl;
}

struct engine_trust *engine_trust_get(struct engine_trust *trust)
{
	atomic_fetch_add(&trust->references, 1);
	return trust;
}

void engine_trust_put(struct engine_trust *trust)
{
	if (trust && atomic_fetch_sub(&trust->references, 1) == 1)
		trust_free(trust);
}

bool trust_pins(const struct engine_trust *trust, X509 *cert)
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	uint8_t pin[EVP_MAX_MD_SIZE];
	bool found = false;
	size_t i;

	if (len > 0 && EVP_Digest(der, len, pin, NULL, EVP_sha256(), NULL) == 1)
		for (i = 0; i < trust->n_pins && !found; i++)
			found = !memcmp(pin, trust->pins[i], PIN_LEN);
	OPENSSL_free(der);
	return found;
}
