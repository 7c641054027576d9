// SPDX-License-Identifier: MIT
/* One administrator's policy: policies/NAME.conf. */
#include "policy.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "file.h"

/* State of one policy_load(). */
struct parse {
	struct engine_policy	*policy;
	char			reason[256];	/* of the first bad line */
	int			err;
};

static int apply_key(void *arg, const char *section, const char *key,
		     const char *value)
{
	struct parse *parse = arg;

	if (parse->err)
		return 1;
	if (*section) {
		snprintf(parse->reason, sizeof(parse->reason),
			 "a policy has no sections: [%.60s]", section);
		parse->err = -EINVAL;
	} else {
		snprintf(parse->reason, sizeof(parse->reason), "out of memory");
		parse->err = engine_policy_set(parse->policy, key, value,
					       parse->reason,
					       sizeof(parse->reason));
	}
	return !parse->err;
}

/* What inih would cut off there, and read the rest as a line of its own. */
#define LINE_MAX_LEN	190

static int check_lines(const char *path, const char *text, char *error,
		       size_t error_len)
{
	unsigned int line = 1;

	while (text) {
		size_t len = strcspn(text, "\n");

		if (len > LINE_MAX_LEN) {
			snprintf(error, error_len,
				 "%s:%u: longer than %d characters: go on in the next line, with a blank in front",
				 path, line, LINE_MAX_LEN);
			return -EINVAL;
		}
		text = text[len] ? text + len + 1 : NULL;
		line++;
	}
	return 0;
}

static int parse_text(struct parse *parse, const char *path,
		      const struct file *file, char *error, size_t error_len)
{
	int line;

	if (strlen(file->data) != file->len) {
		snprintf(error, error_len, "%s: contains a NUL byte", path);
		return -EINVAL;
	}
	line = check_lines(path, file->data, error, error_len);
	if (line)
		return line;
	line = ini_parse_string(file->data, apply_key, parse);
	if (line) {
		snprintf(error, error_len, "%s:%d: %s", path, line,
			 parse->err ? parse->reason : "not KEY = VALUE");
		return parse->err ? parse->err : -EINVAL;
	}
	parse->err = engine_policy_check(parse->policy, parse->reason,
					 sizeof(parse->reason));
	if (parse->err)
		snprintf(error, error_len, "%s: %s", path, parse->reason);
	return parse->err;
}

int policy_load(struct engine_policy **policy, const char *path, char *error,
		size_t error_len)
{
	struct parse parse = { 0 };
	struct file file;
	int err;

	err = file_read(&file, path);
	if (err) {
		snprintf(error, error_len, "%s: %s", path, strerror(-err));
		return err;
	}
	parse.policy = engine_policy_new();
	if (parse.policy) {
		err = parse_text(&parse, path, &file, error, error_len);
	} else {
		snprintf(error, error_len, "%s: out of memory", path);
		err = -ENOMEM;
	}
	file_wipe(&file);
	if (err)
		engine_policy_put(parse.policy);
	else
		*policy = parse.policy;
	return err;
}
