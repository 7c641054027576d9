// SPDX-License-Identifier: MIT
/*
 * socktlsd: does the handshakes of the sockets of its network namespace.
 *
 * One thread, one event loop: a doorbell on the netlink socket makes it take
 * items until none is left, each of which is answered at once (worker.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <ev.h>

#include "config.h"
#include "keylog.h"
#include "log.h"
#include "netlink.h"
#include "options.h"
#include "sessions.h"
#include "stores.h"
#include "ticketkeys.h"
#include "worker.h"

#define EXPIRY_SECONDS	60.

struct daemon {
	struct options	options;
	struct stores	*stores;
	struct netlink	*netlink;
	struct worker	*worker;
	struct ticketkeys *ticketkeys;
	struct sessions	*sessions;
	struct worker_sessions resumption;
	FILE		*keylog;
	int		parent;		/* background: pipe to it, else -1 */
	int		status;		/* exit status */
	ev_io		doorbell;
	ev_io		notify;
	ev_timer	work;
	ev_timer	expiry;
	ev_signal	terminate;
	ev_signal	interrupt;
	ev_signal	hangup;
};

/*
 * Work.
 */

static void stop(struct daemon *daemon, struct ev_loop *loop, int status)
{
	daemon->status = status;
	ev_break(loop, EVBREAK_ALL);
}

static void serve_item(void *arg, const struct item *item)
{
	struct daemon *daemon = arg;

	worker_item(daemon->worker, item);
}

static int send_reply(void *arg, uint64_t id, const struct action_list *actions)
{
	return netlink_reply(arg, id, actions);
}

static const struct worker_channel channel = {
	.reply = send_reply,
};

/*
 * One NEXT per turn of the event loop, so that a flood of handshakes does not
 * keep signals out.
 */
static void on_work(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct daemon *daemon = timer->data;
	int n = netlink_next(daemon->netlink, serve_item, daemon);

	(void)events;
	if (n > 0) {
		ev_timer_set(timer, 0., 0.);
		ev_timer_start(loop, timer);
	} else if (n < 0 && n != -ENOBUFS && n != -ENOMEM && n != -EAGAIN) {
		if (n == -ENOENT || n == -EOPNOTSUPP)
			log_error("socktls.ko was unloaded");
		else
			log_error("cannot take handshakes from socktls.ko: %s",
				  strerror(-n));
		stop(daemon, loop, EXIT_FAILURE);
	} else if (n < 0) {
		/* The doorbell rings again, but need not be waited for. */
		ev_timer_set(timer, .01, 0.);
		ev_timer_start(loop, timer);
	}
}

static void on_doorbell(struct ev_loop *loop, ev_io *io, int events)
{
	struct daemon *daemon = io->data;

	(void)events;
	if (netlink_drain(daemon->netlink) && !ev_is_active(&daemon->work)) {
		ev_timer_set(&daemon->work, 0., 0.);
		ev_timer_start(loop, &daemon->work);
	}
}

static void on_notify(struct ev_loop *loop, ev_io *io, int events)
{
	struct daemon *daemon = io->data;

	(void)events;
	if (!netlink_family_is_gone(daemon->netlink))
		return;
	log_error("socktls.ko was unloaded");
	stop(daemon, loop, EXIT_FAILURE);
}

/* What nobody asks for any more is wiped in time nevertheless. */
static void on_expiry(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct daemon *daemon = timer->data;

	(void)loop;
	(void)events;
	sessions_expire(daemon->sessions, time(NULL));
	ticketkeys_expire(daemon->ticketkeys, time(NULL));
}

static void on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct daemon *daemon = signal->data;

	(void)events;
	log_info("ends by signal %d; %zu handshakes were in progress",
		 signal->signum, worker_count(daemon->worker));
	stop(daemon, loop, EXIT_SUCCESS);
}

/*
 * Configuration.
 */

/* Sessions that are there stay, so that a reload costs nobody a handshake. */
static int set_sessions(struct daemon *daemon, const struct config *config)
{
	struct worker_sessions *resumption = &daemon->resumption;
	int err = 0;

	if (!daemon->ticketkeys)
		err = ticketkeys_new(&daemon->ticketkeys,
				     config->session_lifetime);
	if (!err && !daemon->sessions)
		err = sessions_new(&daemon->sessions, 0, &ticketkeys_ops,
				   daemon->ticketkeys);
	if (err)
		return err;
	ticketkeys_set_period(daemon->ticketkeys, config->session_lifetime);
	sessions_set_max(daemon->sessions, config->session_kib * 1024);
	*resumption = (struct worker_sessions){
		.ops = &sessions_ops,
		.arg = daemon->sessions,
		.lifetime = config->session_lifetime,
		.ids = config->session_ids,
		.tickets = config->session_tickets,
	};
	if (daemon->worker)
		worker_set_sessions(daemon->worker, resumption);
	return 0;
}

/* On failure the old stores stay. Returns 0 or a negative errno. */
static int load(struct daemon *daemon, size_t *n_errors)
{
	const struct options *options = &daemon->options;
	char error[ERROR_TEXT_MAX];
	struct config config;
	struct stores *stores;
	int err;

	err = config_load(&config, options->config_dir, error, sizeof(error));
	if (err) {
		log_error("%s", error);
		return err;
	}
	log_set_level(options->log_level_is_set ? options->log_level :
		      config.log_level);
	err = stores_load(&stores, &config, daemon->stores, n_errors);
	if (err) {
		log_error("out of memory");
		return err;
	}
	err = set_sessions(daemon, &config);
	if (err) {
		log_error("out of memory");
		stores_free(stores);
		return err;
	}
	if (daemon->worker)
		worker_set_stores(daemon->worker, stores);
	stores_free(daemon->stores);
	daemon->stores = stores;
	return 0;
}

static void on_hangup(struct ev_loop *loop, ev_signal *signal, int events)
{
	struct daemon *daemon = signal->data;
	size_t n_errors;

	(void)loop;
	(void)events;
	if (load(daemon, &n_errors)) {
		log_error("the configuration was not reloaded: the old one stays");
		return;
	}
	log_info("configuration reloaded: %zu identities, %zu trust stores, %zu errors",
		 stores_count_identities(daemon->stores),
		 stores_count_trusts(daemon->stores), n_errors);
}

static int check_config(struct daemon *daemon)
{
	size_t n_errors;

	if (load(daemon, &n_errors))
		return EXIT_FAILURE;
	printf("%zu identities, %zu trust stores, %zu errors\n",
	       stores_count_identities(daemon->stores),
	       stores_count_trusts(daemon->stores), n_errors);
	return n_errors ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * Start.
 */

/* Waits up to --wait seconds for the module, which may come after us. */
static int connect_kernel(struct daemon *daemon)
{
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };
	unsigned int tries = daemon->options.wait_seconds * 10 + 1;
	char error[ERROR_TEXT_MAX];
	int err;

	do {
		err = netlink_open(&daemon->netlink, error, sizeof(error));
	} while (err == -ENOENT && --tries && nanosleep(&pause, NULL) == 0);
	if (!err)
		err = netlink_register(daemon->netlink, error, sizeof(error));
	if (err)
		log_error("%s", error);
	return err;
}

static int open_keylog(struct daemon *daemon)
{
	const char *path = daemon->options.keylog;
	int err = path ? keylog_open(&daemon->keylog, path) : 0;

	if (err)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

static int write_pidfile(const char *path)
{
	FILE *file = path ? fopen(path, "we") : NULL;
	int err = 0;

	if (!path)
		return 0;
	if (!file || fprintf(file, "%d\n", getpid()) < 0)
		err = -errno;
	if (file && fclose(file) && !err)
		err = -errno;
	if (err)
		log_error("%s: %s", path, strerror(-err));
	return err;
}

/*
 * The parent of a background daemon leaves when the child is registered, with
 * the child's word on whether that worked.
 */
static int go_background(struct daemon *daemon)
{
	int fds[2];
	char ready;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(fds[1]);
		_exit(read(fds[0], &ready, 1) == 1 ? EXIT_SUCCESS :
						     EXIT_FAILURE);
	}
	close(fds[0]);
	setsid();
	daemon->parent = fds[1];
	return 0;
}

/* Nothing here reads stdin; should a library do, then it finds the end. */
static void close_stdin(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	if (null != STDIN_FILENO)
		close(null);
}

static void leave_terminal(struct daemon *daemon)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	log_to_syslog();
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	if (write(daemon->parent, "r", 1) != 1)
		log_warning("the process that started this one is gone");
	close(daemon->parent);
}

static int prepare(struct daemon *daemon)
{
	size_t n_errors;
	int err;

	err = load(daemon, &n_errors);
	if (!err)
		err = open_keylog(daemon);
	if (!err && daemon->options.background)
		err = go_background(daemon);
	if (!err)
		err = connect_kernel(daemon);
	if (!err)
		err = worker_new(&daemon->worker, &channel, daemon->netlink,
				 daemon->stores, daemon->keylog);
	if (!err)
		worker_set_sessions(daemon->worker, &daemon->resumption);
	if (!err)
		err = write_pidfile(daemon->options.pidfile);
	return err;
}

static void announce(struct daemon *daemon)
{
	log_info("ready: %zu identities, %zu trust stores",
		 stores_count_identities(daemon->stores),
		 stores_count_trusts(daemon->stores));
	printf("ready\n");
	fflush(stdout);
	if (daemon->options.background)
		leave_terminal(daemon);
}

static void watch_signal(struct daemon *daemon, struct ev_loop *loop,
			 ev_signal *watcher, int number,
			 void (*callback)(struct ev_loop *loop,
					  ev_signal *watcher, int events))
{
	ev_signal_init(watcher, callback, number);
	watcher->data = daemon;
	ev_signal_start(loop, watcher);
}

static void watch(struct daemon *daemon, struct ev_loop *loop)
{
	ev_io_init(&daemon->doorbell, on_doorbell,
		   netlink_fd(daemon->netlink), EV_READ);
	ev_io_init(&daemon->notify, on_notify,
		   netlink_notify_fd(daemon->netlink), EV_READ);
	/* The first turn takes what was pending before we registered. */
	ev_timer_init(&daemon->work, on_work, 0., 0.);
	daemon->doorbell.data = daemon;
	daemon->notify.data = daemon;
	daemon->work.data = daemon;
	ev_io_start(loop, &daemon->doorbell);
	ev_io_start(loop, &daemon->notify);
	ev_timer_start(loop, &daemon->work);
	ev_timer_init(&daemon->expiry, on_expiry, EXPIRY_SECONDS,
		      EXPIRY_SECONDS);
	daemon->expiry.data = daemon;
	ev_timer_start(loop, &daemon->expiry);
	watch_signal(daemon, loop, &daemon->terminate, SIGTERM, on_terminate);
	watch_signal(daemon, loop, &daemon->interrupt, SIGINT, on_terminate);
	watch_signal(daemon, loop, &daemon->hangup, SIGHUP, on_hangup);
}

static int serve(struct daemon *daemon)
{
	struct ev_loop *loop = ev_default_loop(EVFLAG_AUTO);

	if (!loop) {
		log_error("cannot make an event loop");
		return EXIT_FAILURE;
	}
	watch(daemon, loop);
	announce(daemon);
	ev_run(loop, 0);
	if (daemon->options.pidfile)
		unlink(daemon->options.pidfile);
	ev_loop_destroy(loop);
	return daemon->status;
}

static void clean_up(struct daemon *daemon)
{
	worker_free(daemon->worker);
	sessions_free(daemon->sessions);
	ticketkeys_free(daemon->ticketkeys);
	netlink_close(daemon->netlink);
	stores_free(daemon->stores);
	if (daemon->keylog)
		fclose(daemon->keylog);
}

int main(int argc, char **argv)
{
	struct daemon daemon = { .parent = -1, .status = EXIT_FAILURE };
	const struct rlimit no_core = { 0, 0 };

	options_parse(&daemon.options, argc, argv);
	/*
	 * A core file would hold private keys. The limit does not count where
	 * cores go to a pipe (core(5)); the other also keeps ptrace() away.
	 */
	setrlimit(RLIMIT_CORE, &no_core);
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGPIPE, SIG_IGN);
	close_stdin();

	if (daemon.options.check_config)
		daemon.status = check_config(&daemon);
	else if (prepare(&daemon) == 0)
		daemon.status = serve(&daemon);
	clean_up(&daemon);
	return daemon.status;
}
