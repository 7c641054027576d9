/* SPDX-License-Identifier: MIT */
/* The generic netlink family "socktls", seen from the helper. */
#ifndef SOCKTLSD_NETLINK_H
#define SOCKTLSD_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action.h"
#include "item.h"

struct netlink;

/* Called for each item; the item is gone when it returns. */
typedef void (*netlink_item_fn)(void *arg, const struct item *item);

/**
 * netlink_open() - connect to the family
 * @netlink: set on success, owned by the caller
 * @error: on failure, what is wrong
 * @error_len: length of @error in bytes
 *
 * Return: 0, -ENOENT when socktls.ko is not loaded, or another negative errno.
 */
int netlink_open(struct netlink **netlink, char *error, size_t error_len);

void netlink_close(struct netlink *netlink);

/* To be polled for reading: then netlink_drain(). */
int netlink_fd(const struct netlink *netlink);

/* Readable when families come and go: then netlink_family_is_gone(). */
int netlink_notify_fd(const struct netlink *netlink);

/* True once the kernel said that the family was unregistered. */
bool netlink_family_is_gone(struct netlink *netlink);

/**
 * netlink_register() - serve the handshakes of this network namespace
 *
 * Return: 0, -EPERM without CAP_NET_ADMIN, or another negative errno; @error
 * says it in words.
 */
int netlink_register(struct netlink *netlink, char *error, size_t error_len);

/**
 * netlink_drain() - read what came unasked
 *
 * Return: true when a doorbell rang, or when messages were lost and one may
 * have been among them: then call netlink_next().
 */
bool netlink_drain(struct netlink *netlink);

/**
 * netlink_next() - take pending items
 * @netlink: the connection to the kernel
 * @serve: called for each of them, may call netlink_reply()
 * @arg: for @serve
 *
 * Return: number of items, 0 when nothing is pending, or a negative errno;
 * -ENOBUFS: the answer was lost, the items are still the kernel's.
 */
int netlink_next(struct netlink *netlink, netlink_item_fn serve, void *arg);

/**
 * netlink_reply() - answer an item
 * @netlink: the connection to the kernel
 * @id: the connection's id
 * @actions: at least one
 *
 * Return: 0 when queued, -ENOENT when the connection is gone, or another
 * negative errno when refused. Every copy of a key that was made is wiped.
 */
int netlink_reply(struct netlink *netlink, uint64_t id,
		  const struct action_list *actions);

#endif /* SOCKTLSD_NETLINK_H */
