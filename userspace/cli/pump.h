/* SPDX-License-Identifier: MIT */
/* stdin to a socket and the socket to stdout, at the same time. */
#ifndef SOCKTLS_PUMP_H
#define SOCKTLS_PUMP_H

/**
 * pump_run() - carry bytes both ways until both are at their end
 * @socket: connected; O_NONBLOCK is set on it
 * @in: read from; its end becomes shutdown(SHUT_WR)
 * @out: written to
 * @stop_at_peer_end: end of the peer's bytes ends the other direction too
 *
 * @in and @out keep their file status flags, which other processes share.
 *
 * Return: 0, or the negative errno of what failed: -EPIPE when @out has no
 * reader any more.
 */
int pump_run(int socket, int in, int out, int stop_at_peer_end);

#endif /* SOCKTLS_PUMP_H */
