/* SPDX-License-Identifier: MIT */
/* The handshake's states and the table of what each may receive. */
#ifndef SOCKTLS_ENGINE_STATES_H
#define SOCKTLS_ENGINE_STATES_H

#include "engine/protocol.h"
#include "engine/wire.h"

struct engine;

/*
 * The states of RFC 8446 appendix A (figures A.1 and A.2); the ones with 12 in
 * their name follow the message flow of RFC 5246 section 7.3, figure 1.
 */
enum state {
	CLIENT_START,
	CLIENT_WAIT_SH,
	CLIENT_WAIT_EE,
	CLIENT_WAIT_CERT_CR,
	CLIENT_WAIT_CERT,
	CLIENT_WAIT_CV,
	CLIENT_WAIT_FINISHED,

	CLIENT12_WAIT_CERT,
	CLIENT12_WAIT_CS_SKE,
	CLIENT12_WAIT_CS_CR_SHD,
	CLIENT12_WAIT_SKE,
	CLIENT12_WAIT_CR_SHD,
	CLIENT12_WAIT_SHD,
	CLIENT12_WAIT_TICKET,
	CLIENT12_WAIT_CCS,
	CLIENT12_WAIT_FINISHED,

	SERVER_START,
	SERVER_WAIT_SECOND_CH,
	SERVER_WAIT_CERT,
	SERVER_WAIT_CV,
	SERVER_WAIT_FINISHED,

	SERVER12_WAIT_CERT,
	SERVER12_WAIT_CKE,
	SERVER12_WAIT_CV,
	SERVER12_WAIT_CCS,
	SERVER12_WAIT_FINISHED,

	CONNECTED,
	STATES,
};

/**
 * struct message - a handshake message as received
 * @type: HandshakeType
 * @body: without the header
 * @whole: with it
 */
struct message {
	uint8_t			type;
	struct engine_bytes	body;
	struct engine_bytes	whole;
};

/* Instead of a HandshakeType: a change_cipher_spec record (TLS 1.2). */
#define STEP_CCS	0x100

/**
 * struct step - a row: what may come in a state
 * @state: where
 * @type: HandshakeType or STEP_CCS
 * @max: longest body accepted, in bytes
 * @check: runs while the transcript ends before the message; may be NULL
 * @handle: runs when the message is part of the transcript
 */
struct step {
	enum state	state;
	uint16_t	type;
	size_t		max;
	int (*check)(struct engine *engine, const struct message *message);
	int (*handle)(struct engine *engine, const struct message *message);
};

/* NULL: not allowed here. */
const struct step *states_find(enum state state, uint16_t type);
const char *states_name(enum state state);
/* HandshakeType or STEP_CCS as the RFCs write it. */
const char *message_name(uint16_t type);

#endif /* SOCKTLS_ENGINE_STATES_H */
