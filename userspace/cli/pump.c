// SPDX-License-Identifier: MIT
/* stdin to a socket and the socket to stdout, at the same time. */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE	65536

/*
 * One direction: bytes of @from between @start and @end wait for @to.
 * @ended: @from has no more; @closed: @to was told so, or takes nothing more.
 */
struct flow {
	int	from;
	int	to;
	size_t	start;
	size_t	end;
	bool	ended;
	bool	closed;
	uint8_t	buffer[BUFFER_SIZE];
};

struct pump {
	int		socket;
	int		stop_at_peer_end;
	mode_t		out_mode;
	struct flow	up;	/* stdin to socket */
	struct flow	down;	/* socket to stdout */
};

static bool has_bytes(const struct flow *flow)
{
	return flow->start < flow->end;
}

static bool wants_bytes(const struct flow *flow)
{
	return !flow->ended && !has_bytes(flow);
}

/* Reads once; 0, also when there is nothing yet, or a negative errno. */
static int fill(struct flow *flow)
{
	ssize_t n = read(flow->from, flow->buffer, BUFFER_SIZE);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	flow->ended = n == 0;
	flow->start = 0;
	flow->end = n;
	return 0;
}

/*
 * Writes once, without waiting although stdout may be a blocking file: a pipe
 * that polls writable takes PIPE_BUF bytes (pipe(7)).
 */
static ssize_t write_ready(const struct pump *pump, const struct flow *flow)
{
	const uint8_t *data = flow->buffer + flow->start;
	size_t len = flow->end - flow->start;

	if (flow == &pump->up || S_ISREG(pump->out_mode))
		return write(flow->to, data, len);
	if (S_ISSOCK(pump->out_mode))
		return send(flow->to, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(flow->to, data, len < PIPE_BUF ? len : PIPE_BUF);
}

static int flush(const struct pump *pump, struct flow *flow)
{
	ssize_t n = write_ready(pump, flow);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	flow->start += n;
	return 0;
}

static int close_flow(struct pump *pump, struct flow *flow)
{
	flow->closed = true;
	if (flow == &pump->up && shutdown(pump->socket, SHUT_WR) < 0)
		return errno == ENOTCONN ? 0 : -errno;
	/* Who reads our output sees its end now, not when we exit. */
	if (flow == &pump->down && S_ISSOCK(pump->out_mode))
		shutdown(flow->to, SHUT_WR);
	return 0;
}

/*
 * The socket reads and writes; the others do one of it. A descriptor without
 * a wish is left out, or its POLLHUP would wake us for ever.
 */
static void make_wishes(const struct pump *pump, struct pollfd fds[3])
{
	fds[0] = (struct pollfd){ .fd = pump->socket };
	if (wants_bytes(&pump->down))
		fds[0].events |= POLLIN;
	if (has_bytes(&pump->up))
		fds[0].events |= POLLOUT;
	fds[1] = (struct pollfd){ .fd = pump->up.from, .events = POLLIN };
	if (!wants_bytes(&pump->up))
		fds[1].fd = -1;
	fds[2] = (struct pollfd){ .fd = pump->down.to, .events = POLLOUT };
	if (!has_bytes(&pump->down))
		fds[2].fd = -1;
	if (!fds[0].events)
		fds[0].fd = -1;
}

static bool can_read(const struct pollfd *fd)
{
	return fd->events & POLLIN && fd->revents & (POLLIN | POLLHUP | POLLERR);
}

static bool can_write(const struct pollfd *fd)
{
	return fd->events & POLLOUT &&
	       fd->revents & (POLLOUT | POLLHUP | POLLERR);
}

static int move_bytes(struct pump *pump, const struct pollfd fds[3])
{
	int err = 0;

	if (can_read(&fds[0]))
		err = fill(&pump->down);
	if (!err && can_write(&fds[0]))
		err = flush(pump, &pump->up);
	if (!err && fds[1].fd >= 0 && fds[1].revents)
		err = fill(&pump->up);
	if (!err && fds[2].fd >= 0 && fds[2].revents)
		err = flush(pump, &pump->down);
	return err;
}

static int close_ended(struct pump *pump)
{
	struct flow *flows[] = { &pump->up, &pump->down };
	int err = 0;

	if (pump->down.ended && pump->stop_at_peer_end)
		pump->up.ended = true;
	for (size_t i = 0; i < 2 && !err; i++)
		if (flows[i]->ended && !has_bytes(flows[i]) &&
		    !flows[i]->closed)
			err = close_flow(pump, flows[i]);
	return err;
}

static int turn(struct pump *pump)
{
	struct pollfd fds[3];

	make_wishes(pump, fds);
	if (poll(fds, 3, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	return move_bytes(pump, fds);
}

static int run(struct pump *pump)
{
	int err = 0;

	while (!err && !(pump->up.closed && pump->down.closed)) {
		err = turn(pump);
		if (!err)
			err = close_ended(pump);
	}
	return err;
}

int pump_run(int socket, int in, int out, int stop_at_peer_end)
{
	struct pump *pump = calloc(1, sizeof(*pump));
	int flags = fcntl(socket, F_GETFL), err;
	struct stat st;

	if (!pump)
		return -ENOMEM;
	if (flags < 0 || fcntl(socket, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fstat(out, &st) < 0) {
		err = -errno;
		free(pump);
		return err;
	}
	pump->socket = socket;
	pump->stop_at_peer_end = stop_at_peer_end;
	pump->out_mode = st.st_mode;
	pump->up.from = in;
	pump->up.to = socket;
	pump->down.from = socket;
	pump->down.to = out;
	err = run(pump);
	free(pump);
	return err;
}
