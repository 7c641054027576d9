// SPDX-License-Identifier: MIT
/* stdin to a socket and the socket to stdout, at the same time. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/pump.h"

#define LENGTH	(3 * 1024 * 1024 + 17)

/* The pump in a thread, between a pipe on either side and a socket pair. */
struct rig {
	pthread_t	thread;
	int		in[2];
	int		out[2];
	int		sockets[2];	/* [0] the pump's, [1] the peer's */
	int		stop_at_peer_end;
	int		result;
};

static uint8_t byte_at(size_t i)
{
	return i * 31 + i / 253;
}

static void *run_pump(void *arg)
{
	struct rig *rig = arg;

	rig->result = pump_run(rig->sockets[0], rig->in[0], rig->out[1],
			       rig->stop_at_peer_end);
	close(rig->sockets[0]);
	close(rig->out[1]);
	return NULL;
}

static void rig_start(struct rig *rig, int stop_at_peer_end)
{
	memset(rig, 0, sizeof(*rig));
	rig->stop_at_peer_end = stop_at_peer_end;
	assert_int_equal(pipe(rig->in), 0);
	assert_int_equal(pipe(rig->out), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, rig->sockets), 0);
	assert_int_equal(pthread_create(&rig->thread, NULL, run_pump, rig), 0);
}

static int rig_join(struct rig *rig)
{
	pthread_join(rig->thread, NULL);
	close(rig->in[0]);
	return rig->result;
}

struct stream {
	int	fd;
	size_t	len;
	size_t	good;	/* bytes read that were what they should be */
};

static void *write_stream(void *arg)
{
	struct stream *stream = arg;
	uint8_t data[7919];
	size_t done = 0, n;

	while (done < stream->len) {
		for (n = 0; n < sizeof(data) && done + n < stream->len; n++)
			data[n] = byte_at(done + n);
		for (size_t out = 0; out < n;) {
			ssize_t ret = write(stream->fd, data + out, n - out);

			if (ret < 0)
				return NULL;
			out += ret;
		}
		done += n;
	}
	return NULL;
}

static void *read_stream(void *arg)
{
	struct stream *stream = arg;
	uint8_t data[4093];
	ssize_t n;

	while ((n = read(stream->fd, data, sizeof(data))) > 0)
		for (ssize_t i = 0; i < n; i++)
			stream->good += data[i] == byte_at(stream->good);
	return NULL;
}

static void both_directions_flow_at_once(void **state)
{
	pthread_t threads[4];
	struct stream streams[4];
	struct rig rig;

	(void)state;
	rig_start(&rig, 0);
	streams[0] = (struct stream){ rig.in[1], LENGTH, 0 };
	streams[1] = (struct stream){ rig.sockets[1], LENGTH, 0 };
	streams[2] = (struct stream){ rig.sockets[1], 0, 0 };
	streams[3] = (struct stream){ rig.out[0], 0, 0 };
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL,
			       i < 2 ? write_stream : read_stream, &streams[i]);
	pthread_join(threads[0], NULL);
	close(rig.in[1]);
	pthread_join(threads[1], NULL);
	shutdown(rig.sockets[1], SHUT_WR);
	pthread_join(threads[2], NULL);
	pthread_join(threads[3], NULL);
	assert_int_equal(rig_join(&rig), 0);
	assert_int_equal(streams[2].good, LENGTH);
	assert_int_equal(streams[3].good, LENGTH);
	close(rig.sockets[1]);
	close(rig.out[0]);
}

static void stdin_end_half_closes(void **state)
{
	struct rig rig;
	char data[16];

	(void)state;
	rig_start(&rig, 1);
	assert_int_equal(write(rig.in[1], "ask", 3), 3);
	close(rig.in[1]);
	assert_int_equal(recv(rig.sockets[1], data, 3, MSG_WAITALL), 3);
	assert_int_equal(read(rig.sockets[1], data, sizeof(data)), 0);
	/* The answer comes after the end of the question. */
	assert_int_equal(write(rig.sockets[1], "answer", 6), 6);
	close(rig.sockets[1]);
	assert_int_equal(read(rig.out[0], data, sizeof(data)), 6);
	assert_int_equal(rig_join(&rig), 0);
	assert_int_equal(read(rig.out[0], data, sizeof(data)), 0);
	close(rig.out[0]);
}

static void peer_end_stops_only_when_told(void **state)
{
	struct rig rig;
	char data[16];

	(void)state;
	rig_start(&rig, 1);
	shutdown(rig.sockets[1], SHUT_WR);
	assert_int_equal(rig_join(&rig), 0);	/* stdin is still open */
	close(rig.in[1]);
	close(rig.out[0]);
	close(rig.sockets[1]);

	rig_start(&rig, 0);
	shutdown(rig.sockets[1], SHUT_WR);
	usleep(20000);
	assert_int_equal(write(rig.in[1], "late", 4), 4);
	assert_int_equal(recv(rig.sockets[1], data, 4, MSG_WAITALL), 4);
	close(rig.in[1]);
	assert_int_equal(rig_join(&rig), 0);
	close(rig.out[0]);
	close(rig.sockets[1]);
}

/* A reader that does not read must not keep the other direction waiting. */
static void full_stdout_does_not_block_stdin(void **state)
{
	pthread_t writer, reader;
	struct stream flood, drain;
	struct rig rig;
	char data[16];

	(void)state;
	rig_start(&rig, 0);
	flood = (struct stream){ rig.sockets[1], LENGTH, 0 };
	pthread_create(&writer, NULL, write_stream, &flood);
	usleep(50000);
	assert_int_equal(write(rig.in[1], "through", 7), 7);
	assert_int_equal(recv(rig.sockets[1], data, 7, MSG_WAITALL), 7);
	close(rig.in[1]);

	drain = (struct stream){ rig.out[0], 0, 0 };
	pthread_create(&reader, NULL, read_stream, &drain);
	pthread_join(writer, NULL);
	close(rig.sockets[1]);
	pthread_join(reader, NULL);
	assert_int_equal(rig_join(&rig), 0);
	assert_int_equal(drain.good, LENGTH);
	close(rig.out[0]);
}

static void closed_stdout_is_an_error(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, 0);
	close(rig.out[0]);
	assert_int_equal(write(rig.sockets[1], "x", 1), 1);
	assert_int_equal(rig_join(&rig), -EPIPE);
	close(rig.in[1]);
	close(rig.sockets[1]);
}

static void file_flags_of_others_stay(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, 1);
	shutdown(rig.sockets[1], SHUT_WR);
	pthread_join(rig.thread, NULL);
	assert_false(fcntl(rig.in[0], F_GETFL) & O_NONBLOCK);
	close(rig.in[0]);
	close(rig.in[1]);
	close(rig.out[0]);
	close(rig.sockets[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_flow_at_once),
		cmocka_unit_test(stdin_end_half_closes),
		cmocka_unit_test(peer_end_stops_only_when_told),
		cmocka_unit_test(full_stdout_does_not_block_stdin),
		cmocka_unit_test(closed_stdout_is_an_error),
		cmocka_unit_test(file_flags_of_others_stay),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("pump", tests, NULL, NULL);
}
