// SPDX-License-Identifier: MIT
/* Every parser of a message or an extension, by the input's first byte. */
#include <stdlib.h>
#include <string.h>

#include "engine/messages.h"
#include "engine/ocsp.h"

/* Reads every byte that a parser handed out, for the sanitizer to see. */
static void touch(struct engine_bytes bytes)
{
	volatile uint8_t sum = 0;
	size_t i;

	for (i = 0; i < bytes.len; i++)
		sum ^= bytes.data[i];
	(void)sum;
}

static void touch_extensions(const struct extensions *list)
{
	size_t i;

	for (i = 0; i < EXTENSIONS_KNOWN; i++)
		if (list->present & 1u << i)
			touch(list->body[i]);
}

static void on_client_hello(struct engine_bytes in)
{
	struct client_hello hello;

	if (client_hello_parse(&hello, in))
		return;
	touch(hello.random);
	touch(hello.session_id);
	touch(hello.suites);
	touch(hello.compression);
	touch_extensions(&hello.extensions);
}

static void on_server_hello(struct engine_bytes in)
{
	struct server_hello hello;

	if (server_hello_parse(&hello, in))
		return;
	touch(hello.random);
	touch(hello.session_id);
	touch_extensions(&hello.extensions);
}

static void on_encrypted_extensions(struct engine_bytes in)
{
	struct extensions list;

	if (!encrypted_extensions_parse(&list, in))
		touch_extensions(&list);
}

static void on_certificate(struct engine_bytes in, bool tls13)
{
	struct certificate_list list;
	struct engine_bytes context, der, extensions;

	if (certificate_parse(&list, tls13, in, &context))
		return;
	touch(context);
	while (certificate_next(&list, &der, &extensions)) {
		touch(der);
		touch(extensions);
	}
}

static void on_certificate12(struct engine_bytes in)
{
	on_certificate(in, false);
}

static void on_certificate13(struct engine_bytes in)
{
	on_certificate(in, true);
}

static void touch_request(const struct certificate_request *request)
{
	touch(request->context);
	touch(request->types);
	touch(request->sigalgs);
	touch(request->authorities);
}

static void on_request12(struct engine_bytes in)
{
	struct certificate_request request;

	if (!certificate_request12_parse(&request, in))
		touch_request(&request);
}

static void on_request13(struct engine_bytes in)
{
	struct certificate_request request;

	if (!certificate_request13_parse(&request, in))
		touch_request(&request);
}

static void on_verify(struct engine_bytes in)
{
	struct signature signature;

	if (!certificate_verify_parse(&signature, in))
		touch(signature.value);
}

static void on_ecdhe(struct engine_bytes in)
{
	struct server_key_exchange exchange;

	if (server_key_exchange_ecdhe_parse(&exchange, in))
		return;
	touch(exchange.params);
	touch(exchange.point);
	touch(exchange.signature.value);
}

static void on_dhe(struct engine_bytes in)
{
	struct server_key_exchange exchange;
	struct server_dh_params dh;

	if (server_key_exchange_dhe_parse(&exchange, &dh, in))
		return;
	touch(dh.p);
	touch(dh.g);
	touch(dh.y);
	touch(exchange.params);
	touch(exchange.signature.value);
}

static void on_client_exchange(struct engine_bytes in)
{
	struct engine_bytes value;
	unsigned int width;

	for (width = 1; width <= 2; width++)
		if (!client_key_exchange_parse(&value, width, in))
			touch(value);
}

static void touch_ticket(const struct new_session_ticket *ticket)
{
	touch(ticket->nonce);
	touch(ticket->ticket);
	touch_extensions(&ticket->extensions);
}

static void on_ticket12(struct engine_bytes in)
{
	struct new_session_ticket ticket;

	if (!new_session_ticket12_parse(&ticket, in))
		touch_ticket(&ticket);
}

static void on_ticket13(struct engine_bytes in)
{
	struct new_session_ticket ticket;

	if (!new_session_ticket13_parse(&ticket, in))
		touch_ticket(&ticket);
}

static void on_extension(struct engine_bytes in)
{
	struct engine_bytes value;
	uint16_t number;
	bool yes;

	if (!extension_read_server_name(in, &value))
		touch(value);
	if (!extension_read_u16_list(in, &value))
		touch(value);
	if (!extension_read_versions(in, &value))
		touch(value);
	if (!extension_read_opaque(in, 2, 1, &value))
		touch(value);
	if (!extension_read_u16(in, &number))
		touch(in);
	if (!extension_read_alpn(in, &value))
		touch(value);
	if (!extension_read_key_shares(in, &value)) {
		touch(value);
		if (key_shares_find(value, 29, &value))
			touch(value);
	}
	if (!extension_read_key_share(in, &number, &value))
		touch(value);
	if (!ocsp_read_request(in, &yes))
		touch(in);
	if (!ocsp_read_status(in, &value))
		touch(value);
}

static void (*const parsers[])(struct engine_bytes in) = {
	on_client_hello, on_server_hello, on_encrypted_extensions,
	on_certificate12, on_certificate13, on_request12, on_request13,
	on_verify, on_ecdhe, on_dhe, on_client_exchange, on_ticket12,
	on_ticket13, on_extension,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* of exactly the right size: one byte past it is an error */
	uint8_t *copy;

	if (!size)
		return 0;
	copy = malloc(size - 1 ? size - 1 : 1);
	if (size > 1)
		memcpy(copy, data + 1, size - 1);
	parsers[data[0] % (sizeof(parsers) / sizeof(parsers[0]))](
		bytes_of(copy, size - 1));
	free(copy);
	return 0;
}
