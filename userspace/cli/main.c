// SPDX-License-Identifier: MIT
/* socktls, the command. */
#include <argp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

const char *argp_program_version = "socktls 0.1";

static const struct {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*doc;
} commands[] = {
	{ "connect", cli_connect, "stdin and stdout over a TLS connection" },
	{ "serve", cli_serve, "run a program for each TLS connection accepted" },
	{ "status", cli_status, "list the connections of this network namespace" },
};

#define N_COMMANDS	(sizeof(commands) / sizeof(commands[0]))

/* Runs it with argv[0] "socktls COMMAND", which argp shows in its messages. */
static int run(size_t i, const char *program, int argc, char **argv)
{
	char name[64];

	snprintf(name, sizeof(name), "%s %s", program, commands[i].name);
	argv[0] = name;
	return commands[i].run(argc, argv);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	int argc = state->argc - state->next + 1;
	char **argv = state->argv + state->next - 1;

	switch (key) {
	case ARGP_KEY_ARG:
		for (size_t i = 0; i < N_COMMANDS; i++) {
			if (strcmp(arg, commands[i].name))
				continue;
			*(int *)state->input = run(i, state->name, argc, argv);
			state->next = state->argc;
			return 0;
		}
		argp_error(state, "no such command: %s", arg);
		return EINVAL;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which command?");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static char *list_commands(int key, const char *text, void *input)
{
	char *list = NULL;
	size_t len;
	FILE *out;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	out = open_memstream(&list, &len);
	if (!out)
		return (char *)text;
	fputs("Commands:\n", out);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].doc);
	fputs("\nEach has its own --help.", out);
	fclose(out);
	return list;
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse,
		.args_doc = "COMMAND [ARGS...]",
		.doc = "TLS as a property of a socket.\vCommands",
		.help_filter = list_commands,
	};
	int status = CLI_ERROR;

	signal(SIGPIPE, SIG_IGN);
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &status);
	return status;
}
