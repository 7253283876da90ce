/*
 * The gdb server's thread: one socket that is listened on, one client at most. All of it but gdb_start, gdb_stop and
 * the waking runs on that thread, which owns the session.
 */
#include "frontend/gdb/gdb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <biscuit/error.h>

#include "frontend/gdb/session.h"

#define SEND_MS	 5000 /* a client that takes nothing for so long is gone */
#define SLICE_MS 100
#define LATE_MS	 1000 /* a pause by somebody else that lasts so long is told */

struct gdb {
	struct debug *d;
	pthread_t thread;
	atomic_bool quit;
	int wake;   /* eventfd: there is an event, or it is time to quit */
	int listen; /* socket */
	int client; /* socket, -1: none */
	bool lost;  /* the client is gone */
	bool late;  /* an event waits for LATE_MS to pass */
	struct gdb_session *session;
	bool is_unix;
	char address[128];
};

const char *gdb_address(const struct gdb *g)
{
	return g->address;
}

/* --- The address --- */

static int bad_address(const char *address)
{
	return bis_fail(EINVAL, "gdb address '%s': expected PORT, :PORT, 127.0.0.1:PORT or the path of a Unix socket",
			address);
}

static int parse_port(const char *address, uint16_t *out)
{
	static const char *const hosts[] = {"127.0.0.1:", "localhost:", ":"};
	const char *digits = address;
	unsigned long port = 0;

	for (size_t i = 0; i < BIS_ARRAY_SIZE(hosts) && digits == address; i++)
		if (!strncmp(address, hosts[i], strlen(hosts[i])))
			digits += strlen(hosts[i]);
	if (!*digits || strlen(digits) > 5 || strspn(digits, "0123456789") != strlen(digits))
		return bad_address(address);
	port = strtoul(digits, NULL, 10);
	if (port > UINT16_MAX)
		return bad_address(address);
	*out = (uint16_t)port;
	return 0;
}

static int listen_tcp(struct gdb *g, const char *address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(in);
	uint16_t port;
	int one = 1, err = parse_port(address, &port);

	if (err)
		return err;
	in.sin_port = htons(port);
	g->listen = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->listen < 0 || setsockopt(g->listen, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(g->listen, (const struct sockaddr *)&in, sizeof(in)) || listen(g->listen, 4) ||
	    getsockname(g->listen, (struct sockaddr *)&in, &size))
		return bis_fail(errno, "gdb: port %u: %s", port, strerror(errno));
	snprintf(g->address, sizeof(g->address), "127.0.0.1:%u", ntohs(in.sin_port));
	return 0;
}

/* A socket that nobody listens on any more makes room. */
static int clear_stale(const struct sockaddr_un *un)
{
	struct stat st;
	int fd, err = 0;

	if (lstat(un->sun_path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return bis_fail(EEXIST, "gdb: %s is there and is no socket", un->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return bis_fail(errno, "gdb: %s", strerror(errno));
	if (!connect(fd, (const struct sockaddr *)un, sizeof(*un)) || errno != ECONNREFUSED)
		err = bis_fail(EADDRINUSE, "gdb: somebody listens on %s already", un->sun_path);
	else if (unlink(un->sun_path))
		err = bis_fail(errno, "gdb: %s: %s", un->sun_path, strerror(errno));
	close(fd);
	return err;
}

/* Before anybody can connect, it belongs to its owner alone. */
static int listen_unix(struct gdb *g, const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int err;

	if (strlen(path) >= sizeof(un.sun_path))
		return bis_fail(ENAMETOOLONG, "gdb: a socket's path has at most %zu characters",
				sizeof(un.sun_path) - 1);
	memcpy(un.sun_path, path, strlen(path));
	err = clear_stale(&un);
	if (err)
		return err;
	g->listen = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->listen < 0 || bind(g->listen, (const struct sockaddr *)&un, sizeof(un)))
		return bis_fail(errno, "gdb: %s: %s", path, strerror(errno));
	g->is_unix = true;
	snprintf(g->address, sizeof(g->address), "%s", path);
	if (chmod(path, 0600) || listen(g->listen, 4))
		return bis_fail(errno, "gdb: %s: %s", path, strerror(errno));
	return 0;
}

/* --- The client --- */

static void wake(void *arg)
{
	const struct gdb *g = arg;
	uint64_t one = 1;

	if (write(g->wake, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

static void send_all(void *arg, const void *bytes, size_t len)
{
	struct gdb *g = arg;
	const char *p = bytes;
	int waited = 0;

	while (len && !g->lost) {
		struct pollfd writable = {.fd = g->client, .events = POLLOUT};
		ssize_t n = send(g->client, p, len, MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			waited = 0;
		} else if (n < 0 && errno != EAGAIN && errno != EINTR) {
			g->lost = true;
		} else if (poll(&writable, 1, SLICE_MS) == 0) {
			waited += SLICE_MS;
			g->lost = waited >= SEND_MS || atomic_load(&g->quit);
		}
	}
}

static bool waiting(void *arg)
{
	const struct gdb *g = arg;
	struct pollfd readable = {.fd = g->client, .events = POLLIN};

	return atomic_load(&g->quit) || poll(&readable, 1, 0) != 0;
}

static void drop_client(struct gdb *g, bool go_on)
{
	gdb_session_destroy(g->session, go_on);
	g->session = NULL;
	g->late = false;
	if (g->client >= 0)
		close(g->client);
	g->client = -1;
}

static void receive(struct gdb *g)
{
	char bytes[4096];
	ssize_t n = recv(g->client, bytes, sizeof(bytes), 0);

	if (n > 0)
		gdb_session_input(g->session, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		g->lost = true;
	g->late = gdb_session_events(g->session, false);
}

/*
 * A second client hears that it is one: as the answer to its first packet, as gdb takes no other. What it sends is
 * read, since a connection that is closed before that takes the answer with it.
 */
static void refuse(int fd)
{
	static const char busy[] = "+$E.another debugger is connected#98";
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	char ignored[4096];

	(void)poll(&readable, 1, SLICE_MS);
	(void)!send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
	(void)shutdown(fd, SHUT_WR);
	for (unsigned i = 0; i < 8 && poll(&readable, 1, SLICE_MS) > 0; i++)
		if (recv(fd, ignored, sizeof(ignored), 0) <= 0)
			break;
	close(fd);
}

static void accept_client(struct gdb *g)
{
	struct gdb_link link = {.send = send_all, .wake = wake, .waiting = waiting, .arg = g};
	int fd = accept4(g->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), one = 1;

	if (fd < 0)
		return;
	if (g->client >= 0) {
		refuse(fd);
		return;
	}
	if (!g->is_unix)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	g->client = fd;
	g->lost = false;
	if (gdb_session_create(g->d, &link, &g->session))
		drop_client(g, false);
}

/* --- The thread --- */

static void drain_wake(const struct gdb *g)
{
	uint64_t count;

	if (read(g->wake, &count, sizeof(count)) < 0)
		return; /* nothing to drain */
}

static void *serve(void *arg)
{
	struct gdb *g = arg;

	while (!atomic_load(&g->quit)) {
		struct pollfd fds[3] = {{.fd = g->wake, .events = POLLIN},
					{.fd = g->listen, .events = POLLIN},
					{.fd = g->client, .events = POLLIN}};
		int n = poll(fds, 3, g->late ? LATE_MS : -1);

		if (fds[0].revents)
			drain_wake(g);
		if (g->session && (fds[0].revents || n == 0))
			g->late = gdb_session_events(g->session, n == 0);
		if (g->session && fds[2].revents)
			receive(g);
		if (g->session && (g->lost || gdb_session_done(g->session)))
			drop_client(g, true);
		if (fds[1].revents)
			accept_client(g);
	}
	if (g->session)
		(void)gdb_session_events(g->session, true);
	drop_client(g, false);
	return NULL;
}

static void free_all(struct gdb *g)
{
	if (g->listen >= 0)
		close(g->listen);
	if (g->is_unix)
		(void)unlink(g->address);
	if (g->wake >= 0)
		close(g->wake);
	free(g);
}

int gdb_start(struct debug *d, const char *address, struct gdb **out)
{
	struct gdb *g = calloc(1, sizeof(*g));
	int err;

	if (!g)
		return bis_fail(ENOMEM, "no memory for the gdb server");
	g->d = d;
	g->listen = g->client = -1;
	g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->wake < 0)
		err = bis_fail(errno, "gdb: %s", strerror(errno));
	else
		err = strchr(address, '/') ? listen_unix(g, address) : listen_tcp(g, address);
	if (!err && pthread_create(&g->thread, NULL, serve, g))
		err = bis_fail(EAGAIN, "cannot start the gdb server's thread");
	if (err) {
		free_all(g);
		return err;
	}
	*out = g;
	return 0;
}

void gdb_stop(struct gdb *g)
{
	if (!g)
		return;
	atomic_store(&g->quit, true);
	wake(g);
	pthread_join(g->thread, NULL);
	free_all(g);
}
