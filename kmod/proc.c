// SPDX-License-Identifier: GPL-2.0
/* /proc/net/socktls_stat: counters of the netns, objects of the module. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "hs.h"
#include "net.h"

static const char * const stat_names[__SOCKTLS_STAT_MAX] = {
	[SOCKTLS_STAT_HANDSHAKES]		= "Handshakes",
	[SOCKTLS_STAT_ERRORS]			= "Errors",
	[SOCKTLS_STAT_HANDSHAKES_STARTED]	= "HandshakesStarted",
};

static int stat_show(struct seq_file *seq, void *v)
{
	struct socktls_net *sn = socktls_net(seq_file_single_net(seq));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stat_names); i++)
		seq_printf(seq, "%-32s%llu\n", stat_names[i],
			   (u64)atomic64_read(&sn->stats[i]));
	/* of all namespaces: what the module itself has not given back */
	seq_printf(seq, "%-32s%d\n", "CurrContexts", socktls_conn_alive());
	seq_printf(seq, "%-32s%d\n", "CurrTransforms", socktls_cipher_alive());
	seq_printf(seq, "%-32s%d\n", "CurrItems", hs_alive());
	seq_printf(seq, "%-32s%d\n", "CurrTxSegments",
		   socktls_tx_pages_alive());
	seq_printf(seq, "%-32s%d\n", "CurrRxRecords", socktls_rx_alive());
	return 0;
}

int socktls_proc_init(struct net *net)
{
	return proc_create_net_single("socktls_stat", 0444, net->proc_net,
				      stat_show, NULL) ? 0 : -ENOMEM;
}

void socktls_proc_exit(struct net *net)
{
	remove_proc_entry("socktls_stat", net->proc_net);
}
