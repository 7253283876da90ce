/*
 * User networking on libslirp: the guest is alone in a network 10.0.2.0/24 whose other machines are made of the host's
 * sockets, without any privilege. A thread of the module runs libslirp; it never takes the device lock. libslirp keeps
 * the time and the host's name server in variables of the process; so all of its instances take turns under one lock,
 * and share one clock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if __has_include(<slirp/libslirp.h>)
#include <slirp/libslirp.h>
#else
#include <libslirp.h>
#endif

#include <biscuit/module.h>
#include <biscuit/netdev.h>

#include "modules/backend/hostfwd.h"
#include "modules/backend/net_thread.h"
#include "modules/backend/slirp_options.h"
#include "modules/modules.h"

/* Router advertisements are all that libslirp has a timer for. */
struct slirp_timer {
	struct slirp_timer *next;
	SlirpTimerCb fire;
	void *arg;
	int64_t when_ms; /* INT64_MAX: not armed */
};

struct user_net {
	struct bis_module *mod;
	struct bis_netdev *netdev;
	char *name; /* of the network device */
	char *hostname;
	char *rules;
	bool restricted, ipv6;
	struct bis_log_limit log_limit;
	struct net_thread thread;

	/* The lock of libslirp */
	Slirp *slirp;
	struct slirp_timer *timers;

	/* The thread's */
	struct pollfd *fds; /* [0] is the thread's own */
	size_t n_fds, max_fds;
	bool polled; /* what fds say is of the last wait */
	uint8_t frame[BIS_NETDEV_FRAME];
};

/* The only state of the process here, because libslirp's is. */
static pthread_mutex_t stack = PTHREAD_MUTEX_INITIALIZER;

/* --- What libslirp calls; its lock is held --- */

static int64_t clock_ns(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static ssize_t send_packet(const void *frame, size_t len, void *opaque)
{
	struct user_net *u = opaque;

	/* A frame that is lost comes again, as in any network. */
	bis_netdev_deliver(u->netdev, frame, len);
	return (ssize_t)len;
}

static void guest_error(const char *message, void *opaque)
{
	struct user_net *u = opaque;

	bis_log_limited(bis_module_machine(u->mod), &u->log_limit, BIS_LOG_WARN, bis_module_name(u->mod), "%s",
			message);
}

static void *timer_new(SlirpTimerCb fire, void *arg, void *opaque)
{
	struct user_net *u = opaque;
	struct slirp_timer *t = malloc(sizeof(*t));

	if (t) {
		*t = (struct slirp_timer){.next = u->timers, .fire = fire, .arg = arg, .when_ms = INT64_MAX};
		u->timers = t;
	}
	return t;
}

static void timer_free(void *timer, void *opaque)
{
	struct user_net *u = opaque;

	for (struct slirp_timer **at = &u->timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = (*at)->next;
			break;
		}
	}
	free(timer);
}

static void timer_mod(void *timer, int64_t when_ms, void *opaque)
{
	struct slirp_timer *t = timer;

	(void)opaque;
	if (t)
		t->when_ms = when_ms;
}

static void ignore_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void ignore_notify(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet,
	.guest_error = guest_error,
	.clock_get_ns = clock_ns,
	.timer_new = timer_new,
	.timer_free = timer_free,
	.timer_mod = timer_mod,
	.register_poll_fd = ignore_fd,
	.unregister_poll_fd = ignore_fd,
	.notify = ignore_notify,
};

/* --- Descriptors --- */

static int add_poll(int fd, int events, void *opaque)
{
	struct user_net *u = opaque;
	short wanted = 0;

	if (u->n_fds == u->max_fds) {
		size_t max = u->max_fds * 2;
		struct pollfd *more = realloc(u->fds, max * sizeof(*more));

		if (!more)
			return -1;
		u->fds = more;
		u->max_fds = max;
	}
	if (events & SLIRP_POLL_IN)
		wanted |= POLLIN;
	if (events & SLIRP_POLL_OUT)
		wanted |= POLLOUT;
	if (events & SLIRP_POLL_PRI)
		wanted |= POLLPRI;
	u->fds[u->n_fds] = (struct pollfd){.fd = fd, .events = wanted};
	return (int)u->n_fds++;
}

static int get_revents(int index, void *opaque)
{
	struct user_net *u = opaque;
	int got, events = 0;

	if (index < 0 || !u->polled)
		return 0;
	got = u->fds[index].revents;
	if (got & POLLIN)
		events |= SLIRP_POLL_IN;
	if (got & POLLOUT)
		events |= SLIRP_POLL_OUT;
	if (got & POLLPRI)
		events |= SLIRP_POLL_PRI;
	if (got & POLLERR)
		events |= SLIRP_POLL_ERR;
	if (got & POLLHUP)
		events |= SLIRP_POLL_HUP;
	return events;
}

/* --- Thread --- */

/* Hands the guest's frames over; true if there may be more. */
static bool take_frames(struct user_net *u)
{
	for (int i = 0; i < NET_THREAD_TURN; i++) {
		size_t len = bis_netdev_fetch(u->netdev, u->frame);

		if (len == 0)
			return false;
		pthread_mutex_lock(&stack);
		slirp_input(u->slirp, u->frame, (int)len);
		pthread_mutex_unlock(&stack);
	}
	return true;
}

/* Milliseconds until the next timer, at most `most`. */
static uint32_t until_timer(const struct user_net *u, uint32_t most)
{
	int64_t now = clock_ns(NULL) / 1000000;

	for (const struct slirp_timer *t = u->timers; t; t = t->next) {
		if (t->when_ms <= now)
			return 0;
		if (t->when_ms - now < most)
			most = (uint32_t)(t->when_ms - now);
	}
	return most;
}

static void fire_timers(struct user_net *u)
{
	int64_t now = clock_ns(NULL) / 1000000;

	for (struct slirp_timer *t = u->timers; t; t = t->next) {
		if (t->when_ms > now)
			continue;
		t->when_ms = INT64_MAX;
		t->fire(t->arg);
	}
}

/* Lists the descriptors to wait for; how long to wait, in the manner of poll(2). */
static int prepare(struct user_net *u)
{
	uint32_t timeout = UINT32_MAX;

	u->n_fds = 1;
	pthread_mutex_lock(&stack);
	slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
	timeout = until_timer(u, timeout);
	pthread_mutex_unlock(&stack);
	return timeout > INT32_MAX ? -1 : (int)timeout;
}

static void serve(struct user_net *u, bool failed)
{
	pthread_mutex_lock(&stack);
	fire_timers(u);
	slirp_pollfds_poll(u->slirp, failed, get_revents, u);
	pthread_mutex_unlock(&stack);
}

static void *user_net_main(void *arg)
{
	struct user_net *u = arg;
	bool go = true;

	while (go) {
		bool more = take_frames(u);
		int timeout = prepare(u), ready;

		/* While the guest does not keep up, the other ends of its connections wait: no socket is read. */
		u->polled = !bis_netdev_congested(u->netdev);
		ready = net_thread_wait(&u->thread, u->fds, u->polled ? u->n_fds : 1, more ? 0 : timeout, &go);
		u->polled = u->polled && ready > 0;
		if (go)
			serve(u, ready < 0);
	}
	return NULL;
}

static void user_net_wake(void *self)
{
	struct user_net *u = self;

	net_thread_wake(&u->thread);
}

/* --- Making the network --- */

static int make_stack(struct user_net *u)
{
	/* The oldest version of the configuration has all that is needed, and every libslirp takes it. */
	SlirpConfig config = {
		.version = 1,
		.restricted = u->restricted,
		.in_enabled = true,
		.vnetwork = {htonl(HOSTFWD_NETWORK)},
		.vnetmask = {htonl(HOSTFWD_MASK)},
		.vhost = {htonl(HOSTFWD_HOST)},
		.vdhcp_start = {htonl(HOSTFWD_GUEST)},
		.vnameserver = {htonl(HOSTFWD_DNS)},
		.in6_enabled = u->ipv6,
		.vprefix_len = 64,
		.vhostname = u->hostname,
	};

	inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
	inet_pton(AF_INET6, "fec0::2", &config.vhost6);
	inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
	pthread_mutex_lock(&stack);
	u->slirp = slirp_new(&config, &callbacks, u);
	pthread_mutex_unlock(&stack);
	if (!u->slirp)
		return bis_fail(ENOMEM, "%s: libslirp %s cannot make a network", bis_module_name(u->mod),
				slirp_version_string());
	return 0;
}

static int forward(struct user_net *u, const struct hostfwd *f)
{
	char address[INET_ADDRSTRLEN];
	int failed, err;

	pthread_mutex_lock(&stack);
	errno = 0;
	failed = slirp_add_hostfwd(u->slirp, f->udp, f->host, f->host_port, f->guest, f->guest_port);
	err = errno ? errno : EADDRINUSE;
	pthread_mutex_unlock(&stack);
	if (!failed)
		return 0;
	inet_ntop(AF_INET, &f->host, address, sizeof(address));
	return bis_fail(err, "%s: cannot forward %s port %u of %s on the host: %s", bis_module_name(u->mod),
			f->udp ? "udp" : "tcp", f->host_port, address, strerror(err));
}

static int forward_all(struct user_net *u)
{
	const char *rules = u->rules;
	struct hostfwd f;
	int more;

	while ((more = hostfwd_next(&rules, &f)) > 0) {
		int err = forward(u, &f);

		if (err)
			return err;
	}
	return more;
}

/* --- Lifecycle --- */

/* Works on whatever user_net_create and user_net_attach have made so far. */
static void user_net_destroy(void *self)
{
	struct user_net *u = self;

	net_thread_fini(&u->thread);
	bis_netdev_destroy(u->netdev);
	if (u->slirp) {
		pthread_mutex_lock(&stack);
		slirp_cleanup(u->slirp);
		pthread_mutex_unlock(&stack);
	}
	free(u->fds);
	free(u->rules);
	free(u->hostname);
	free(u->name);
	free(u);
}

/* All rules are looked at before anything is made of them. */
static int check_rules(const struct user_net *u)
{
	const char *rules = u->rules;
	struct hostfwd f;
	int more;

	do
		more = hostfwd_next(&rules, &f);
	while (more > 0);
	return more ? bis_fail_prefix(more, "%s", bis_module_name(u->mod)) : 0;
}

static int user_net_create(struct bis_module *mod, const struct bis_options *options, void **self)
{
	const char *owner = bis_module_name(mod);
	struct user_net *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return bis_fail(ENOMEM, "no memory for %s", owner);
	u->mod = mod;
	u->thread.event = -1;
	u->restricted = bis_option_bool(options, "restrict");
	u->ipv6 = bis_option_bool(options, "ipv6");
	u->max_fds = 16;
	u->fds = calloc(u->max_fds, sizeof(*u->fds));
	u->name = strdup(bis_option_text(options, "netdev"));
	u->hostname = strdup(bis_option_text(options, "hostname"));
	u->rules = strdup(bis_option_text(options, "hostfwd"));
	if (u->fds && u->name && u->hostname && u->rules)
		err = check_rules(u);
	else
		err = bis_fail(ENOMEM, "no memory for %s", owner);
	if (!err)
		err = net_thread_init(&u->thread, owner);
	if (err) {
		user_net_destroy(u);
		return err;
	}
	*self = u;
	return 0;
}

static int user_net_attach(struct bis_module *mod, void *self)
{
	static const struct bis_netdev_ops ops = {.wake = user_net_wake,
						  .flags = BIS_NETDEV_VERIFIED | BIS_NETDEV_SEGMENTS};
	struct user_net *u = self;
	int err = bis_netdev_create(bis_module_machine(mod), u->name, &ops, u, &u->netdev);

	if (err)
		return bis_fail_prefix(err, "%s", bis_module_name(mod));
	err = make_stack(u);
	if (!err)
		err = forward_all(u);
	return err ? err : net_thread_start(&u->thread, bis_module_name(mod), user_net_main, u);
}

static void user_net_pause(void *self)
{
	struct user_net *u = self;

	net_thread_pause(&u->thread, true);
}

static void user_net_resume(void *self)
{
	struct user_net *u = self;

	net_thread_pause(&u->thread, false);
}

const struct bis_module_class bis_net_user_class = {
	.abi = BIS_MODULE_ABI,
	.version = 1,
	.migratable = true,
	.backend = true,
	.name = "net-user",
	.summary = "network back end: the host's own connections, through libslirp",
	.options = slirp_options,
	.create = user_net_create,
	.attach = user_net_attach,
	.pause = user_net_pause,
	.resume = user_net_resume,
	.destroy = user_net_destroy,
};
