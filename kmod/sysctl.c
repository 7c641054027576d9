// SPDX-License-Identifier: GPL-2.0
/* net.socktls.*, of each network namespace; see Documentation/observability.md. */
#include <linux/slab.h>
#include <linux/sysctl.h>

#include "net.h"

static unsigned int one = 1;
static unsigned int timeout_max = HANDSHAKE_TIMEOUT_MAX;
static unsigned int pending_max = 65536;

/* .data is the offset in struct socktls_sysctls until it is registered. */
#define SYSCTL(_name, _min, _max)					\
	{								\
		.procname	= #_name,				\
		.data		= (void *)offsetof(struct socktls_sysctls, \
						   _name),		\
		.maxlen		= sizeof(unsigned int),			\
		.mode		= 0644,					\
		.proc_handler	= proc_douintvec_minmax,		\
		.extra1		= (_min),				\
		.extra2		= (_max),				\
	}

static const struct ctl_table sysctl_template[] = {
	SYSCTL(handshake_timeout_ms, &one, &timeout_max),
	SYSCTL(max_handshakes, &one, &pending_max),
	SYSCTL(max_handshakes_per_uid, &one, &pending_max),
	SYSCTL(dynamic_records, NULL, &one),
	SYSCTL(rekey_records, NULL, NULL),
};

static const struct socktls_sysctls sysctl_defaults = {
	.handshake_timeout_ms	= 30000,
	.max_handshakes		= 16384,
	.max_handshakes_per_uid	= 4096,
};

/**
 * socktls_sysctl_init() - the settings of a new network namespace
 * @sn: its settings are filled in
 *
 * Return: 0, -ENOMEM.
 */
int socktls_sysctl_init(struct socktls_net *sn)
{
	const unsigned int nr = ARRAY_SIZE(sysctl_template);
	struct ctl_table *table;
	unsigned int i;

	sn->sysctls = sysctl_defaults;
	/* old kernels want an empty row at the end */
	table = kcalloc(nr + 1, sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		table[i] = sysctl_template[i];
		table[i].data = (void *)&sn->sysctls +
				(unsigned long)table[i].data;
	}
	sn->sysctl_table = table;
	sn->sysctl_header = compat_register_net_sysctl(sn->net, "net/socktls",
						       table, nr);
	if (sn->sysctl_header)
		return 0;
	kfree(table);
	return -ENOMEM;
}

void socktls_sysctl_exit(struct socktls_net *sn)
{
	unregister_net_sysctl_table(sn->sysctl_header);
	kfree(sn->sysctl_table);
}
