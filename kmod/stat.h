/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of a network namespace, one set for each CPU. */
#ifndef SOCKTLS_STAT_H
#define SOCKTLS_STAT_H

#include <linux/percpu.h>
#include <linux/types.h>

enum socktls_stat {
	SOCKTLS_STAT_TX_RECORDS,	/* records of any type */
	SOCKTLS_STAT_TX_BYTES,		/* application data in them */
	SOCKTLS_STAT_RX_RECORDS,
	SOCKTLS_STAT_RX_BYTES,
	SOCKTLS_STAT_TX_ALERTS,		/* helper plane, close_notify included */
	SOCKTLS_STAT_RX_ALERTS,
	SOCKTLS_STAT_TX_REKEYS,
	SOCKTLS_STAT_RX_REKEYS,
	SOCKTLS_STAT_HANDSHAKES_STARTED,
	SOCKTLS_STAT_HANDSHAKES,
	SOCKTLS_STAT_HANDSHAKES_FAILED,
	SOCKTLS_STAT_ERRORS,		/* the sum of what follows */
	SOCKTLS_STAT_ERR_BAD_TYPE,
	SOCKTLS_STAT_ERR_BAD_VERSION,
	SOCKTLS_STAT_ERR_OVER_LIMIT,
	SOCKTLS_STAT_ERR_TOO_SHORT,
	SOCKTLS_STAT_ERR_BAD_MAC,
	SOCKTLS_STAT_ERR_NO_TYPE,
	SOCKTLS_STAT_ERR_UNEXPECTED,
	SOCKTLS_STAT_ERR_DECODE,
	SOCKTLS_STAT_ERR_ALERT,
	SOCKTLS_STAT_ERR_RESET,
	SOCKTLS_STAT_ERR_TIMEOUT,
	SOCKTLS_STAT_ERR_CANCELED,
	SOCKTLS_STAT_ERR_HELPER_GONE,
	SOCKTLS_STAT_ERR_SEQUENCE,
	SOCKTLS_STAT_ERR_OTHER,
	__SOCKTLS_STAT_MAX,
	SOCKTLS_STAT_NONE = __SOCKTLS_STAT_MAX
};

struct socktls_stats {
	unsigned long	count[__SOCKTLS_STAT_MAX];
};

enum socktls_stat socktls_stat_of_error(int error, int alert);

/* Context: any. */
static inline void socktls_stats_add(struct socktls_stats __percpu *stats,
				     enum socktls_stat stat, unsigned long n)
{
	this_cpu_add(stats->count[stat], n);
}

#endif /* SOCKTLS_STAT_H */
