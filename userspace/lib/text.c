// SPDX-License-Identifier: MIT
/* What was negotiated and what went wrong, for people. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "socktls.h"

#define NUMBER_MAX	16

/* The name, or the number when it has none. */
static const char *name_or_number(const char *name, unsigned int value,
				  char number[NUMBER_MAX])
{
	if (name)
		return name;
	snprintf(number, NUMBER_MAX, "0x%04x", value);
	return number;
}

const char *socktls_info_text(const struct socktls_info *info, char *text,
			      size_t len)
{
	char version[NUMBER_MAX], suite[NUMBER_MAX], group[NUMBER_MAX];
	char signature[NUMBER_MAX];
	const char *group_name = info->group ?
		name_or_number(socktls_group_name(info->group), info->group,
			       group) :
		info->flags & SOCKTLS_INFO_RESUMED ? "none" : "RSA";

	snprintf(text, len, "%s, %s, key exchange %s%s%s%s%s%s",
		 name_or_number(socktls_version_name(info->version),
				info->version, version),
		 name_or_number(socktls_suite_name(info->suite), info->suite,
				suite),
		 group_name,
		 info->signature_scheme ? ", signature " : "",
		 info->signature_scheme ?
		 name_or_number(socktls_signature_name(info->signature_scheme),
				info->signature_scheme, signature) : "",
		 info->flags & SOCKTLS_INFO_RESUMED ? ", resumed" : "",
		 info->flags & SOCKTLS_INFO_ENCRYPT_THEN_MAC ?
		 ", encrypt-then-MAC" : "",
		 info->flags & SOCKTLS_INFO_PEER_VERIFIED ?
		 ", peer verified" : info->flags & SOCKTLS_INFO_PSK ?
		 ", peer has the external PSK" : ", peer NOT verified");
	return text;
}

static void alert_text(const struct socktls_error *error, char *text,
		       size_t len)
{
	char number[NUMBER_MAX];
	const char *name = name_or_number(socktls_alert_name(error->alert),
					  error->alert, number);

	text[0] = '\0';
	if (error->alert_from == SOCKTLS_ALERT_RECEIVED)
		snprintf(text, len, " (the peer sent the alert %s)", name);
	else if (error->alert_from == SOCKTLS_ALERT_SENT)
		snprintf(text, len, " (alert %s sent)", name);
}

/* The text of the kernel or helper may quote the peer. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

const char *socktls_error_text(int fd, int error, char *text, size_t len)
{
	struct socktls_error details;
	char alert[64];

	if (socktls_get_error(fd, &details) < 0 || !details.error) {
		snprintf(text, len, "%s", strerror(error));
		return text;
	}
	alert_text(&details, alert, sizeof(alert));
	snprintf(text, len, "%s%s", details.text[0] ? details.text :
		 strerror(details.error), alert);
	make_printable(text);
	return text;
}
