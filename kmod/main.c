// SPDX-License-Identifier: GPL-2.0
/* socktls: TLS as a property of a TCP socket. */
#include <linux/module.h>
#include <net/genetlink.h>

#include "hs.h"
#include "net.h"
#include "socktls.h"

static int __init socktls_init(void)
{
	int err;

	err = socktls_wq_init();
	if (err)
		return err;
	err = socktls_net_init();
	if (err)
		goto err_wq;
	err = socktls_nl_init();
	if (err)
		goto err_net;
	err = socktls_ulp_init();
	if (err)
		goto err_nl;
	return 0;

err_nl:
	socktls_nl_exit();
err_net:
	socktls_net_exit();
err_wq:
	socktls_wq_exit();
	return err;
}

/* No socket has the ULP any more: each held a reference on the module. */
static void __exit socktls_exit(void)
{
	socktls_ulp_exit();
	socktls_nl_exit();
	/* work that was queued for the last sockets */
	socktls_wq_exit();
	socktls_net_exit();
	socktls_record_exit();
	socktls_protos_free();
	rcu_barrier();
}

module_init(socktls_init);
module_exit(socktls_exit);

MODULE_DESCRIPTION("TLS as a property of a TCP socket");
MODULE_LICENSE("GPL");
MODULE_ALIAS_TCP_ULP("socktls");
MODULE_ALIAS_GENL_FAMILY(SOCKTLS_GENL_NAME);
