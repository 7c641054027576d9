// SPDX-License-Identifier: MIT
/*
 * The state machines as tables, to be read beside the figures: RFC 8446
 * appendix A for TLS 1.3, RFC 5246 section 7.3 (figure 1) for TLS 1.2. What has
 * no row is unexpected_message.
 */
#include "engine/auth.h"
#include "engine/client.h"
#include "engine/server.h"
#include "engine/tls12.h"
#include "engine/tls13.h"

/* The longest bodies. */
#define MAX_HELLO	65535
#define MAX_EXTENSIONS	65535
#define MAX_CERTIFICATE	131072
#define MAX_STATUS	65535
#define MAX_REQUEST	(65535 + 512)
#define MAX_EXCHANGE	4096
#define MAX_VERIFY	2048
#define MAX_FINISHED	HASH_MAX
#define MAX_TICKET	(65535 + 6)

static const struct step steps[] = {
	/* ------------------------------------------- client, both versions */
	{ CLIENT_WAIT_SH, SERVER_HELLO, MAX_HELLO,
	  client_server_hello_check, client_server_hello },

	/* ------------------------------------------- client, TLS 1.3 (A.1) */
	{ CLIENT_WAIT_EE, ENCRYPTED_EXTENSIONS, MAX_EXTENSIONS,
	  NULL, client13_encrypted_extensions },
	{ CLIENT_WAIT_CERT_CR, CERTIFICATE_REQUEST, MAX_REQUEST,
	  NULL, client13_certificate_request },
	{ CLIENT_WAIT_CERT_CR, CERTIFICATE, MAX_CERTIFICATE,
	  NULL, client13_certificate },
	{ CLIENT_WAIT_CERT, CERTIFICATE, MAX_CERTIFICATE,
	  NULL, client13_certificate },
	{ CLIENT_WAIT_CV, CERTIFICATE_VERIFY, MAX_VERIFY,
	  auth_check_verify13, client13_certificate_verify },
	{ CLIENT_WAIT_FINISHED, FINISHED, MAX_FINISHED,
	  tls13_check_finished, client13_finished },

	/* ------------------------------------- client, TLS 1.2 (figure 1) */
	{ CLIENT12_WAIT_CERT, CERTIFICATE, MAX_CERTIFICATE,
	  NULL, client12_certificate },
	/* RFC 6066 section 8: announced, and yet optional */
	{ CLIENT12_WAIT_CS_SKE, CERTIFICATE_STATUS, MAX_STATUS,
	  NULL, client12_certificate_status },
	{ CLIENT12_WAIT_CS_SKE, SERVER_KEY_EXCHANGE, MAX_EXCHANGE,
	  NULL, client12_key_exchange },
	{ CLIENT12_WAIT_CS_CR_SHD, CERTIFICATE_STATUS, MAX_STATUS,
	  NULL, client12_certificate_status },
	{ CLIENT12_WAIT_CS_CR_SHD, CERTIFICATE_REQUEST, MAX_REQUEST,
	  NULL, client12_certificate_request },
	{ CLIENT12_WAIT_CS_CR_SHD, SERVER_HELLO_DONE, 0,
	  NULL, client12_hello_done },
	{ CLIENT12_WAIT_SKE, SERVER_KEY_EXCHANGE, MAX_EXCHANGE,
	  NULL, client12_key_exchange },
	{ CLIENT12_WAIT_CR_SHD, CERTIFICATE_REQUEST, MAX_REQUEST,
	  NULL, client12_certificate_request },
	{ CLIENT12_WAIT_CR_SHD, SERVER_HELLO_DONE, 0,
	  NULL, client12_hello_done },
	{ CLIENT12_WAIT_SHD, SERVER_HELLO_DONE, 0,
	  NULL, client12_hello_done },
	{ CLIENT12_WAIT_TICKET, NEW_SESSION_TICKET, MAX_TICKET,
	  NULL, client12_ticket },
	{ CLIENT12_WAIT_CCS, STEP_CCS, 1,
	  NULL, client12_ccs },
	{ CLIENT12_WAIT_FINISHED, FINISHED, FINISHED12_LEN,
	  tls12_check_finished, client12_finished },

	/* RFC 5246 section 7.4.1.1: ignored, and kept out of the hashes */
	{ CLIENT_WAIT_SH, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_CERT, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_CS_SKE, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_CS_CR_SHD, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_SKE, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_CR_SHD, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_SHD, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_TICKET, HELLO_REQUEST, 0,
	  NULL, client_hello_request },
	{ CLIENT12_WAIT_CCS, HELLO_REQUEST, 0,
	  NULL, client_hello_request },

	/* ------------------------------------------- server, both versions */
	{ SERVER_START, CLIENT_HELLO, MAX_HELLO,
	  NULL, server_client_hello },
	{ SERVER_WAIT_SECOND_CH, CLIENT_HELLO, MAX_HELLO,
	  NULL, server_client_hello },

	/* ------------------------------------------- server, TLS 1.3 (A.2) */
	{ SERVER_WAIT_CERT, CERTIFICATE, MAX_CERTIFICATE,
	  NULL, server13_certificate },
	{ SERVER_WAIT_CV, CERTIFICATE_VERIFY, MAX_VERIFY,
	  auth_check_verify13, server13_certificate_verify },
	{ SERVER_WAIT_FINISHED, FINISHED, MAX_FINISHED,
	  tls13_check_finished, server13_finished },

	/* ------------------------------------- server, TLS 1.2 (figure 1) */
	{ SERVER12_WAIT_CERT, CERTIFICATE, MAX_CERTIFICATE,
	  NULL, server12_certificate },
	{ SERVER12_WAIT_CKE, CLIENT_KEY_EXCHANGE, MAX_EXCHANGE,
	  NULL, server12_key_exchange },
	{ SERVER12_WAIT_CV, CERTIFICATE_VERIFY, MAX_VERIFY,
	  auth_check_verify12, server12_certificate_verify },
	{ SERVER12_WAIT_CCS, STEP_CCS, 1,
	  NULL, server12_ccs },
	{ SERVER12_WAIT_FINISHED, FINISHED, FINISHED12_LEN,
	  tls12_check_finished, server12_finished },
};

const struct step *states_find(enum state state, uint16_t type)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i].state == state && steps[i].type == type)
			return &steps[i];
	return NULL;
}

const char *states_name(enum state state)
{
	static const char *const names[STATES] = {
		[CLIENT_START]		 = "START",
		[CLIENT_WAIT_SH]	 = "WAIT_SH",
		[CLIENT_WAIT_EE]	 = "WAIT_EE",
		[CLIENT_WAIT_CERT_CR]	 = "WAIT_CERT_CR",
		[CLIENT_WAIT_CERT]	 = "WAIT_CERT",
		[CLIENT_WAIT_CV]	 = "WAIT_CV",
		[CLIENT_WAIT_FINISHED]	 = "WAIT_FINISHED",
		[CLIENT12_WAIT_CERT]	 = "1.2 WAIT_CERT",
		[CLIENT12_WAIT_CS_SKE]	 = "1.2 WAIT_CS_SKE",
		[CLIENT12_WAIT_CS_CR_SHD] = "1.2 WAIT_CS_CR_SHD",
		[CLIENT12_WAIT_SKE]	 = "1.2 WAIT_SKE",
		[CLIENT12_WAIT_CR_SHD]	 = "1.2 WAIT_CR_SHD",
		[CLIENT12_WAIT_SHD]	 = "1.2 WAIT_SHD",
		[CLIENT12_WAIT_TICKET]	 = "1.2 WAIT_TICKET",
		[CLIENT12_WAIT_CCS]	 = "1.2 WAIT_CCS",
		[CLIENT12_WAIT_FINISHED] = "1.2 WAIT_FINISHED",
		[SERVER_START]		 = "START",
		[SERVER_WAIT_SECOND_CH]	 = "WAIT_SECOND_CH",
		[SERVER_WAIT_CERT]	 = "WAIT_CERT",
		[SERVER_WAIT_CV]	 = "WAIT_CV",
		[SERVER_WAIT_FINISHED]	 = "WAIT_FINISHED",
		[SERVER12_WAIT_CERT]	 = "1.2 WAIT_CERT",
		[SERVER12_WAIT_CKE]	 = "1.2 WAIT_CKE",
		[SERVER12_WAIT_CV]	 = "1.2 WAIT_CV",
		[SERVER12_WAIT_CCS]	 = "1.2 WAIT_CCS",
		[SERVER12_WAIT_FINISHED] = "1.2 WAIT_FINISHED",
		[CONNECTED]		 = "CONNECTED",
	};

	return names[state];
}

const char *message_name(uint16_t type)
{
	static const char *const names[] = {
		[HELLO_REQUEST]		= "HelloRequest",
		[CLIENT_HELLO]		= "ClientHello",
		[SERVER_HELLO]		= "ServerHello",
		[NEW_SESSION_TICKET]	= "NewSessionTicket",
		[ENCRYPTED_EXTENSIONS]	= "EncryptedExtensions",
		[CERTIFICATE]		= "Certificate",
		[SERVER_KEY_EXCHANGE]	= "ServerKeyExchange",
		[CERTIFICATE_REQUEST]	= "CertificateRequest",
		[SERVER_HELLO_DONE]	= "ServerHelloDone",
		[CERTIFICATE_VERIFY]	= "CertificateVerify",
		[CLIENT_KEY_EXCHANGE]	= "ClientKeyExchange",
		[FINISHED]		= "Finished",
		[CERTIFICATE_STATUS]	= "CertificateStatus",
	};

	if (type == STEP_CCS)
		return "ChangeCipherSpec";
	if (type < sizeof(names) / sizeof(names[0]) && names[type])
		return names[type];
	return "a message of unknown type";
}
