// SPDX-License-Identifier: MIT
/* socktls, the command: what its subcommands share. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

void cli_error(const char *format, ...)
{
	char text[2048];	/* an identity, and all else that is said with it */
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* One write, so that lines of several processes do not mix. */
	fprintf(stderr, "socktls: %s\n", text);
}

enum cli_status cli_failure_status(const struct socktls_failure *failure)
{
	switch (failure->step) {
	case SOCKTLS_STEP_HANDSHAKE:
		return CLI_HANDSHAKE;
	case SOCKTLS_STEP_RESOLVE:
	case SOCKTLS_STEP_SOCKET:
		return CLI_CONNECT;
	default:
		return CLI_ERROR;
	}
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

/* "[HOST]" or "[HOST]:PORT" behind the opening bracket. */
static bool parse_bracketed(char *text, char **host, char **port)
{
	char *end = strchr(text, ']');

	if (!end || end == text)
		return false;
	*end++ = '\0';
	*host = text;
	if (*end == '\0')
		return true;
	*port = end + 1;
	return *end == ':';
}

bool cli_parse_address(char *text, char **host, char **port,
		       char *default_port)
{
	char *colon = strrchr(text, ':');

	*port = NULL;
	if (*text == '[') {
		if (!parse_bracketed(text + 1, host, port))
			return false;
	} else if (colon && colon == strchr(text, ':')) {
		*colon = '\0';
		*host = text;
		*port = colon + 1;
	} else if (default_port && is_number(text)) {
		*host = "";
		*port = text;
	} else {
		*host = text;	/* a bare IPv6 address among others */
	}
	if (!*port)
		*port = default_port;
	if (strcmp(*host, "*") == 0)
		*host = "";
	return *port && **port;
}

bool cli_parse_seconds(const char *text, uint32_t *ms)
{
	double value;
	char *end;

	if (!isdigit((unsigned char)*text) && *text != '.')
		return false;
	value = strtod(text, &end);
	if (end == text || *end || !isfinite(value) || value < 0.001 ||
	    value > 86400)
		return false;
	*ms = value * 1000;
	return true;
}

char *cli_read_pem(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t size = SOCKTLS_TRUST_MAX + 1, len = 0;
	char *text = file ? calloc(1, size + 1) : NULL;
	const char *begin;

	if (text)
		len = fread(text, 1, size, file);
	if (!text || ferror(file))
		cli_error("%s: %s", path, strerror(errno));
	if (file)
		fclose(file);
	if (!text)
		return NULL;

	/* Comments before the first certificate are not for the kernel. */
	begin = strstr(text, "-----BEGIN");
	if (len == size)
		cli_error("%s: longer than %u bytes: put it into socktlsd's trust directory and use --trust",
			  path, SOCKTLS_TRUST_MAX);
	else if (!begin)
		cli_error("%s: contains no certificate in PEM", path);
	if (len == size || !begin) {
		free(text);
		return NULL;
	}
	memmove(text, begin, strlen(begin) + 1);
	return text;
}

void cli_clear_environment(void)
{
	static const char *const names[] = {
		"REMOTE_ADDR", "REMOTE_PORT", "SOCKTLS_VERSION",
		"SOCKTLS_SUITE", "SOCKTLS_GROUP", "SOCKTLS_PEER",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}
