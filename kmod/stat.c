// SPDX-License-Identifier: GPL-2.0
/* Which counter a failure belongs to; see stat.h. */
#include <linux/errno.h>
#include <linux/kernel.h>

#include "record.h"
#include "stat.h"

#define ANY_ALERT	(-2)

/* From the top, the first row that fits. */
static const struct {
	int			error;
	int			alert;
	enum socktls_stat	stat;
} error_stats[] = {
	{ EPROTO, ALERT_UNEXPECTED_MESSAGE, SOCKTLS_STAT_ERR_UNEXPECTED },
	{ EPROTO, ALERT_DECODE_ERROR, SOCKTLS_STAT_ERR_DECODE },
	{ EBADMSG, ANY_ALERT, SOCKTLS_STAT_ERR_BAD_MAC },
	{ EMSGSIZE, ANY_ALERT, SOCKTLS_STAT_ERR_OVER_LIMIT },
	{ EREMOTEIO, ANY_ALERT, SOCKTLS_STAT_ERR_ALERT },
	{ ECONNRESET, ANY_ALERT, SOCKTLS_STAT_ERR_RESET },
	{ ETIMEDOUT, ANY_ALERT, SOCKTLS_STAT_ERR_TIMEOUT },
	{ ECANCELED, ANY_ALERT, SOCKTLS_STAT_ERR_CANCELED },
	{ ECONNABORTED, ANY_ALERT, SOCKTLS_STAT_ERR_HELPER_GONE },
	{ EOVERFLOW, ANY_ALERT, SOCKTLS_STAT_ERR_SEQUENCE },
};

/**
 * socktls_stat_of_error() - the counter of a failure that names none itself
 * @error: positive errno
 * @alert: AlertDescription, or -1
 *
 * Return: a SOCKTLS_STAT_ERR_*.
 */
enum socktls_stat socktls_stat_of_error(int error, int alert)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(error_stats); i++)
		if (error_stats[i].error == error &&
		    (error_stats[i].alert == ANY_ALERT ||
		     error_stats[i].alert == alert))
			return error_stats[i].stat;
	return SOCKTLS_STAT_ERR_OTHER;
}
