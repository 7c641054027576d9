// SPDX-License-Identifier: GPL-2.0
/* /proc/net/socktls_stat: counters of the netns, objects of the module. */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#include "session.h"
#include "net.h"

static const char * const stat_names[__SOCKTLS_STAT_MAX] = {
	[SOCKTLS_STAT_TX_RECORDS]		= "TxRecords",
	[SOCKTLS_STAT_TX_BYTES]			= "TxBytes",
	[SOCKTLS_STAT_RX_RECORDS]		= "RxRecords",
	[SOCKTLS_STAT_RX_BYTES]			= "RxBytes",
	[SOCKTLS_STAT_TX_ALERTS]		= "TxAlerts",
	[SOCKTLS_STAT_RX_ALERTS]		= "RxAlerts",
	[SOCKTLS_STAT_TX_REKEYS]		= "TxRekeys",
	[SOCKTLS_STAT_RX_REKEYS]		= "RxRekeys",
	[SOCKTLS_STAT_HANDSHAKES_STARTED]	= "HandshakesStarted",
	[SOCKTLS_STAT_HANDSHAKES]		= "Handshakes",
	[SOCKTLS_STAT_HANDSHAKES_FAILED]	= "HandshakesFailed",
	[SOCKTLS_STAT_ERRORS]			= "Errors",
	[SOCKTLS_STAT_ERR_BAD_TYPE]		= "ErrBadType",
	[SOCKTLS_STAT_ERR_BAD_VERSION]		= "ErrBadVersion",
	[SOCKTLS_STAT_ERR_OVER_LIMIT]		= "ErrOverLimit",
	[SOCKTLS_STAT_ERR_TOO_SHORT]		= "ErrTooShort",
	[SOCKTLS_STAT_ERR_BAD_MAC]		= "ErrBadMac",
	[SOCKTLS_STAT_ERR_NO_TYPE]		= "ErrNoType",
	[SOCKTLS_STAT_ERR_UNEXPECTED]		= "ErrUnexpected",
	[SOCKTLS_STAT_ERR_DECODE]		= "ErrDecode",
	[SOCKTLS_STAT_ERR_ALERT]		= "ErrAlert",
	[SOCKTLS_STAT_ERR_RESET]		= "ErrReset",
	[SOCKTLS_STAT_ERR_TIMEOUT]		= "ErrTimeout",
	[SOCKTLS_STAT_ERR_CANCELED]		= "ErrCanceled",
	[SOCKTLS_STAT_ERR_HELPER_GONE]		= "ErrHelperGone",
	[SOCKTLS_STAT_ERR_SEQUENCE]		= "ErrSequence",
	[SOCKTLS_STAT_ERR_OTHER]		= "ErrOther",
};

static u64 stat_sum(const struct socktls_net *sn, unsigned int stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(sn->stats, cpu)->count[stat]);
	return sum;
}

static int stat_show(struct seq_file *seq, void *v)
{
	struct socktls_net *sn = socktls_net(seq_file_single_net(seq));
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(stat_names); i++)
		seq_printf(seq, "%-32s%llu\n", stat_names[i],
			   stat_sum(sn, i));
	/* of all namespaces: what the module itself has not given back */
	seq_printf(seq, "%-32s%d\n", "CurrContexts", socktls_conn_alive());
	seq_printf(seq, "%-32s%d\n", "CurrTransforms", socktls_cipher_alive());
	seq_printf(seq, "%-32s%d\n", "CurrItems", hs_alive() + session_items_alive());
	seq_printf(seq, "%-32s%d\n", "CurrTxSegments",
		   socktls_tx_pages_alive());
	seq_printf(seq, "%-32s%d\n", "CurrRecords", socktls_records_alive());
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
